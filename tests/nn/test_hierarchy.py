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


def deep_line(count: int = 24, seed: int = 0) -> Data:
    """A chain of nodes, two of which are a superpoint and eight a coarse one, numbers with gaps."""
    data = line(count, 2, seed)
    data.coarse = 5 * (torch.arange(count) // 8) + 1
    return data


def deep(layers: int = 5, levels: tuple[str, ...] = ("superpoint", "coarse")) -> nn.Module:
    torch.manual_seed(0)
    return build_encoder("hierarchy", 3, 2, 8, layers, levels=levels).eval()


def deep_states(net: nn.Module, data: Data) -> torch.Tensor:
    levels = [data[name] for name in net.levels]
    return net(data.x, data.edge_index, data.edge_attr, data.get("batch"), *levels)


def test_one_level_has_the_tensors_of_old_checkpoints() -> None:
    net = build_encoder("hierarchy", 3, 2, 8, 5)
    names = {name.split(".")[0] for name in net.state_dict()}
    assert names == {"node", "edge", "before", "pool", "middle", "back", "after"}
    assert [len(part) for part in (net.before, net.middle, net.after)] == [1, 3, 1]


def test_layers_of_two_levels() -> None:
    for layers, outer, top in ((1, 1, 1), (5, 1, 1), (7, 1, 3), (12, 2, 4)):
        net = deep(layers)
        parts = (net.before, net.middle, net.above.middle, net.again, net.after)
        assert [len(part) for part in parts] == [outer, outer, top, outer, outer]


def test_a_message_goes_as_far_as_levels_carry_it() -> None:
    """By the nodes 0 and 1 it reaches superpoint 0, then 1, both of coarse 0; then coarse 1, that
    is superpoints 0 to 7; then 8, that is nodes 0 to 17; then node 18."""
    data, other = deep_line(), deep_line()
    other.x[0] += 1
    net = deep()
    change = (deep_states(net, data) - deep_states(net, other)).abs().sum(1)
    assert (change[:16] > 1e-6).all() and (change[16:19] > 0).all()
    assert (change[19:] == 0).all()


def test_deep_graphs_of_a_batch_keep_apart() -> None:
    samples = [deep_line(), deep_line(10, seed=1)]
    whole = deep_states(deep(), Batch.from_data_list(samples))
    apart = torch.cat([deep_states(deep(), sample) for sample in samples])
    torch.testing.assert_close(whole, apart)


def test_gradients_reach_every_parameter_of_two_levels() -> None:
    net = deep(12)
    deep_states(net, deep_line()).square().sum().backward()
    for name, parameter in net.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name


def test_nodes_that_are_superpoints_skip_that_level() -> None:
    data = deep_line()
    found = deep_states(deep(levels=("coarse",)), data)
    data.superpoint = data.coarse
    assert torch.equal(found, states(encoder(5), data))


def test_levels_that_cannot_be() -> None:
    for levels in ((), ("coarse", "superpoint"), ("superpoint", "superpoint"), ("voxel",)):
        with pytest.raises(InputError, match="give one or more of superpoint, coarse, in this"):
            deep(levels=levels)
    data = deep_line()
    data.coarse = torch.arange(24) // 3
    with pytest.raises(InputError, match="a part of one level is in several of the next"):
        deep_states(deep(), data)
    model = InfluencerSegmenter(
        in_channels=3, edge_channels=2, encoder="hierarchy", levels=["superpoint", "coarse"]
    )
    assert model(deep_line()).follower.shape == (24, 8)
    with pytest.raises(InputError, match=r"with `coarse`; set data\.graph\.coarse to the least"):
        model(line())
