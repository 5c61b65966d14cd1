from __future__ import annotations

import pytest
import torch
from torch import Tensor

from geoinfluencer.errors import InputError
from geoinfluencer.nn import VectorAttentionConv

X = torch.randn(5, 6, generator=torch.Generator().manual_seed(0))
EDGES = torch.tensor([[1, 2, 3, 0, 2], [0, 0, 0, 1, 1]])
ATTR = torch.randn(5, 3, generator=torch.Generator().manual_seed(1))


def layer(edge_dim: int | None = 3) -> VectorAttentionConv:
    torch.manual_seed(0)
    return VectorAttentionConv(6, edge_dim)


def by_hand(net: VectorAttentionConv, x: Tensor, edges: Tensor, attr: Tensor | None) -> Tensor:
    """The formula, one node and one neighbour at a time."""
    out = torch.zeros_like(x)
    for i in range(len(x)):
        into = (edges[1] == i).nonzero()[:, 0].tolist()
        if not into:
            continue
        delta = [torch.zeros(6) if attr is None else net.position(attr[e : e + 1])[0] for e in into]
        scores, values = [], []
        for e, d in zip(into, delta, strict=True):
            j = edges[0, e]
            scores.append(net.relation((net.query(x[i]) - net.key(x[j]) + d)[None])[0])
            values.append(net.value(x[j]) + d)
        out[i] = (torch.stack(scores).softmax(0) * torch.stack(values)).sum(0)
    return out


@pytest.mark.parametrize("edge_dim", [3, None])
def test_it_is_its_formula(edge_dim: int | None) -> None:
    net, attr = layer(edge_dim), ATTR if edge_dim else None
    torch.testing.assert_close(net(X, EDGES, attr), by_hand(net, X, EDGES, attr))
    assert (net(X, EDGES, attr)[2:] == 0).all()  # no edge leads there


def test_gradients_are_those_of_the_formula() -> None:
    net = layer().double()
    x, attr = X.double().requires_grad_(), ATTR.double().requires_grad_()
    upstream = torch.randn(5, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    inputs = [x, attr, *net.parameters()]
    ours = torch.autograd.grad(net(x, EDGES, attr), inputs, upstream)
    theirs = torch.autograd.grad(torch.stack(_rows(net, x, attr)), inputs, upstream[:2])
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b)


def _rows(net: VectorAttentionConv, x: Tensor, attr: Tensor) -> list[Tensor]:
    rows = []
    for i in (0, 1):
        e = (EDGES[1] == i).nonzero()[:, 0]
        delta, j = net.position(attr[e]), EDGES[0, e]
        weight = net.relation(net.query(x[i]) - net.key(x[j]) + delta).softmax(0)
        rows.append((weight * (net.value(x[j]) + delta)).sum(0))
    return rows


def test_order_of_edges_does_not_matter_and_even_weights_are_a_mean() -> None:
    net, order = layer(), torch.tensor([4, 2, 0, 3, 1])
    there = net(X, EDGES, ATTR)
    torch.testing.assert_close(net(X, EDGES[:, order], ATTR[order]), there)
    with torch.no_grad():
        net.relation[-1].weight.zero_()
        net.relation[-1].bias.zero_()
        even = net(X, EDGES, ATTR)
        values = net.value(X[EDGES[0, :3]]) + net.position(ATTR[:3])
    torch.testing.assert_close(even[0], values.mean(0))


def test_parameters_are_drawn_anew() -> None:
    net = layer()
    before = [p.clone() for p in net.parameters() if p.dim() == 2]
    net.reset_parameters()
    after = [p for p in net.parameters() if p.dim() == 2]
    assert all((a != b).any() for a, b in zip(before, after, strict=True))
    assert repr(net) == "VectorAttentionConv(6, edge_dim=3)"


def test_edge_features_that_do_not_fit() -> None:
    with pytest.raises(InputError, match="edge_attr has 3 features; .* edge_dim=None"):
        layer(None)(X, EDGES, ATTR)
    with pytest.raises(InputError, match="edge_attr has None features; .* edge_dim=3"):
        layer()(X, EDGES)
