"""Panels that pictures of images and of charts share: errors, and who follows whom."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.colors import to_rgb

from geoinfluencer.plots.figures import instance_colors, legend_dot
from geoinfluencer.plots.matching import IGNORED, NOISE_LEFT, RIGHT, node_errors
from geoinfluencer.plots.panels import PIXEL_ERROR_KINDS

_NOT_LOOKED_AT = -1  # beside the kinds of errors, which count from 0
_MOST_LINKS = 800  # drawn of an image; more hide it


def faded(image: np.ndarray) -> np.ndarray:
    """(H, W, 3) greys of colours (H, W, 3), light enough to draw on."""
    grey: np.ndarray = np.repeat(0.35 * image.mean(2, keepdims=True) + 0.6, 3, axis=2)
    return grey


def errors_panel(
    truth: np.ndarray,
    found: np.ndarray,
    grey: np.ndarray,
    handles: list[Any],
    nodes: np.ndarray | None = None,
) -> tuple[str, np.ndarray]:
    """Title and pixels of the panel of errors; adds its legend.

    Args:
        truth: (H, W) instance of each pixel, -1 = none, -2 = does not count.
        found: (H, W) the same as predicted.
        grey: (H, W, 3) what it is drawn on.
        handles: the legend's so far.
        nodes: (H, W) which pixels are looked at; None: all.
    """
    state = node_errors(
        np.maximum(truth, -1).reshape(-1), found.reshape(-1), (truth == -2).reshape(-1)
    ).reshape(truth.shape)
    if nodes is not None:
        state = np.where(nodes, state, _NOT_LOOKED_AT)
    counted = max(int(np.isin(state, (IGNORED, _NOT_LOOKED_AT), invert=True).sum()), 1)
    shown = grey.copy()
    for kind, color, _, label in PIXEL_ERROR_KINDS:
        chosen = state == kind
        if kind in (RIGHT, NOISE_LEFT) or not chosen.any():
            continue
        shown[chosen] = 0.25 * shown[chosen] + 0.75 * np.array(to_rgb(color))
        handles.append(legend_dot(color, f"{label} ({chosen.sum() / counted:.1%})", "s"))
    right = np.isin(state, (RIGHT, NOISE_LEFT)).sum() / counted
    return f"errors: {right:.1%} of the pixels right", shown


def draw_followers(
    axis: Any, arrays: Mapping[str, np.ndarray], shown: np.ndarray, tint: np.ndarray
) -> None:
    """Lines from the nodes of each instance to its influencer, which is a star.

    Args:
        axis: where to draw.
        arrays: ``pos`` (N, 2) x, y of the nodes, ``predicted`` (N,), ``representative`` (K,).
        shown: instance of each pixel or node, any shape, as predicted.
        tint: what gives each its colour, as ``shown``.
    """
    from matplotlib.collections import LineCollection

    pos, found, star = arrays["pos"], arrays["predicted"], arrays["representative"]
    if not len(star):
        return
    colour = np.full(len(star), -1, np.int64)  # of each instance, as in the prediction
    colour[shown[shown >= 0]] = tint[shown >= 0]
    follows = np.flatnonzero(found >= 0)
    follows = follows[:: -(-len(follows) // _MOST_LINKS) or 1]
    host = star[found[follows]]
    colors = instance_colors(colour[found[follows]])
    ends = np.stack([pos[follows], pos[host]], axis=1)
    axis.add_collection(LineCollection(list(ends), colors=colors, linewidths=0.5, alpha=0.8))
    axis.scatter(*pos[star].T, s=60, marker="*", c=instance_colors(colour), linewidths=0.6,
                 edgecolors="black", zorder=3)  # fmt: skip
