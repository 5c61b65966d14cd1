"""Colours of generated charts."""

from __future__ import annotations

import colorsys

import numpy as np

_HUES = 12  # of the usual kind of palette, in random order


def line_colours(rng: np.random.Generator, count: int, kind: str, *, dark: bool) -> np.ndarray:
    """(count, 3) RGB in [0, 1], told apart from white, or from black with ``dark``.

    Args:
        rng: Decides which.
        count: Lines.
        kind: ``"palette"``: hues far apart; ``"similar"``: one hue in shades; ``"grey"``.
        dark: For a dark background.
    """
    if kind == "grey":
        level = rng.uniform(0.0, 0.55, count)
        return np.repeat(1 - level if dark else level, 3).reshape(count, 3)
    value = rng.uniform(0.75, 1.0, count) if dark else rng.uniform(0.45, 0.9, count)
    saturation = rng.uniform(0.4, 0.9, count) if dark else rng.uniform(0.6, 1.0, count)
    if kind == "similar":
        hue = (rng.random() + rng.uniform(-0.05, 0.05, count)) % 1
    else:
        hue = ((rng.permutation(_HUES)[:count] + rng.uniform(-0.3, 0.3, count)) / _HUES) % 1
    each = zip(hue.tolist(), saturation.tolist(), value.tolist(), strict=True)
    return np.array([colorsys.hsv_to_rgb(*hsv) for hsv in each])


def page_colours(rng: np.random.Generator, *, dark: bool) -> dict[str, np.ndarray]:
    """RGB of ``page``, ``panel`` (the plot area), ``grid`` and ``ink`` (axes and text)."""
    page = 0.0 if dark else 1.0
    inward = 1.0 if dark else -1.0
    page = page + inward * float(rng.choice((0.0, 0.0, rng.uniform(0, 0.08))))
    panel = page + inward * float(rng.choice((0.0, 0.0, rng.uniform(0.04, 0.12))))
    grid = panel + inward * rng.uniform(0.06, 0.2)
    ink = page + inward * rng.uniform(0.6, 0.9)
    return {
        name: np.full(3, np.clip(level, 0, 1))
        for name, level in (("page", page), ("panel", panel), ("grid", grid), ("ink", ink))
    }
