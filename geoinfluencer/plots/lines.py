"""Displays of charts whose nodes are pixels of lines: truth, prediction, lines in order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from geoinfluencer.plots.figures import Figure, drawing, instance_colors, render
from geoinfluencer.plots.matching import matched_instance

_BACKGROUND = (0.93, 0.93, 0.93)


def line_figures(arrays: Mapping[str, np.ndarray], name: str) -> list[Figure]:
    """Pixels in the colours of their lines, and the lines that were drawn through them.

    Args:
        arrays: ``pos`` (N, 2) x and y of the pixels, ``predicted`` (N,), ``line_xy`` (P, 2) and
            ``line_of`` (P,) of the predicted lines, optional ``truth`` (N,) and ``image_size``
            (1, 2) H and W.
        name: of the sample.
    """
    pos = np.round(arrays["pos"]).astype(np.int64)
    if "image_size" in arrays:
        height, width = (int(side) for side in arrays["image_size"].reshape(-1))
    else:
        width, height = (int(side) for side in pos.max(axis=0, initial=0) + 1)
    predicted, truth = arrays["predicted"], arrays.get("truth")
    shown = predicted if truth is None else matched_instance(truth, predicted)
    pictures = [] if truth is None else [(f"truth: {_count(truth)} lines", truth)]
    pictures.append((f"prediction: {_count(predicted)} lines", shown))
    panel = 15.0 / 3
    tall = float(np.clip(panel * height / max(width, 1), 2.0, 8.0)) + 0.8
    with drawing(panel * (len(pictures) + 1), tall) as canvas:
        axes = np.atleast_1d(canvas.subplots(1, len(pictures) + 1))
        for axis, (title, instance) in zip(axes, pictures, strict=False):
            image = np.ones((height, width, 3))
            tint = np.asarray(instance_colors(instance))[:, :3].astype(float)
            tint[instance < 0] = _BACKGROUND
            image[pos[:, 1], pos[:, 0]] = tint
            axis.imshow(image, interpolation="nearest")
            axis.set_title(title)
        _draw_lines(axes[-1], arrays, predicted, shown)
        axes[-1].set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5), aspect="equal")
        axes[-1].set_title("lines, a dot where each begins")
        for axis in axes:
            axis.set_axis_off()
        png = render(canvas)
    caption = (
        f"The {len(pos):,} pixels of {name or 'the image'} that are nodes, grey where they are of "
        "no line. A predicted line has the colour of the true one that it mostly consists of."
    )
    key = (name or "sample").replace("/", "-")
    return [Figure(f"{key}-lines", "Samples", "Lines", caption, png)]


def _draw_lines(
    axis: Any, arrays: Mapping[str, np.ndarray], predicted: np.ndarray, shown: np.ndarray
) -> None:
    xy, owner = arrays["line_xy"], arrays["line_of"]
    for number in np.unique(owner):
        mine = xy[owner == number]
        pixels = shown[predicted == number]
        color = np.asarray(instance_colors(pixels[:1]))[0, :3]
        axis.plot(mine[:, 0], mine[:, 1], color=color, linewidth=1.2)
        axis.plot(mine[:1, 0], mine[:1, 1], "o", color=color, markersize=3)


def _count(instance: np.ndarray) -> int:
    return len(np.unique(instance[instance >= 0]))
