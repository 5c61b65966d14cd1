"""Parts of graphs."""

from __future__ import annotations

import torch
from torch_geometric.data import Data

from geoinfluencer.graphs.crop import consecutive, crop_nodes


def ring(instance: list[int] | None) -> Data:
    """Six nodes, each with an edge to the next."""
    node = torch.arange(6)
    data = Data(
        pos=node[:, None].float(),
        edge_index=torch.stack([node, (node + 1) % 6]),
        edge_attr=10.0 * node[:, None],
    )
    if instance is not None:
        data.instance = torch.tensor(instance)
    return data


def test_cropping_keeps_the_edges_inside() -> None:
    part = crop_nodes(ring(None), torch.tensor([True, True, True, False, False, True]))
    assert part.pos.flatten().tolist() == [0, 1, 2, 5]
    assert part.edge_index.tolist() == [[0, 1, 3], [1, 2, 0]]
    assert part.edge_attr.flatten().tolist() == [0, 10, 50]
    assert "instance" not in part


def test_cropping_numbers_the_instances_that_are_left() -> None:
    data = ring([0, 3, -1, 2, 3, 1])
    part = crop_nodes(data, torch.tensor([False, True, True, True, True, False]))
    assert part.instance.tolist() == [1, -1, 0, 1]
    assert data.instance.tolist() == [0, 3, -1, 2, 3, 1]
    assert crop_nodes(data, torch.zeros(6, dtype=torch.bool)).instance.shape == (0,)


def test_consecutive_keeps_the_order() -> None:
    assert consecutive(torch.tensor([7, 2, 7, 9])).tolist() == [1, 0, 1, 2]
    assert consecutive(torch.tensor([-1, 4, -1])).tolist() == [-1, 0, -1]
    assert consecutive(torch.tensor([], dtype=torch.long)).tolist() == []
