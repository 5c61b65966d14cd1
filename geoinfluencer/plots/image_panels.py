"""An image, its truth, what was predicted, and what the model works on, side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from geoinfluencer.plots.figures import Figure, drawing, render
from geoinfluencer.plots.matching import matched_instance
from geoinfluencer.plots.overlay import as_colors, outlines, overlay
from geoinfluencer.plots.pixel_panels import draw_followers, errors_panel, faded

_PANEL = 5.0  # inches
_LETTERS = 15.0  # points: three panels are seen at two thirds of their size
_SMALL_LETTERS = 10.0  # points: names of objects
_WRITTEN = 0.004  # of the image: smaller objects bear no name
_ENTRIES = 3  # of the legend in a row
_MOST_PIXELS = 4_000_000  # of an image, shown at full resolution


def image_figures(arrays: Mapping[str, np.ndarray], name: str) -> list[Figure]:
    """The image, truth, prediction, segments, influencers and errors.

    Args:
        arrays: ``image`` (H, W[, C]), ``segment_map`` (H W,) node of each pixel, row by row,
            ``image_size`` (1, 2) H and W, ``pos`` (N, 2) x, y of the nodes, ``predicted`` (N,),
            ``representative`` (K,) node of each instance's influencer; optional ``pixel_predicted``
            (H W,) where pixels have instances of their own, ``truth`` and ``ignore`` (N,),
            ``pixel_truth`` (H W,): 0..K-1, -1 = none, -2 = ignored, and ``predicted_class``,
            ``truth_class`` (K,), names that are written on the larger objects.
        name: of the sample.
    """
    height, width = (int(side) for side in arrays["image_size"].reshape(-1))
    step = int(np.ceil(np.sqrt(max(1.0, height * width / _MOST_PIXELS))))

    def thin(flat: np.ndarray) -> np.ndarray:
        return flat.reshape(height, width)[::step, ::step]

    image = arrays["image"][::step, ::step]
    segment = thin(arrays["segment_map"])
    truth = _pixel_truth(arrays, segment, thin)
    own = arrays.get("pixel_predicted")
    found = arrays["predicted"][segment] if own is None else thin(own)
    tint = found if truth is None else _matched(truth, found)
    grey = faded(as_colors(image))
    panels = [("image", as_colors(image))]
    if truth is not None:
        panels.append((f"truth: {_count(truth)} objects", overlay(image, truth)))
    panels.append((f"prediction: {_count(found)} objects", overlay(image, found, tint)))
    lines = outlines(segment, thin=True)[..., None]
    shown = as_colors(image)
    panels.append(
        (
            f"{len(arrays['predicted']):,} segments",
            np.where(lines, 0.4 * shown + np.multiply(0.6, (1.0, 0.85, 0.0)), shown).clip(0, 1),
        )
    )
    panels.append(("influencers and who follows them", grey))
    handles: list[Any] = []
    if truth is not None:
        panels.append(errors_panel(truth, found, grey, handles))
    named = {
        "truth": (truth, arrays.get("truth_class")),
        "prediction": (found, arrays.get("predicted_class")),
    }
    columns = 3 if len(panels) > 4 else 2
    rows = -(-len(panels) // columns)
    tall = float(np.clip(_PANEL * height / max(width, 1), 1.5, 8.0)) + 0.4
    legend = 0.3 * -(-len(handles) // _ENTRIES)
    with drawing(_PANEL * columns, tall * rows + legend) as canvas:
        axes = np.atleast_1d(canvas.subplots(rows, columns)).reshape(-1)
        for axis in axes:
            axis.set_axis_off()
        for axis, (title, pixels) in zip(axes, panels, strict=False):
            axis.imshow(
                pixels, interpolation="nearest", extent=(-0.5, width - 0.5, height - 0.5, -0.5)
            )
            axis.set_title(title, fontsize=_LETTERS)
            if title.startswith("influencers"):
                draw_followers(axis, arrays, found, tint)
        if handles:
            canvas.legend(
                handles=handles, loc="outside lower center", ncols=_ENTRIES, fontsize=_LETTERS
            )
        canvas.draw_without_rendering()  # the layout is known from here on
        for axis, (title, _) in zip(axes, panels, strict=False):
            labels, names = named.get(title.split(":")[0], (None, None))
            if labels is not None and names is not None:
                _write_names(axis, labels, names, step)
        drawn = render(canvas)
    caption = (
        f"{name or 'The image'}, {width} x {height} pixels. A predicted object has the colour of "
        "the true one that it mostly consists of, others have colours of their own. Lines lead "
        "from segments to the segment whose influencer they follow, a star."
    )
    key = (name or "sample").replace("/", "-")
    return [Figure(f"{key}-image", "Samples", "Image, truth and prediction", caption, drawn)]


def _pixel_truth(
    arrays: Mapping[str, np.ndarray], segment: np.ndarray, thin: Any
) -> np.ndarray | None:
    """(H, W) 0..K-1, -1 = none, -2 = ignored; that of the segments where pixels have none."""
    if "pixel_truth" in arrays:
        exact: np.ndarray = thin(arrays["pixel_truth"]).astype(np.int64)
        return exact
    if "truth" not in arrays:
        return None
    nodes = arrays["truth"].astype(np.int64)
    ignore = arrays.get("ignore")
    nodes = nodes if ignore is None else np.where(ignore, -2, nodes)
    found: np.ndarray = nodes[segment]
    return found


def _matched(truth: np.ndarray, found: np.ndarray) -> np.ndarray:
    flat = matched_instance(np.maximum(truth, -1).reshape(-1), found.reshape(-1))
    return flat.reshape(found.shape)


def _write_names(axis: Any, labels: np.ndarray, names: np.ndarray, step: int) -> None:
    """The name of each object (K,) in its middle, moved into the image where it sticks out; none of
    small objects, and none where the name of a larger one stands. After the layout."""
    from matplotlib.patheffects import withStroke

    outline = [withStroke(linewidth=2.0, foreground="black")]
    size = np.bincount(labels[labels >= 0], minlength=len(names))
    frame = axis.get_window_extent()
    taken: list[Any] = []
    for number in np.argsort(-size, kind="stable").tolist():
        if size[number] < max(_WRITTEN * labels.size, 1):
            break
        row, column = np.nonzero(labels == number)
        # of the pixels of the object, which may be a ring, the one nearest to its centre
        middle = np.argmin((row - row.mean()) ** 2 + (column - column.mean()) ** 2)
        text = axis.text(
            step * column[middle], step * row[middle], names[number], fontsize=_SMALL_LETTERS,
            color="white", ha="center", va="center", path_effects=outline, clip_on=True,
            in_layout=False,
        )  # fmt: skip
        box = text.get_window_extent()
        into = max(frame.x0 - box.x0, 0.0) - max(box.x1 - frame.x1, 0.0)
        if into:
            x, y = axis.transData.transform(text.get_position())
            text.set_position(axis.transData.inverted().transform((x + into, y)))
            box = text.get_window_extent()
        if any(box.overlaps(other) for other in taken):
            text.remove()
        else:
            taken.append(box)


def _count(labels: np.ndarray) -> int:
    return len(np.unique(labels[labels >= 0]))
