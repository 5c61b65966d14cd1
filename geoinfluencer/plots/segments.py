"""Displays of images whose nodes are segments: every pixel has the colour of its segment."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.colors import to_rgb

from geoinfluencer.plots.figures import Figure, drawing, instance_colors, legend_dot, render
from geoinfluencer.plots.matching import (
    IGNORED,
    NOISE_LEFT,
    RIGHT,
    matched_instance,
    node_errors,
)
from geoinfluencer.plots.panels import PIXEL_ERROR_KINDS

_BACKGROUND = (0.93, 0.93, 0.93)


def segment_figures(arrays: Mapping[str, np.ndarray], name: str) -> list[Figure]:
    """Truth, prediction and errors as images.

    Args:
        arrays: ``segment_map`` (H W,) node of each pixel, row by row, ``image_size`` (1, 2) H and
            W, ``predicted`` (N,), optional ``truth`` and ``ignore`` (N,).
        name: of the sample.
    """
    height, width = (int(side) for side in arrays["image_size"].reshape(-1))
    segment = arrays["segment_map"].reshape(height, width)
    predicted, truth = arrays["predicted"], arrays.get("truth")
    pictures = []
    handles = []
    if truth is None:
        pictures.append((f"prediction: {_count(predicted)} instances", _colored(predicted)))
    else:
        pictures.append((f"truth: {_count(truth)} instances", _colored(truth)))
        matched = matched_instance(truth, predicted)
        pictures.append((f"prediction: {_count(predicted)} instances", _colored(matched)))
        state = node_errors(truth, predicted, arrays.get("ignore"))
        tint = np.tile(_BACKGROUND, (len(state), 1))
        for kind, color, _, label in PIXEL_ERROR_KINDS:
            chosen = state == kind
            if kind != NOISE_LEFT:
                tint[chosen] = to_rgb(color)
            if chosen.any() and kind != NOISE_LEFT:
                pixels = int(chosen[segment].sum())
                handles.append(legend_dot(color, f"{label} ({pixels:,} pixels)", "s"))
        counted = (state != IGNORED)[segment]
        good = np.isin(state, (RIGHT, NOISE_LEFT))[segment] & counted
        share = good.sum() / max(int(counted.sum()), 1)
        pictures.append((f"errors: {share:.1%} of the pixels right", tint))
    panel = 15.0 / 3
    tall = float(np.clip(panel * height / max(width, 1), 2.0, 8.0)) + 0.8
    with drawing(panel * len(pictures), tall) as canvas:
        axes = np.atleast_1d(canvas.subplots(1, len(pictures)))
        for axis, (title, tint) in zip(axes, pictures, strict=True):
            axis.imshow(tint[segment], interpolation="nearest")
            axis.set_title(title)
            axis.set_axis_off()
        if handles:
            canvas.legend(handles=handles, loc="outside lower center", ncols=7)
        png = render(canvas)
    caption = (
        f"The {len(predicted):,} segments of {name or 'the image'}. A predicted instance has the "
        "colour of the true one that it mostly consists of."
    )
    key = (name or "sample").replace("/", "-")
    return [Figure(f"{key}-segments", "Samples", "Segments", caption, png)]


def _colored(instance: np.ndarray) -> np.ndarray:
    """(N, 3) colour of each node."""
    tint = np.asarray(instance_colors(instance))[:, :3].astype(float)
    tint[instance < 0] = _BACKGROUND
    return tint


def _count(instance: np.ndarray) -> int:
    return len(np.unique(instance[instance >= 0]))
