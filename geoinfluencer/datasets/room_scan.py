"""What scanners see of a surface: occlusion, density, noise."""

from __future__ import annotations

import numpy as np

_TYPICAL = 2.5  # metres from scanner to surface, for which the pixels are chosen
_RANGE = 4.0  # metres that depth cameras see
_STEEPEST = 0.45  # sine of the elevation up to which they are held


def seen_weight(
    pos: np.ndarray,  # (N, 3) m
    normal: np.ndarray,  # (N, 3)
    stations: np.ndarray,  # (S, 3) m
    spacing: float,
) -> np.ndarray:  # (N,)
    r"""How densely every point is scanned: 0 where no station sees it.

    .. math:: w_i = \sum_s \mathrm{visible}_{is}\,
        \frac{0.3 + 0.7 \cos\theta_{is}}{1 + (d_{is} / 3\,\mathrm{m})^2}

    A point is visible when it is not behind the nearest one of its pixel, or of one beside it, on
    the sphere about the station by more than the depth of its own surface there. The pixels beside
    close the holes between the points of what is near.

    Args:
        pos: points dense enough to hide what is behind them.
        normal: of their surfaces, of length 1.
        stations: scan positions.
        spacing: mean distance of neighbouring points, which sets the size of the pixels.
    """
    weight = np.zeros(len(pos))
    for station in stations:
        visible, distance, cos = _visible(pos, normal, station, spacing)
        weight += visible * (0.3 + 0.7 * cos) / (1 + (distance / 3.0) ** 2)
    return weight


def fused_weight(
    pos: np.ndarray,  # (N, 3) m
    normal: np.ndarray,  # (N, 3)
    path: np.ndarray,  # (S, 3) m
    spacing: float,
) -> np.ndarray:  # (N,)
    """1 where a depth camera carried along ``path`` sees a point, else 0.

    Depths are fused into one surface of even density, whatever the distance. Cameras see no
    further than 4 m, are held at the furniture, so that what is steeply above is left out, and
    lose surfaces that they look along. Arguments as of :func:`seen_weight`.
    """
    seen = np.zeros(len(pos), bool)
    for station in path:
        visible, distance, cos = _visible(pos, normal, station, spacing)
        above = pos[:, 2] - station[2] > _STEEPEST * distance
        seen |= visible & (distance < _RANGE) & (cos > 0.1) & ~above
    return seen.astype(np.float64)


def _visible(
    pos: np.ndarray, normal: np.ndarray, station: np.ndarray, spacing: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Whether nothing is in front of a point, its distance, and the cosine at its surface: (N,)."""
    pixel = np.deg2rad(np.clip(np.rad2deg(2.2 * spacing / _TYPICAL), 0.5, 3.0))
    columns, rows = int(np.ceil(2 * np.pi / pixel)), int(np.ceil(np.pi / pixel))
    ray = (pos - station).astype(np.float32)
    distance = np.sqrt(np.einsum("ij,ij->i", ray, ray)) + np.float32(1e-6)
    azimuth = np.arctan2(ray[:, 1], ray[:, 0]) + np.float32(np.pi)
    polar = np.arccos(np.clip(ray[:, 2] / distance, -1, 1))
    column = np.minimum((azimuth / pixel).astype(np.int32), columns - 1)
    cell = column + columns * np.minimum((polar / pixel).astype(np.int32), rows - 1)
    nearest = np.full(columns * rows, np.inf, np.float32)
    np.minimum.at(nearest, cell, distance)
    cos = np.abs(np.einsum("ij,ij->i", ray, normal)) / distance
    depth = 0.02 + 2 * pixel * distance / np.maximum(cos, 0.08)
    limit = _around(nearest.reshape(rows, columns)).ravel()[cell] + np.minimum(depth, 0.4)
    return distance <= limit, distance, cos


def _around(image: np.ndarray) -> np.ndarray:
    """The smallest of 3 x 3 pixels; columns go round."""
    wide = np.minimum(image, np.minimum(np.roll(image, 1, 1), np.roll(image, -1, 1)))
    tall = wide.copy()
    np.minimum(tall[1:], wide[:-1], out=tall[1:])
    np.minimum(tall[:-1], wide[1:], out=tall[:-1])
    return tall


def thin_out(rng: np.random.Generator, weight: np.ndarray, count: int) -> np.ndarray:
    """Rows to keep, about ``count`` of those with weight, more where it is larger."""
    total = weight.sum()
    if total == 0:
        return np.empty(0, np.int64)
    share = weight * (count / total)
    for _ in range(3):  # what is certain frees shares for the others
        certain = share >= 1
        rest = weight[~certain].sum()
        share = np.where(certain, 1.0, weight * (max(count - certain.sum(), 0) / max(rest, 1e-12)))
    return np.flatnonzero(rng.random(len(weight)) < share)


def measured(
    rng: np.random.Generator, pos: np.ndarray, normal: np.ndarray, noise: float
) -> np.ndarray:
    """Positions with errors, mostly across the surface, with a tail of outliers."""
    size = np.where(rng.random((len(pos), 1)) < 0.02, 3 * noise, noise)
    across = rng.normal(0, 1, (len(pos), 1)) * size * normal
    return pos + across + rng.normal(0, 0.3 * noise, pos.shape)


def fused(
    rng: np.random.Generator, pos: np.ndarray, normal: np.ndarray, noise: float
) -> np.ndarray:
    """Positions as depth images fused along a path give them: whole parts of the room shifted by
    some ``noise``, and bumps of the size of a hand across the surface."""
    drift = _waves(rng, pos, 4, (1.0, 4.0)) * noise
    bumps = _waves(rng, pos, 8, (0.06, 0.3))[:, :1] * noise * normal
    moved: np.ndarray = pos + drift + bumps + rng.normal(0, 0.2 * noise, pos.shape)
    return moved


def _waves(
    rng: np.random.Generator, pos: np.ndarray, count: int, length: tuple[float, float]
) -> np.ndarray:
    """(N, 3) of unit variance, smooth: waves of these lengths in metres."""
    total = np.zeros((len(pos), 3))
    for _ in range(count):
        direction = rng.normal(0, 1, 3)
        direction *= 2 * np.pi / (np.linalg.norm(direction) * rng.uniform(*length))
        phase = rng.uniform(0, 2 * np.pi, 3)
        total += np.sin((pos @ direction)[:, None] + phase)
    return total * np.sqrt(2 / count)


def shaded(
    rng: np.random.Generator, color: np.ndarray, normal: np.ndarray, pos: np.ndarray, height: float
) -> np.ndarray:
    """(N, 3) uint8: lit from the ceiling, darker near the floor and in soft patches, with grain."""
    wave = sum(np.sin(pos @ rng.normal(0, 1.2, 3) + rng.uniform(0, 6.3)) for _ in range(3))
    light = 0.72 + 0.16 * normal[:, 2] + 0.12 * pos[:, 2] / height + 0.03 * wave
    lit = color * light[:, None] * rng.uniform(0.9, 1.1) + rng.normal(0, 0.025, color.shape)
    return (np.clip(lit, 0, 1) * 255).astype(np.uint8)
