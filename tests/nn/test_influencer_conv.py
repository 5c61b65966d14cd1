"""InfluencerConv: the formula, bipartite graphs, learned neighbours, and gradients everywhere."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch_geometric.nn import Sequential

from geoinfluencer.errors import InputError
from geoinfluencer.nn import InfluencerConv

EDGES = torch.tensor([[0, 1, 2, 3, 0, 2], [1, 0, 1, 1, 3, 0]])


def by_hand(conv: InfluencerConv, x: tuple[Tensor, Tensor], edges: Tensor, attr: Tensor) -> Tensor:
    """The docstring's formula, node by node."""
    source, target = x
    f, h = conv.lin_follower(target), conv.lin_influencer(source)
    rows = []
    for i in range(len(target)):
        incoming = (edges[1] == i).nonzero()[:, 0]
        total = conv.lin_root(target[i]) + conv.bias
        if len(incoming):
            square = (f[i] - h[edges[0, incoming]]).square().sum(1) / conv.radius**2
            phi = 1 / (1 + square) if conv.potential == "cauchy" else torch.exp(-square)
            alpha = phi / phi.sum() if conv.normalize else phi
            value = conv.lin_value(source[edges[0, incoming]]) + conv.lin_edge(attr[incoming])
            total = total + (alpha[:, None] * value).sum(0)
        rows.append(total)
    return torch.stack(rows)


@pytest.mark.parametrize("potential", ["cauchy", "gaussian"])
@pytest.mark.parametrize("normalize", [True, False])
def test_output_is_the_formula(potential: str, normalize: bool) -> None:
    conv = InfluencerConv(
        5, 4, embedding_dim=3, radius=1.7, edge_dim=2, potential=potential, normalize=normalize
    )
    x, attr = torch.randn(5, 5), torch.randn(6, 2)
    out = conv(x, EDGES, attr)
    assert out.shape == (5, 4)
    torch.testing.assert_close(out, by_hand(conv, (x, x), EDGES, attr))


def test_repr_and_reset_parameters() -> None:
    conv = InfluencerConv(8, 16, embedding_dim=4, k=6)
    assert str(conv) == "InfluencerConv(8, 16, embedding_dim=4, k=6)"
    x = torch.randn(10, 8)
    before = conv(x)
    conv.reset_parameters()
    assert not torch.allclose(before, conv(x))
    assert bool((conv.bias == 0).all())


def test_bipartite_input_and_lazy_sizes() -> None:
    source, target = torch.randn(6, 3), torch.randn(2, 7)
    edges = torch.tensor([[0, 5, 3], [1, 1, 0]])
    out = InfluencerConv((3, 7), 4)((source, target), edges)
    assert out.shape == (2, 4)
    lazy = InfluencerConv((-1, -1), 4)
    assert lazy((source, target), edges).shape == (2, 4)
    conv = InfluencerConv((3, 7), 4, k=4)
    out, (follower, influencer) = conv((source, target), return_embeddings=True)
    assert out.shape == (2, 4) and follower.shape == (2, 8) and influencer.shape == (6, 8)


def test_learned_neighbours_are_the_nearest_influencers_of_the_same_graph() -> None:
    conv = InfluencerConv(3, 4, k=3)
    x = torch.randn(12, 3)
    batch = torch.tensor([0] * 5 + [1] * 2 + [3] * 5)  # graph 1 has fewer nodes than k, 2 none
    out, (follower, influencer) = conv(x, batch=batch, return_embeddings=True)
    distance = torch.cdist(follower, influencer)
    distance[batch[:, None] != batch[None, :]] = torch.inf
    edges = []
    for i in range(12):
        nearest = distance[i].argsort()[:3]
        edges += [(j, i) for j in nearest.tolist() if torch.isfinite(distance[i, j])]
    expected = conv(x, torch.tensor(edges).T)
    torch.testing.assert_close(out, expected)
    pairs = conv((x, x), batch=(batch, batch))
    torch.testing.assert_close(pairs, out)


def test_a_batch_is_its_graphs() -> None:
    conv = InfluencerConv(3, 4, k=2)
    one, two = torch.randn(6, 3), torch.randn(4, 3)
    batch = torch.tensor([0] * 6 + [1] * 4)
    together = conv(torch.cat([one, two]), batch=batch)
    torch.testing.assert_close(together, torch.cat([conv(one), conv(two)]))


@pytest.mark.parametrize("potential", ["cauchy", "gaussian"])
@pytest.mark.parametrize("normalize", [True, False])
def test_every_parameter_has_a_gradient(potential: str, normalize: bool) -> None:
    conv = InfluencerConv(3, 4, k=4, potential=potential, normalize=normalize)
    conv(torch.randn(30, 3)).square().sum().backward()
    for name, parameter in conv.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name


def test_projections_learn_even_when_everything_is_far_away() -> None:
    """Inputs 30 times the usual: all distances are tens of radii, the hinge and exp are 0 there."""
    conv = InfluencerConv(3, 4, k=4)
    conv(30.0 * torch.randn(200, 3)).sum().backward()
    for lin in (conv.lin_follower, conv.lin_influencer):
        assert lin.weight.grad is not None and lin.weight.grad.norm() > 1e-2


def test_both_flows_and_no_edges() -> None:
    x = torch.randn(5, 3)
    forward = InfluencerConv(3, 4)
    backward = InfluencerConv(3, 4, flow="target_to_source")
    backward.load_state_dict(forward.state_dict())
    torch.testing.assert_close(forward(x, EDGES), backward(x, EDGES.flip(0)))
    forward.k = backward.k = 2
    torch.testing.assert_close(forward(x), backward(x))
    empty = forward(x, torch.zeros(2, 0, dtype=torch.int64))
    torch.testing.assert_close(empty, forward.lin_root(x) + forward.bias)
    assert forward(x[:0]).shape == (0, 4)


def test_options_leave_parts_out() -> None:
    conv = InfluencerConv(3, 4, bias=False, root_weight=False, aggr="max")
    assert conv.bias is None and conv.lin_root is None
    isolated = conv(torch.randn(5, 3), EDGES)[4]
    assert bool((isolated == 0).all())


def test_it_stands_in_a_pyg_model_and_trains() -> None:
    """Node labels that only a neighbour knows."""
    model = Sequential(
        "x, edge_index", [(InfluencerConv(2, 8), "x, edge_index -> x"), torch.nn.Linear(8, 1)]
    )
    x = torch.randn(60, 2)
    edges = torch.stack([torch.arange(60), torch.arange(1, 61) % 60])
    wanted = x[edges[0].argsort()][:, :1].roll(1, 0)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    for _ in range(60):
        optimizer.zero_grad()
        error = (model(x, edges) - wanted).square().mean()
        error.backward()
        optimizer.step()
    assert error < 0.02


def test_bad_arguments_are_named() -> None:
    x, attr = torch.randn(5, 3), torch.randn(6, 2)
    with pytest.raises(InputError, match="edge_index"):
        InfluencerConv(3, 4)(x)
    with pytest.raises(InputError, match="edge_attr was given"):
        InfluencerConv(3, 4)(x, EDGES, attr)
    with pytest.raises(InputError, match="edge_attr is missing"):
        InfluencerConv(3, 4, edge_dim=2)(x, EDGES)
    with pytest.raises(InputError, match="edge_attr needs"):
        InfluencerConv(3, 4, edge_dim=2, k=3)(x, None, attr)
    for setting in ({"radius": 0.0}, {"k": 0}, {"potential": "hinge"}):
        with pytest.raises(InputError, match=next(iter(setting))):
            InfluencerConv(3, 4, **setting)
