"""Segments of a graph whose nodes differ less inside than from their neighbours."""

from __future__ import annotations

import torch
from torch import Tensor

from geoinfluencer.errors import InputError
from geoinfluencer.ops import library, native, reference

_MOST = 2**31 - 1  # nodes, edges: csrc/cpu/felzenszwalb.cpp


def felzenszwalb(
    edge_index: Tensor,  # (2, E)
    weight: Tensor,  # (E,)
    num_nodes: int,
    *,
    scale: float,
    min_size: int = 1,
) -> Tensor:
    r"""Greedy segmentation of a graph (`Felzenszwalb and Huttenlocher, IJCV 2004
    <https://doi.org/10.1023/B:VISI.0000022288.19776.77>`_): superpoints of a neighbour graph,
    regions of a pixel graph.

    Edges are taken in the order of their weights, equal ones as given; one joins the segments a and
    b of its ends where

    .. math:: w \le \min\left(I_a + \frac{s}{n_a},\ I_b + \frac{s}{n_b}\right)

    with n the nodes of a segment and I the greatest weight that joined it, 0 of a single node.
    Then, in that order again, an edge joins two segments one of which is too small. Edges never
    cross graphs, so batches need no pointers. The same for any number of threads.

    Args:
        edge_index: undirected edges, each once or in both directions.
        weight: how unlike the two ends are, at least 0, in any unit; reckoned in float32.
        num_nodes: N.
        scale: s, in units of the weight: large values make large segments.
        min_size: nodes; a segment without edges to others may stay smaller. (default: 1)

    Shapes:
        edge_index (2, E), weight (E,) -> (N,) int64, segments 0.. by their first node.

    Raises:
        InputError: shape, dtype, device or values that do not fit.
    """
    _check(edge_index, weight, num_nodes)
    if not 0 <= scale < float("inf"):
        raise InputError(f"scale must be finite and not negative, got {scale}")
    if min_size < 0:
        raise InputError(f"min_size must not be negative, got {min_size}")
    label: Tensor = torch.ops.geoinfluencer.felzenszwalb(
        edge_index, weight.detach().float(), num_nodes, float(scale), min(min_size, _MOST)
    )
    return label


def _check(edge_index: Tensor, weight: Tensor, num_nodes: int) -> None:
    if edge_index.dim() != 2 or edge_index.shape[0] != 2 or edge_index.dtype != torch.int64:
        raise InputError(
            f"edge_index is {tuple(edge_index.shape)} {edge_index.dtype}; expected (2, E) int64"
        )
    if weight.shape != edge_index.shape[1:] or not weight.is_floating_point():
        raise InputError(
            f"weight is {tuple(weight.shape)} {weight.dtype}; expected ({edge_index.shape[1]},) "
            "floating point, one for each edge"
        )
    for name, tensor in (("edge_index", edge_index), ("weight", weight)):
        if tensor.device.type != "cpu":
            raise InputError(f"{name} is on {tensor.device}; segments are made on the CPU")
    if not 0 <= num_nodes <= _MOST or edge_index.shape[1] > _MOST:
        raise InputError(f"num_nodes is {num_nodes}; nodes and edges must be fewer than 2^31")
    if edge_index.numel() and not 0 <= int(edge_index.min()) <= int(edge_index.max()) < num_nodes:
        raise InputError(
            f"edge_index has entries from {int(edge_index.min())} to {int(edge_index.max())}; "
            f"expected 0 to num_nodes - 1 = {num_nodes - 1}"
        )
    if not bool((torch.isfinite(weight) & (weight >= 0)).all()):
        raise InputError("weight holds negative, NaN or infinite values; it must be a difference")


def _felzenszwalb(
    edge_index: Tensor, weight: Tensor, num_nodes: int, scale: float, min_size: int
) -> Tensor:
    kernels = native.cpu_library(weight)
    if kernels is None:
        return reference.felzenszwalb(edge_index, weight, num_nodes, scale, min_size)
    label = torch.empty(num_nodes, dtype=torch.int64)
    count = torch.empty(1, dtype=torch.int64)
    start, end = edge_index.contiguous()
    native.call(
        kernels, "geo_felzenszwalb", None, start, end, weight.contiguous(), weight.shape[0],
        num_nodes, scale, min_size, native.threads(), label, count,
    )  # fmt: skip
    return label


def _fake(
    edge_index: Tensor, weight: Tensor, num_nodes: int, scale: float, min_size: int
) -> Tensor:
    return edge_index.new_empty(num_nodes)


library.define(
    "felzenszwalb(Tensor edge_index, Tensor weight, SymInt num_nodes, float scale, int min_size) "
    "-> Tensor",
    _felzenszwalb,
    _fake,
)
