"""Doublets that share a hit and continue one another: a third hit confirms a doublet."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np


@dataclass(frozen=True)
class Continuations:
    """What the triplets say about each doublet, outwards and inwards."""

    count: np.ndarray  # (E, 2) number of compatible continuations: outer end, inner end
    distance: (
        np.ndarray
    )  # (E, 2) smallest mismatch in units of the tolerance; 1 where there is none
    delta: (
        np.ndarray
    )  # (E, 4) (curvature, eta) of the best outer, then inner continuation minus own


def find_continuations(
    edge_index: np.ndarray,  # (2, E)
    curvature: np.ndarray,  # (E,)
    eta: np.ndarray,  # (E,)
    num_nodes: int,
    *,
    curvature_tolerance: float,
    eta_tolerance: float,
    chunk: int = 4_000_000,
) -> Continuations:
    r"""For every doublet the compatible doublets that start where it ends, and the reverse.

    Two doublets (i, j), (j, k) are compatible when
    :math:`(\Delta\kappa / t_\kappa)^2 + (\Delta\eta / t_\eta)^2 < 1`.

    Args:
        edge_index: Doublets (inner, outer).
        curvature, eta: Their helix parameters [1/mm], [1].
        num_nodes: Number of hits N.
        curvature_tolerance: :math:`t_\kappa` [1/mm].
        eta_tolerance: :math:`t_\eta` [1].
        chunk: Triplet candidates looked at in one block (bounds the memory).
    """
    inner, outer = edge_index
    num_edges = inner.shape[0]
    count = np.zeros((num_edges, 2), np.int32)
    distance = np.ones((num_edges, 2), np.float32)
    delta = np.zeros((num_edges, 4), np.float32)
    if num_edges == 0:
        return Continuations(count, distance, delta)
    # doublets sorted by (inner hit, eta): those that continue a doublet within the eta tolerance
    # are then one slice, found by bisection on the combined key
    order = np.lexsort((eta, inner))
    eta_low = float(eta.min()) - 2 * eta_tolerance
    stride = float(eta.max()) - eta_low + 4 * eta_tolerance
    key = inner[order] * stride + (eta[order] - eta_low)
    low = np.searchsorted(key, outer * stride + (eta - eta_tolerance - eta_low))
    high = np.searchsorted(key, outer * stride + (eta + eta_tolerance - eta_low), side="right")
    num_candidates = high - low
    bounds = np.searchsorted(
        np.cumsum(num_candidates), np.arange(0, num_candidates.sum() + chunk, chunk)
    )
    edges = np.unique(np.concatenate([[0], bounds, [num_edges]]))
    best: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    for start, stop in pairwise(edges.tolist()):
        n = num_candidates[start:stop]
        first = np.repeat(np.arange(start, stop), n)
        offset = np.arange(n.sum()) - np.repeat(np.cumsum(n) - n, n)
        second = order[np.repeat(low[start:stop], n) + offset]
        mismatch = ((curvature[second] - curvature[first]) / curvature_tolerance) ** 2
        mismatch += ((eta[second] - eta[first]) / eta_tolerance) ** 2
        good = mismatch < 1
        best.append((first[good], second[good], np.sqrt(mismatch[good])))
    first, second, mismatch = (np.concatenate(part) for part in zip(*best, strict=True))
    for side, (own, other) in enumerate(((first, second), (second, first))):
        count[:, side] = np.bincount(own, minlength=num_edges)
        rank = np.lexsort((other, mismatch, own))  # best first within each doublet, ties by index
        own, other, quality = own[rank], other[rank], mismatch[rank]
        is_best = np.ones(own.shape[0], bool)
        is_best[1:] = own[1:] != own[:-1]
        own, other = own[is_best], other[is_best]
        distance[own, side] = quality[is_best]
        delta[own, 2 * side] = curvature[other] - curvature[own]
        delta[own, 2 * side + 1] = eta[other] - eta[own]
    return Continuations(count, distance, delta)
