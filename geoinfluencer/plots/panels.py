"""Truth, prediction and errors side by side in one projection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from geoinfluencer.plots.figures import (
    GOOD,
    MISSED,
    NOISE,
    SPLIT,
    TAKEN,
    WRONG,
    drawing,
    instance_colors,
    legend_dot,
    render,
)
from geoinfluencer.plots.matching import (
    ELSEWHERE,
    IGNORED,
    IN_PART,
    NOISE_LEFT,
    NOISE_TAKEN,
    RIGHT,
    UNASSIGNED,
    matched_instance,
    node_errors,
)

ERROR_KINDS = (  # drawn in this order: what is wrong comes on top
    (NOISE_LEFT, NOISE, ".", "noise, left alone"),
    (IGNORED, NOISE, ".", "ignored"),
    (RIGHT, GOOD, "o", "right"),
    (NOISE_TAKEN, TAKEN, "s", "noise taken for an instance"),
    (IN_PART, SPLIT, "^", "in a second part"),
    (UNASSIGNED, MISSED, "D", "unassigned"),
    (ELSEWHERE, WRONG, "X", "in another's instance"),
)
PIXEL_ERROR_KINDS = tuple(  # of images, where what is of no instance is background
    (kind, color, marker, "background taken for an instance" if kind == NOISE_TAKEN else label)
    for kind, color, marker, label in ERROR_KINDS
)


@dataclass(frozen=True)
class Projection:
    """Two coordinates of every node and how to label them.

    Attributes:
        u, v: (N,) coordinates.
        labels: axis labels with units.
        equal: whether one unit is as long on both axes.
        order: (N,) key along which an instance's nodes are joined by a line; None: no lines.
        limits: (u_low, u_high, v_low, v_high); None: all nodes.
    """

    u: np.ndarray
    v: np.ndarray
    labels: tuple[str, str]
    equal: bool = False
    order: np.ndarray | None = None
    limits: tuple[float, float, float, float] | None = None


def draw_panels(
    projection: Projection,
    truth: np.ndarray | None,
    predicted: np.ndarray,
    *,
    ignore: np.ndarray | None = None,
    highlight: np.ndarray | None = None,
) -> bytes:
    """Three panels: truth | prediction | errors; without truth the prediction alone.

    A predicted instance has the colour of the true one it stands for.

    Args:
        projection: where the nodes are.
        truth: (N,) true instance, -1 = none; None: unknown.
        predicted: (N,) predicted instance, -1 = none.
        ignore: (N,) True = not scored.
        highlight: (N,) True = drawn in colour, the others faint; None: all.
    """
    shown = np.ones(len(predicted), bool) if highlight is None else highlight
    size = float(np.clip(4000 / max(int(shown.sum()), 1), 2.0, 26.0))
    panels = 1 if truth is None else 3
    width = 5.6 if panels == 1 else 15.0
    height = 4.9
    if projection.equal and len(predicted):  # as tall as the data is in the width of a panel
        shape = float(np.ptp(projection.v)) / max(float(np.ptp(projection.u)), 1e-9)
        height = float(np.clip(width / panels * shape, 2.0, 6.5)) + 0.8
    with drawing(width, height) as canvas:
        axes = np.atleast_1d(canvas.subplots(1, panels, sharex=True, sharey=True))
        mapped = predicted if truth is None else matched_instance(truth, predicted)
        wrong: list[Any] = []
        if truth is not None:
            count = len(np.unique(truth[shown & (truth >= 0)]))
            _instances(axes[0], projection, truth, shown, size)
            axes[0].set_title(f"truth: {count} instances shown")
            wrong = _errors(axes[2], projection, node_errors(truth, predicted, ignore), shown, size)
        panel = axes[min(1, panels - 1)]
        count = len(np.unique(predicted[shown & (predicted >= 0)]))
        # lines follow the predicted instance, colours the true one it stands for
        _instances(panel, projection, mapped, shown, size, groups=predicted)
        panel.set_title(f"prediction: {count} instances shown")
        for axis in axes:
            axis.set_xlabel(projection.labels[0])
            if projection.equal:
                axis.set_aspect("equal")
            if projection.limits is not None:
                axis.set_xlim(projection.limits[:2])
                axis.set_ylim(projection.limits[2:])
        axes[0].set_ylabel(projection.labels[1])
        none = "none" if shown.all() else "none, or not among those shown"
        handles = [legend_dot("#444444", "one colour per instance"), legend_dot(NOISE, none)]
        canvas.legend(handles=handles + wrong, loc="outside lower center", ncols=9)
        return render(canvas)


def _instances(
    axis: Any,
    projection: Projection,
    instance: np.ndarray,
    shown: np.ndarray,
    size: float,
    groups: np.ndarray | None = None,
) -> None:
    groups = instance if groups is None else groups
    _background(axis, projection, shown)
    loose = shown & (groups < 0)
    axis.scatter(projection.u[loose], projection.v[loose], s=size / 3, c=NOISE, linewidths=0)
    front = shown & (groups >= 0)
    colors = instance_colors(instance)
    if projection.order is not None:
        _lines(axis, projection, groups, colors, front)
    axis.scatter(projection.u[front], projection.v[front], s=size, c=colors[front], linewidths=0)


def _background(axis: Any, projection: Projection, shown: np.ndarray) -> None:
    """The nodes that are not shown, as a haze."""
    faint = ~shown
    axis.scatter(projection.u[faint], projection.v[faint], s=1.5, c=NOISE, linewidths=0, alpha=0.15)


def _lines(
    axis: Any, projection: Projection, groups: np.ndarray, colors: np.ndarray, front: np.ndarray
) -> None:
    from matplotlib.collections import LineCollection

    assert projection.order is not None
    index = np.flatnonzero(front)
    index = index[np.lexsort((projection.order[index], groups[index]))]
    parts = np.split(index, np.flatnonzero(np.diff(groups[index])) + 1)
    parts = [part for part in parts if len(part) > 1]
    lines = [np.stack([projection.u[part], projection.v[part]], axis=1) for part in parts]
    tints = [colors[part[0]] for part in parts]
    axis.add_collection(LineCollection(lines, colors=tints, linewidths=0.8, alpha=0.6))


def _errors(
    axis: Any, projection: Projection, state: np.ndarray, shown: np.ndarray, size: float
) -> list[Any]:
    """Draws the kinds of error; returns their legend entries."""
    _background(axis, projection, shown)
    handles = []
    for kind, color, marker, label in ERROR_KINDS:
        chosen = (state == kind) & shown
        if not chosen.any():
            continue
        wrong = kind in (ELSEWHERE, UNASSIGNED, IN_PART, NOISE_TAKEN)
        points = size * (1.6 if wrong else 0.5)
        axis.scatter(projection.u[chosen], projection.v[chosen], s=points, c=color, marker=marker,
                     linewidths=0)  # fmt: skip
        handles.append(legend_dot(color, f"{label} ({chosen.sum():,})", marker, markersize=5))
    right = np.isin(state, (RIGHT, NOISE_LEFT)) & shown
    counted = shown & (state != IGNORED)
    share = right.sum() / max(counted.sum(), 1)
    axis.set_title(f"errors: {share:.1%} of {counted.sum():,} nodes right")
    return handles
