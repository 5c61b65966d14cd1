from __future__ import annotations

import pytest
import torch
from torch import nn
from torch_geometric.data import Batch, Data

from geoinfluencer.errors import InputError
from geoinfluencer.models.segmenter import InfluencerSegmenter
from geoinfluencer.nn.encoders import build_encoder
from geoinfluencer.nn.hierarchy import superpoint_edges, superpoint_numbers


def line(count: int = 12, size: int = 4, seed: int = 0) -> Data:
    """A chain of nodes, ``size`` of which are a superpoint; numbers with gaps, as after a crop."""
    rng = torch.Generator().manual_seed(seed)
    one = torch.arange(count - 1)
    return Data(
        x=torch.randn(count, 3, generator=rng),
        pos=torch.zeros(count, 3),
        edge_index=torch.stack([one, one + 1]),
        edge_attr=torch.randn(count - 1, 2, generator=rng),
        superpoint=3 * (torch.arange(count) // size) + 2,
    )


def encoder(layers: int = 3) -> nn.Module:
    torch.manual_seed(0)
    return build_encoder("hierarchy", 3, 2, 8, layers).eval()


def states(net: nn.Module, data: Data) -> torch.Tensor:
    batch = data.get("batch")
    return net(data.x, data.edge_index, data.edge_attr, batch, data.superpoint)


def test_coarse_edges_are_the_pairs_that_edges_cross() -> None:
    data = line()
    member, count = superpoint_numbers(data.superpoint, None)
    assert count == 3 and member.tolist() == [0] * 4 + [1] * 4 + [2] * 4
    edges = torch.tensor([[0, 3, 4, 4, 8, 2], [1, 4, 3, 2, 5, 5]])
    links, link, between = superpoint_edges(member, edges)
    assert links.T.tolist() == [[0, 1], [1, 0], [2, 1]]
    assert between.tolist() == [1, 2, 3, 4, 5] and link.tolist() == [0, 1, 1, 2, 0]


def test_a_message_crosses_superpoints_in_few_layers() -> None:
    """Three layers: one on nodes, one on superpoints, one on nodes."""
    data, other = line(), line()
    other.x[0] += 1
    change = (states(encoder(), data) - states(encoder(), other)).abs().sum(1)
    assert (change[:8] > 1e-5).all()  # the next superpoint, through the coarse edge
    assert change[8] > 1e-7 and (change[9:] == 0).all()  # one further by the last layer, no more
    plain = build_encoder("interaction", 3, 2, 8, 3).eval()
    reach = (
        (
            plain(data.x, data.edge_index, data.edge_attr)
            - plain(other.x, other.edge_index, other.edge_attr)
        )
        .abs()
        .sum(1)
    )
    assert (reach[4:] == 0).all()


def test_graphs_of_a_batch_keep_apart() -> None:
    samples = [line(), line(7, 2, seed=1)]
    whole = states(encoder(), Batch.from_data_list(samples))
    apart = torch.cat([states(encoder(), sample) for sample in samples])
    torch.testing.assert_close(whole, apart)


def test_one_superpoint_and_superpoints_of_one_node() -> None:
    data = line()
    for superpoint in (torch.zeros(12, dtype=torch.long), torch.arange(12)):
        data.superpoint = superpoint
        found = states(encoder(), data)
        assert found.shape == (12, 8) and found.isfinite().all()


def test_gradients_reach_every_parameter() -> None:
    net = encoder(5)
    states(net, line()).square().sum().backward()
    for name, parameter in net.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name


def test_a_model_reads_it_from_the_sample_and_says_what_is_missing() -> None:
    model = InfluencerSegmenter(in_channels=3, edge_channels=2, encoder="hierarchy")
    data = line()
    assert model(data).follower.shape == (12, 8)
    del data.superpoint
    with pytest.raises(InputError, match=r"hierarchy needs .* set data\.graph\.superpoints"):
        model(data)
