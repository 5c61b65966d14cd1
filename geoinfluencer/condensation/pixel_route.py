"""The graph of some pixels and the longest of the shortest ways through it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components, dijkstra, minimum_spanning_tree
from scipy.spatial import cKDTree


@dataclass(frozen=True)
class LinkedPixels:
    """Pixels and the lengths of the links between them.

    Attributes:
        points: (n, 2).
        graph: (n, n), symmetric.
    """

    points: np.ndarray
    graph: csr_array

    def only(self, kept: np.ndarray) -> LinkedPixels:
        """The part on some of the pixels; ``kept`` (n,) bool."""
        chosen = np.flatnonzero(kept)
        return LinkedPixels(self.points[chosen], self.graph[chosen][:, chosen])

    def largest_part(self) -> LinkedPixels:
        """The connected part with most pixels."""
        count, part = connected_components(self.graph, directed=False)
        if count == 1:
            return self
        return self.only(part == np.argmax(np.bincount(part)))


def link_pixels(points: np.ndarray, reach: float, max_gap: float) -> LinkedPixels:
    """Links all pixels within ``reach``, and connected parts by the shortest links that make one
    part of those which gaps of at most ``max_gap`` separate.

    Args:
        points: pixel centres, each once.
        reach: distance up to which all are linked.
        max_gap: longest link between parts.

    Shapes:
        points (n, 2), n >= 1.
    """
    tree = cKDTree(points)
    pairs = tree.query_pairs(reach, output_type="ndarray")
    linked = _linked(points, pairs)
    # Pixels with all eight neighbours lie inside and end no link between parts.
    border = np.flatnonzero(np.bincount(pairs.reshape(-1), minlength=len(points)) < 8)
    rim = cKDTree(points[border]) if len(border) else tree
    radius = reach
    while radius < max_gap:
        count, part = connected_components(linked.graph, directed=False)
        if count == 1:
            break
        radius = min(2 * radius, max_gap)
        wide = border[rim.query_pairs(radius, output_type="ndarray")]
        wide = wide[part[wide[:, 0]] != part[wide[:, 1]]]
        pairs = np.concatenate([pairs, _bridges(points, part, wide, count)])
        linked = _linked(points, pairs)
    return linked


def longest_route(graph: csr_array) -> np.ndarray:
    """(L,) pixels of a connected graph on the shortest way between two that are about as far from
    each other as any: one farthest from some pixel, and one farthest from that."""
    start = int(np.argmax(dijkstra(graph, directed=False, indices=0)))
    far, before = dijkstra(graph, directed=False, indices=start, return_predecessors=True)
    way = _ancestors(before, int(np.argmax(far)))
    return way[np.argsort(far[way], kind="stable")]


def _linked(points: np.ndarray, pairs: np.ndarray) -> LinkedPixels:
    length = np.linalg.norm(points[pairs[:, 0]] - points[pairs[:, 1]], axis=1)
    both = np.concatenate([pairs, pairs[:, ::-1]])
    shape = (len(points), len(points))
    graph = coo_array((np.concatenate([length, length]), (both[:, 0], both[:, 1])), shape=shape)
    return LinkedPixels(points, csr_array(graph))


def _bridges(points: np.ndarray, part: np.ndarray, wide: np.ndarray, count: int) -> np.ndarray:
    """(B, 2) of the pairs those that span the parts at the least length."""
    length = np.linalg.norm(points[wide[:, 0]] - points[wide[:, 1]], axis=1)
    ends = np.sort(part[wide].astype(np.int64), axis=1)
    key = ends[:, 0] * count + ends[:, 1]
    order = np.lexsort((length, key))
    keys, first = np.unique(key[order], return_index=True)
    best = order[first]
    parts = coo_array((length[best], (ends[best, 0], ends[best, 1])), shape=(count, count))
    tree = minimum_spanning_tree(csr_array(parts)).tocoo()
    chosen = tree.row.astype(np.int64) * count + tree.col
    return wide[best[np.searchsorted(keys, chosen)]]


def _ancestors(before: np.ndarray, node: int) -> np.ndarray:
    """All pixels on the way from ``node`` to the root of a tree; ``before`` (n,) is the parent,
    negative at the root. Doubles the stretch it knows in every round."""
    jump = np.where(before < 0, np.arange(len(before)), before)
    known = np.array([node])
    while True:
        more = np.union1d(known, jump[known])
        if len(more) == len(known):
            return known
        known, jump = more, jump[jump]
