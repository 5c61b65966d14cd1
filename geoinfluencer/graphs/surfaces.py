"""Which detector surfaces follow one another along a particle's way out."""

from __future__ import annotations

import numpy as np


def surface_successions(
    r: np.ndarray,  # (N,) mm
    z: np.ndarray,  # (N,) mm
    surface: np.ndarray,  # (N,) surface number of each hit
    *,
    max_skip: int = 1,
    z0_max: float = 200.0,
    margin: float = 5.0,
) -> list[tuple[int, int]]:
    """Ordered pairs of surfaces (inner, outer) between which doublets are looked for.

    Each surface is taken as a cylinder or a disc from the extent of its hits. Straight rays from
    the beam line cross the surfaces in some order; (A, B) is a succession when on some ray at most
    ``max_skip`` surfaces lie between A and B. No detector description is needed.

    Args:
        r, z: Cylindrical coordinates of the hits [mm].
        surface: Surface number of each hit.
        max_skip: Surfaces a particle may leave no hit on, between two hits of a doublet.
        z0_max: Half length of the beam line the rays start from [mm].
        margin: Surfaces are enlarged by this much, for rays that graze an edge [mm].
    """
    numbers = np.unique(surface)
    order = np.argsort(surface, kind="stable")
    starts = np.searchsorted(surface[order], numbers)
    r_low, r_high = np.minimum.reduceat(r[order], starts), np.maximum.reduceat(r[order], starts)
    z_low, z_high = np.minimum.reduceat(z[order], starts), np.maximum.reduceat(z[order], starts)
    if np.ptp(z) == 0:  # a plane: rings follow one another by their radius
        ranked = numbers[np.argsort(r_low + r_high, kind="stable")].tolist()
        steps = range(1, max_skip + 2)
        return sorted((a, b) for s in steps for a, b in zip(ranked, ranked[s:], strict=False))
    is_cylinder = (r_high - r_low) <= (z_high - z_low)
    r_mid, z_mid = (r_low + r_high) / 2, (z_low + z_high) / 2

    slope = np.sinh(np.linspace(-5.0, 5.0, 401))  # cot(theta) of the rays, |eta| <= 5
    slope, z0 = (a.ravel() for a in np.meshgrid(slope, np.linspace(-z0_max, z0_max, 5)))
    with np.errstate(divide="ignore", invalid="ignore"):
        r_cross = np.where(is_cylinder, r_mid, (z_mid - z0[:, None]) / slope[:, None])  # (rays, S)
    z_cross = np.where(is_cylinder, z0[:, None] + slope[:, None] * r_mid, z_mid)
    crossed = (
        np.isfinite(r_cross)
        & (r_cross > 0)
        & (r_cross >= r_low - margin)
        & (r_cross <= r_high + margin)
        & (z_cross >= z_low - margin)
        & (z_cross <= z_high + margin)
    )
    r_cross = np.where(crossed, r_cross, np.inf)
    ranks = np.argsort(r_cross, axis=1)  # surfaces in the order a ray meets them
    met = np.take_along_axis(crossed, ranks, axis=1)
    found: set[tuple[int, int]] = set()
    for step in range(1, max_skip + 2):
        both = met[:, step:] & met[:, :-step]
        inner, outer = ranks[:, :-step][both], ranks[:, step:][both]
        found.update(zip(inner.tolist(), outer.tolist(), strict=True))
    return sorted((int(numbers[a]), int(numbers[b])) for a, b in found)
