"""Pairs of hits that one particle from the beam line could have left."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_BLOCK = 1_000_000  # candidates tested at once (bounds the memory)
_STRAIGHT = 1e-9  # curvature below which a track is a straight line [1/mm]


@dataclass(frozen=True)
class Helix:
    """Parameters of the helix through the beam axis and both hits of each doublet."""

    curvature: np.ndarray  # (E,) signed, 1/mm
    cot_theta: np.ndarray  # (E,) dz/ds
    z0: np.ndarray  # (E,) z on the beam axis, mm
    phi0: np.ndarray  # (E,) direction at the beam axis, rad
    length: np.ndarray  # (E,) transverse arc between the hits, mm


def helix_through_origin(pos: np.ndarray, edge_index: np.ndarray) -> Helix:
    r"""Helix parameters of doublets, from the circle through the beam axis and two points.

    .. math:: \kappa = \frac{2 \sin(\phi_j - \phi_i)}{|t_j - t_i|}, \quad
              s = \frac{2}{\kappa} \arcsin \frac{\kappa r}{2}, \quad
              \cot\theta = \frac{z_j - z_i}{s_j - s_i}, \quad z_0 = z_i - s_i \cot\theta

    Args:
        pos: (N, 2) or (N, 3) hit positions [mm]; without z all z-parameters are 0.
        edge_index: (2, E) inner and outer hit.
    """
    inner, outer = edge_index
    x, y = pos[:, 0].astype(np.float64), pos[:, 1].astype(np.float64)
    r = np.hypot(x, y)
    chord = np.hypot(x[outer] - x[inner], y[outer] - y[inner])
    sine = (x[inner] * y[outer] - y[inner] * x[outer]) / np.maximum(r[inner] * r[outer], 1e-12)
    curvature = 2.0 * sine / np.maximum(chord, 1e-6)
    magnitude = np.maximum(np.abs(curvature), _STRAIGHT)
    half_inner = np.arcsin(np.clip(magnitude * r[inner] / 2, 0, 1))
    half_outer = np.arcsin(np.clip(magnitude * r[outer] / 2, 0, 1))
    arc_inner = 2 / magnitude * half_inner
    length = 2 / magnitude * half_outer - arc_inner
    phi0 = np.arctan2(y[inner], x[inner]) - np.sign(curvature) * half_inner
    if pos.shape[1] > 2:
        z = pos[:, 2].astype(np.float64)
        cot_theta = (z[outer] - z[inner]) / np.maximum(length, 1e-3)
        z0 = z[inner] - arc_inner * cot_theta
    else:
        cot_theta = z0 = np.zeros_like(curvature)
    return Helix(curvature, cot_theta, z0, phi0, length)


def find_doublets(
    pos: np.ndarray,  # (N, 2|3) mm
    surface: np.ndarray,  # (N,)
    successions: list[tuple[int, int]],
    *,
    curvature_max: float,
    z0_max: float,
) -> np.ndarray:  # (2, E) int64
    """All pairs (inner, outer) on succeeding surfaces that pass the helix cuts; none is dropped.

    Per pair of surfaces the outer hits are sorted in phi and each inner hit takes a window whose
    half width is the largest turn the curvature cut allows, so the work is O(candidates).

    Args:
        pos: Hit positions [mm].
        surface: Surface number of each hit.
        successions: Pairs of surfaces, from :func:`surface_successions`.
        curvature_max: Largest absolute curvature [1/mm]; 0.0006 / pT[GeV] in a 2 T field.
        z0_max: Largest distance from the origin along the beam at closest approach [mm].
    """
    phi = np.arctan2(pos[:, 1], pos[:, 0]).astype(np.float64)
    r = np.hypot(pos[:, 0], pos[:, 1]).astype(np.float64)
    order = np.lexsort((phi, surface))
    numbers, starts = np.unique(surface[order], return_index=True)
    members = dict(zip(numbers.tolist(), np.split(order, starts[1:]), strict=True))
    found: list[np.ndarray] = []
    waiting: list[np.ndarray] = []  # candidates whose helix is not computed yet
    for a, b in successions:
        inner, outer = members[a], members[b]
        reach = np.maximum(r[outer].max() - r[inner], 1.0)
        # a chord is longer than the radial step; 1.05 covers the turn, 1e-3 rad the smearing
        window = np.arcsin(np.minimum(curvature_max * reach * 1.05 / 2, 1)) + 1e-3
        ring = np.concatenate([phi[outer] - 2 * np.pi, phi[outer], phi[outer] + 2 * np.pi])
        low = np.searchsorted(ring, phi[inner] - window)
        count = np.searchsorted(ring, phi[inner] + window) - low
        start = np.repeat(low - (np.cumsum(count) - count), count)
        first = np.repeat(inner, count)
        second = outer[(start + np.arange(len(start))) % len(outer)]
        waiting.append(np.stack([first, second]))
        if sum(part.shape[1] for part in waiting) > _BLOCK:
            found.append(_passing(pos, r, np.concatenate(waiting, axis=1), curvature_max, z0_max))
            waiting = []
    if waiting:
        found.append(_passing(pos, r, np.concatenate(waiting, axis=1), curvature_max, z0_max))
    return np.concatenate(found, axis=1) if found else np.empty((2, 0), np.int64)


def _passing(
    pos: np.ndarray, r: np.ndarray, pair: np.ndarray, curvature_max: float, z0_max: float
) -> np.ndarray:
    """The candidates (2, P) that pass the cuts; a straight-line z0 rejects most of them cheaply."""
    inner, outer = pair
    pair = pair[:, r[outer] > r[inner]]
    if pos.shape[1] == 3:
        inner, outer = pair
        # |z0| <= z0_max, multiplied out; arcs differ from radii by percents at most
        z0_reach = 1.1 * z0_max * (r[outer] - r[inner])
        near = np.abs(pos[inner, 2] * r[outer] - pos[outer, 2] * r[inner]) <= z0_reach
        pair = pair[:, near]
    helix = helix_through_origin(pos, pair)
    good = (np.abs(helix.curvature) <= curvature_max) & (np.abs(helix.z0) <= z0_max)
    return pair[:, good]
