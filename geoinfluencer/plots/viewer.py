"""An interactive page of a point cloud: one HTML file with everything in it, script included."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from scipy.spatial import cKDTree

from geoinfluencer.errors import InputError
from geoinfluencer.files.atomic import atomic_path

MOST_POINTS = 200_000  # 4 to 5 MB with all layers
_LIGHT = np.array([0.45, 0.3, 0.84])
_NEIGHBORS = 8


@dataclass(frozen=True)
class Layer:
    """Colours of the points, chosen by a button.

    Attributes:
        key: Short name, also in the page's address (``#layer=prediction``).
        title: On the button.
        color: (P, 3) uint8, or (P,) uint8 rows of ``palette``.
        palette: (C, 3) uint8, at most 256 colours.
        note: One line about it.
        legend: Colour and words.
        shaded: Darken surfaces that face away from the light; not for colours that were measured.
        marks: (M, 3) uint8 colours of the page's marks, where this layer shows them.
    """

    key: str
    title: str
    color: np.ndarray
    palette: np.ndarray | None = None
    note: str = ""
    legend: Sequence[tuple[Sequence[int], str]] = ()
    shaded: bool = True
    marks: np.ndarray | None = None


def write_viewer(
    path: Path,
    points: np.ndarray,  # (P, 3) m
    layers: Sequence[Layer],
    *,
    title: str,
    subtitle: str = "",
    marks: np.ndarray | None = None,  # (M, 3) m
    max_points: int = MOST_POINTS,
    noun: str = "points",
) -> None:
    """Write the page, at once or not at all; it loads nothing from anywhere.

    Above ``max_points`` a random part of the points is shown, always the same, and the page says
    so. Positions are rounded to 1/65535 of the box, measured colours to 16 bits.

    Args:
        path: Of the HTML file.
        points: z points up.
        layers: One button each, the first one shown.
        title: Of the page.
        subtitle: One line about it.
        marks: Places that stand out, drawn larger by layers that colour them.
        max_points: Points in the page.
        noun: What the points are.

    Raises:
        InputError: No points, no layers, or shapes that do not fit.
    """
    html = render_viewer(
        points,
        layers,
        title=title,
        subtitle=subtitle,
        marks=marks,
        max_points=max_points,
        noun=noun,
    )
    with atomic_path(path) as temporary:
        temporary.write_text(html, encoding="utf-8")


def render_viewer(
    points: np.ndarray,
    layers: Sequence[Layer],
    *,
    title: str,
    subtitle: str = "",
    marks: np.ndarray | None = None,
    max_points: int = MOST_POINTS,
    noun: str = "points",
) -> str:
    """The page as text; see :func:`write_viewer`."""
    _check(points, layers, marks)
    chosen: np.ndarray | slice = slice(None)
    if len(points) > max_points:
        drawn = np.random.default_rng(0).choice(len(points), max_points, replace=False)
        chosen = np.sort(drawn)
        words = [f"{max_points:,} of {len(points):,} {noun} shown, drawn at random", subtitle]
    else:
        words = [f"{len(points):,} {noun}", subtitle]
    place = points[chosen].astype(np.float64)
    low, high = place.min(0), place.max(0)
    size = np.maximum(high - low, 1e-9)
    spacing, shade, step = surface_look(place)
    data = {
        "count": len(place),
        "size": size.tolist(),
        "position": _packed(np.rint((place - low) / size * 65535).astype("<u2")),
        "look": _packed(np.rint(63 * shade).astype(np.uint8) << 2 | step),
        "spacing": spacing,
        "cut": ceiling_cut(place),
        "marks": [] if marks is None else np.round(marks - low, 4).tolist(),
        "layers": [_layer(layer, chosen) for layer in layers],
    }
    text = json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")
    parts = {
        "title": escape(title),
        "subtitle": escape("; ".join(filter(None, words))),
        "css": _asset("viewer.css"),
        "script": _asset("viewer.js"),
        "data": text,
    }
    before, *pieces = _asset("viewer.html").split("{{")
    filled = [before]
    for piece in pieces:
        name, _, after = piece.partition("}}")
        filled += [parts[name], after]
    return "".join(filled)


def surface_look(points: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """How points are to be drawn so that surfaces look closed.

    Returns:
        The diameter of most points, from the median distance of their fourth neighbour; the
        brightness (P,) in [0.5, 1] of the surface through each and its nearest; and the step (P,)
        0 to 3 by which a point of a sparser place is larger, a factor of 1.5 each.
    """
    count = len(points)
    extent = float(np.ptp(points, axis=0).max())
    if count <= _NEIGHBORS:
        return max(extent / 10, 1e-3), np.ones(count), np.zeros(count, np.uint8)
    distance, nearest = cKDTree(points).query(points, k=_NEIGHBORS)
    around = points[nearest] - points[nearest].mean(1, keepdims=True)
    spread = np.einsum("pka,pkb->pab", around, around)
    normal = np.linalg.eigh(spread)[1][:, :, 0]
    facing = np.abs(normal @ (_LIGHT / np.linalg.norm(_LIGHT)))
    facing = facing[nearest].mean(1)  # normals of noisy surfaces flicker
    spacing = max(float(np.median(distance[:, 4])), extent / 2500, 1e-6)  # all may be in one place
    step = np.log(np.maximum(distance[:, 4] / spacing, 1)) / np.log(1.5)
    return 1.3 * spacing, 0.5 + 0.5 * facing, np.rint(step).clip(0, 3).astype(np.uint8)


def ceiling_cut(points: np.ndarray) -> float:
    """Share of the height to show at first: below the ceiling where there is one, else 1.

    A ceiling covers more than half of the ground plan, in the upper third.
    """
    low, high = np.quantile(points[:, 2], [0.002, 0.998])
    if high - low < 1e-6:
        return 1.0
    cell = max(float(np.ptp(points[:, :2], axis=0).max()) / 40, 1e-9)
    plan = np.floor((points[:, :2] - points[:, :2].min(0)) / cell).astype(np.int64)
    number = plan[:, 0] * 64 + plan[:, 1]
    height = (points[:, 2] - low) / (high - low)
    above = height > 2 / 3
    counts, edges = np.histogram(height[above], bins=20, range=(2 / 3, 1.02))
    peak = int(counts.argmax())
    near = above & (np.abs(height - (edges[peak] + edges[peak + 1]) / 2) < 0.06)
    covered = len(np.unique(number[near])) / len(np.unique(number))
    if covered < 0.5:
        return 1.0
    bottom = low + (edges[peak] - 0.07) * (high - low)
    whole = points[:, 2].max() - points[:, 2].min()
    return float(np.round((bottom - points[:, 2].min()) / whole, 3))


def _layer(layer: Layer, chosen: np.ndarray | slice) -> dict[str, Any]:
    color = layer.color[chosen]
    if layer.palette is None:
        levels = np.rint(color / 255 * [31, 63, 31]).astype(np.uint16)
        color = (levels[:, 0] << 11 | levels[:, 1] << 5 | levels[:, 2]).astype("<u2")
    return {
        "key": layer.key,
        "title": layer.title,
        "data": _packed(color),
        "palette": None if layer.palette is None else layer.palette.tolist(),
        "note": layer.note,
        "legend": [[[int(v) for v in rgb], words] for rgb, words in layer.legend],
        "shaded": layer.shaded,
        "marks": None if layer.marks is None else layer.marks.tolist(),
    }


def _packed(values: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(values).tobytes()).decode("ascii")


def _asset(name: str) -> str:
    return files("geoinfluencer.plots").joinpath(name).read_text(encoding="utf-8")


def _check(points: np.ndarray, layers: Sequence[Layer], marks: np.ndarray | None) -> None:
    if points.ndim != 2 or points.shape[1] != 3 or not len(points):
        raise InputError(f"`points` have shape {points.shape}; give (P, 3), at least one point")
    if not layers:
        raise InputError("`layers` are empty; give at least one")
    for layer in layers:
        wanted = (len(points), 3) if layer.palette is None else (len(points),)
        if layer.color.shape != wanted or layer.color.dtype != np.uint8:
            raise InputError(
                f"layer {layer.key!r}: `color` is {layer.color.dtype} {layer.color.shape}; "
                f"expected uint8 {wanted}"
            )
        if layer.palette is not None and layer.color.max() >= len(layer.palette):
            raise InputError(
                f"layer {layer.key!r}: `color` holds {layer.color.max()}, `palette` has "
                f"{len(layer.palette)} rows"
            )
        if layer.marks is not None and len(layer.marks) != (0 if marks is None else len(marks)):
            raise InputError(f"layer {layer.key!r}: {len(layer.marks)} colours of marks do not fit")
