"""Shapes of the lines of generated charts: points in the unit square."""

from __future__ import annotations

import numpy as np

SHAPES = ("waves", "trend", "steps", "walk", "noisy", "pieces")


def curve(
    rng: np.random.Generator,
    shape: str,
    *,
    few: bool = False,
) -> np.ndarray:
    """(P, 2) points x, y in [0, 1] of a line from left to right; it fills its range of y.

    Args:
        rng: Decides everything else.
        shape: One of ``SHAPES``: sums of sines; polynomials, exponentials and logistics; stairs;
            random walks; trends with noise; straight pieces.
        few: Few points, as lines with markers have.
    """
    x, y = _MAKERS[shape](rng, few)
    low, high = y.min(), y.max()
    return np.stack([x, (y - low) / max(high - low, 1e-9)], axis=1)


def _waves(rng: np.random.Generator, few: bool) -> tuple[np.ndarray, np.ndarray]:
    x = np.linspace(0, 1, 12 if few else 160)
    y = np.zeros_like(x)
    for _ in range(rng.integers(1, 4)):
        frequency = rng.uniform(0.4, 1.5 if few else 4.0)
        y += rng.uniform(0.3, 1) * np.sin(2 * np.pi * (frequency * x + rng.random()))
    return x, y


def _trend(rng: np.random.Generator, few: bool) -> tuple[np.ndarray, np.ndarray]:
    x = np.linspace(0, 1, 10 if few else 80)
    kind = rng.integers(3)
    if kind == 0:
        y = np.polyval(rng.normal(size=4), 2 * x - 1)
    elif kind == 1:
        y = np.exp(rng.uniform(1, 5) * x)
    else:
        y = 1 / (1 + np.exp(-rng.uniform(6, 25) * (x - rng.uniform(0.25, 0.75))))
    return x, y * rng.choice((-1, 1))


def _steps(rng: np.random.Generator, few: bool) -> tuple[np.ndarray, np.ndarray]:
    count = int(rng.integers(3, 6 if few else 13))
    edge = np.concatenate([[0], np.sort(rng.random(count - 1)), [1]])
    level = rng.normal(size=count)
    return np.repeat(edge, 2)[1:-1], np.repeat(level, 2)


def _walk(rng: np.random.Generator, few: bool) -> tuple[np.ndarray, np.ndarray]:
    count = 10 if few else int(rng.integers(40, 140))
    return np.linspace(0, 1, count), np.cumsum(rng.normal(size=count))


def _noisy(rng: np.random.Generator, few: bool) -> tuple[np.ndarray, np.ndarray]:
    x, y = _trend(rng, few)
    y = (y - y.min()) / max(np.ptp(y), 1e-9)
    return x, y + rng.uniform(0.01, 0.08) * rng.normal(size=len(x))


def _pieces(rng: np.random.Generator, few: bool) -> tuple[np.ndarray, np.ndarray]:
    count = int(rng.integers(3, 14))
    return np.linspace(0, 1, count), rng.random(count)


_MAKERS = dict(zip(SHAPES, (_waves, _trend, _steps, _walk, _noisy, _pieces), strict=True))
