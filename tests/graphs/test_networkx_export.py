"""Samples as graphs for networkx."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch_geometric.data import Data

from geoinfluencer.errors import InputError
from geoinfluencer.graphs.images import image_to_graph
from geoinfluencer.graphs.networkx_export import to_networkx


def test_a_graph_for_networkx() -> None:
    networkx = pytest.importorskip("networkx")
    image = np.random.default_rng(0).integers(0, 256, (30, 40, 3), np.uint8)
    data = image_to_graph(image, "grid", stride=10, both_directions=True)
    graph = to_networkx(data)
    assert graph.number_of_nodes() == 12 and graph.number_of_edges() == data.num_edges // 2 == 17
    assert networkx.shortest_path_length(graph, 0, 11) == 5
    assert graph.nodes[0]["pos"] == [4.5, 4.5] and graph.nodes[3]["mass"] == 100
    one, other = data.edge_index[:, 0].tolist()
    assert graph.edges[one, other]["edge_attr"] == data.edge_attr[0].tolist()
    assert "segment_map" not in graph.nodes[0]


def test_edges_without_attributes_and_no_edges() -> None:
    pytest.importorskip("networkx")
    edges = torch.tensor([[0, 1], [1, 2]])
    graph = to_networkx(Data(edge_index=edges, num_nodes=3))
    assert sorted(graph.edges) == [(0, 1), (1, 2)]
    with pytest.raises(InputError, match="has no edge_index"):
        to_networkx(Data(pos=torch.zeros(2, 2)))
