"""The data contract: what one graph sample holds, checked once at the boundary."""

from __future__ import annotations

import torch
from torch import Tensor
from torch_geometric.data import Data

from geoinfluencer.errors import InputError

# field -> (required, dimensions, dtype kind: "f" floating, "i" int64, "b" bool, aligned with nodes)
_FIELDS: dict[str, tuple[bool, int, str]] = {
    "pos": (True, 2, "f"),  # (N, d) coordinates, in the dataset's stated unit
    "x": (True, 2, "f"),  # (N, F) node features
    "instance": (False, 1, "i"),  # (N,) 0..K-1, -1 = noise/background
    "y": (False, 1, "i"),  # (N,) class, -1 = void
    "ignore": (False, 1, "b"),  # (N,) True: neither attracts nor repels, nor counts
    "weight": (False, 1, "f"),  # (N,) loss weight
    "mass": (False, 1, "f"),  # (N,) raw points or pixels that the node stands for
    "node_id": (False, 1, "i"),  # (N,) the raw sample's own id (hit_id, point row, ...)
}


def validate_sample(data: Data, source: str = "sample") -> Data:
    """Check one graph sample against the contract of ``docs/architecture.md`` and return it.

    Args:
        data: The sample.
        source: What to call it in an error (file, event, dataset and index).

    Raises:
        InputError: A field is missing, has another shape, dtype or length, holds values that are
            not finite, or an index points outside the graph.
    """
    if not isinstance(data, Data):
        raise InputError(
            f"{source}: a sample must be a torch_geometric.data.Data, got {type(data).__name__}"
        )
    if data.get("pos") is None:
        raise InputError(f"{source}: `pos` (N, d) is missing; every sample needs coordinates")
    num_nodes = int(data.pos.shape[0])
    for name, (required, dims, kind) in _FIELDS.items():
        value = data.get(name)
        if value is None:
            if required:
                raise InputError(f"{source}: `{name}` is missing from the sample")
            continue
        _check_field(source, name, value, dims, kind, num_nodes)
    edge_index = data.get("edge_index")
    if edge_index is None:
        raise InputError(f"{source}: `edge_index` (2, E) is missing; use an empty one for no edges")
    _check_edges(source, edge_index, data.get("edge_attr"), num_nodes)
    return data


def _check_field(
    source: str, name: str, value: object, dims: int, kind: str, num_nodes: int
) -> None:
    if not isinstance(value, Tensor):
        raise InputError(f"{source}: `{name}` must be a tensor, got {type(value).__name__}")
    if value.dim() != dims or value.shape[0] != num_nodes:
        raise InputError(
            f"{source}: `{name}` has shape {tuple(value.shape)}; expected {dims} dimension(s) and "
            f"{num_nodes} rows as in `pos`"
        )
    good = {
        "f": value.is_floating_point(),
        "i": value.dtype == torch.int64,
        "b": value.dtype == torch.bool,
    }[kind]
    if not good:
        want = {"f": "floating point", "i": "int64", "b": "bool"}[kind]
        raise InputError(f"{source}: `{name}` is {value.dtype}; expected {want}")
    if kind == "f" and not bool(torch.isfinite(value).all()):
        bad = int((~torch.isfinite(value)).sum())
        raise InputError(
            f"{source}: `{name}` holds {bad} NaN or infinite value(s); clean the input"
        )
    if name in ("instance", "y") and num_nodes and int(value.min()) < -1:
        raise InputError(
            f"{source}: `{name}` holds {int(value.min())}; use -1 for none and 0.. for ids"
        )


def _check_edges(source: str, edge_index: Tensor, edge_attr: Tensor | None, num_nodes: int) -> None:
    if edge_index.dim() != 2 or edge_index.shape[0] != 2 or edge_index.dtype != torch.int64:
        raise InputError(
            f"{source}: `edge_index` has shape {tuple(edge_index.shape)} and dtype "
            f"{edge_index.dtype}; expected (2, E) int64"
        )
    if edge_index.numel():
        low, high = int(edge_index.min()), int(edge_index.max())
        if low < 0 or high >= num_nodes:
            raise InputError(
                f"{source}: `edge_index` holds {low if low < 0 else high}, outside the graph's "
                f"{num_nodes} nodes"
            )
    if edge_attr is not None:
        if edge_attr.dim() != 2 or edge_attr.shape[0] != edge_index.shape[1]:
            raise InputError(
                f"{source}: `edge_attr` has shape {tuple(edge_attr.shape)}; expected "
                f"({edge_index.shape[1]}, A)"
            )
        if not bool(torch.isfinite(edge_attr).all()):
            raise InputError(f"{source}: `edge_attr` holds NaN or infinite values; clean the input")
