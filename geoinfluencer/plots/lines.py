"""Displays of charts whose nodes are pixels of lines: truth, prediction, lines in order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from geoinfluencer.plots.figures import Figure, drawing, instance_colors, render
from geoinfluencer.plots.matching import matched_instance
from geoinfluencer.plots.overlay import as_colors
from geoinfluencer.plots.pixel_panels import draw_followers, errors_panel, faded

_PANEL = 5.0  # inches
_TITLE = 0.4  # inches above a panel
_LETTERS = 15.0  # points: three panels are seen at two thirds of their size


def line_figures(arrays: Mapping[str, np.ndarray], name: str) -> list[Figure]:
    """The image, its pixels in the colours of their lines, the influencers that they follow, the
    lines drawn through them, and the errors.

    Args:
        arrays: ``pos`` (N, 2) x and y of the pixels, ``predicted`` (N,), ``representative`` (K,)
            node of each line's influencer, ``line_xy`` (P, 2) and ``line_of`` (P,) of the predicted
            lines, optional ``truth`` and ``ignore`` (N,), ``image_size`` (1, 2) H and W, and
            ``image`` (H, W[, C]).
        name: of the sample.
    """
    pos = np.round(arrays["pos"]).astype(np.int64)
    if "image_size" in arrays:
        height, width = (int(side) for side in arrays["image_size"].reshape(-1))
    else:
        width, height = (int(side) for side in pos.max(axis=0, initial=0) + 1)
    predicted, truth = arrays["predicted"], arrays.get("truth")
    shown = predicted if truth is None else matched_instance(truth, predicted)

    def raster(values: np.ndarray, empty: Any, *channels: int) -> np.ndarray:
        canvas = np.full((height, width, *channels), empty)
        canvas[pos[:, 1], pos[:, 0]] = values
        return canvas

    def painted(instance: np.ndarray) -> np.ndarray:
        return raster(instance_colors(instance)[:, :3], 1.0, 3)

    image = as_colors(arrays["image"]) if "image" in arrays else None
    grey = np.ones((height, width, 3)) if image is None else faded(image)
    panels = [] if image is None else [("image", image)]
    if truth is not None:
        panels.append((f"truth: {_count(truth)} lines", painted(truth)))
    panels.append((f"prediction: {_count(predicted)} lines", painted(shown)))
    panels.append(("influencers and who follows them", grey))
    panels.append(("lines, a dot where each begins", np.ones((height, width, 3))))
    handles: list[Any] = []
    if truth is not None:
        counted = np.where(arrays.get("ignore", np.zeros(len(pos), bool)), -2, truth)
        nodes = raster(np.ones(len(pos), bool), False)
        panels.append(
            errors_panel(raster(counted, -1), raster(predicted, -1), grey, handles, nodes)
        )
    columns = 3 if len(panels) > 4 else 2
    rows = -(-len(panels) // columns)
    tall = float(np.clip(_PANEL * height / max(width, 1), 1.0, 8.0)) + _TITLE
    legend = _TITLE * -(-len(handles) // columns)
    with drawing(_PANEL * columns, tall * rows + legend) as canvas:
        axes = np.atleast_1d(canvas.subplots(rows, columns)).reshape(-1)
        for axis in axes:
            axis.set_axis_off()
        for axis, (title, pixels) in zip(axes, panels, strict=False):
            axis.imshow(pixels, interpolation="nearest")
            axis.set_title(title, fontsize=_LETTERS)
            if title.startswith("influencers"):
                draw_followers(axis, arrays, predicted, shown)
            elif title.startswith("lines"):
                _draw_lines(axis, arrays, predicted, shown)
        if handles:
            canvas.legend(
                handles=handles, loc="outside lower center", ncols=columns, fontsize=_LETTERS
            )
        png = render(canvas)
    caption = (
        f"The {len(pos):,} pixels of {name or 'the image'} that are nodes, grey where they are of "
        "no line. Thin lines lead from pixels to the one whose influencer they follow, a star."
    )
    if truth is not None:
        caption += (
            " A predicted line has the colour of the true one that it mostly consists of; others "
            "have colours of their own."
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
