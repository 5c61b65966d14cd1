"""A sample as a networkx graph, for the algorithms and the drawing that live there."""

from __future__ import annotations

from typing import Any

import torch
from torch_geometric.data import Data

from geoinfluencer.errors import InputError


def to_networkx(data: Data) -> Any:
    """The graph of one sample as ``networkx.Graph``, each edge once.

    Nodes 0..N-1 have as attributes what the sample has a value of for each node (``pos``, ``x``,
    ``instance``, ``y``, ``ignore``, ``mass`` ...), edges the row ``edge_attr``: numbers, and lists
    where there are several. An edge that the sample has in both directions has the attributes of
    the first one.

    Raises:
        InputError: networkx is not installed, or the sample has no edges.
    """
    try:
        import networkx
    except ImportError as error:
        raise InputError("to_networkx needs networkx: pip install networkx") from error
    if data.get("edge_index") is None:
        raise InputError("to_networkx: the sample has no edge_index; build its graph first")
    count, edges = int(data.num_nodes), data.edge_index
    columns = {
        key: value.tolist()
        for key, value in data.to_dict().items()
        if isinstance(value, torch.Tensor)
        and key not in ("edge_index", "edge_attr", "segment_map", "image_size")
        and value.dim() > 0
        and value.shape[0] == count
    }
    graph = networkx.Graph()
    graph.add_nodes_from(
        (node, {key: values[node] for key, values in columns.items()}) for node in range(count)
    )
    attr = data.get("edge_attr")
    rows = [{}] * edges.shape[1] if attr is None else [{"edge_attr": row} for row in attr.tolist()]
    pairs = edges.T.tolist()
    # the first of both directions is the last to be written
    graph.add_edges_from(
        (pair[0], pair[1], row) for pair, row in zip(reversed(pairs), reversed(rows), strict=True)
    )
    return graph
