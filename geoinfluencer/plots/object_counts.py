"""Recall, queries and predictions against the number of objects in a scene."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.ticker import NullFormatter, NullLocator

from geoinfluencer.plots.comparison import Line
from geoinfluencer.plots.direct_labels import label_ends
from geoinfluencer.plots.figures import PALETTE, Figure, drawing, render


@dataclass(frozen=True)
class CountLine:
    """A loss with one kind of queries.

    Attributes:
        color: number of the loss, so that both kinds share a colour.
        dashed: of the fixed number of queries.
        line: against the number of objects.
    """

    color: int
    dashed: bool
    line: Line


def recall_figure(
    key: str,
    title: str,
    lines: Sequence[CountLine],
    *,
    queries: int,
    most_trained: int,
    caption: str,
) -> Figure:
    """Recall against the number of objects, with what a fixed number of queries allows.

    Args:
        key, title, caption: of the figure.
        lines: mean, worst and best seed of each.
        queries: M; min(1, M / K) is drawn dotted.
        most_trained: objects of the fullest training scenes, marked.
    """
    with drawing(9.0, 4.8) as canvas:
        axis = canvas.subplots()
        ends = _lines(axis, lines)
        counts = _counts(lines)
        fine = np.geomspace(counts[0], counts[-1], 200)
        bound = np.minimum(1.0, queries / fine)
        axis.plot(fine, bound, color="#555555", linewidth=1.1, linestyle=":", zorder=1)
        ends.append((f"min(1, {queries}/K)", "#555555", float(fine[-1]), float(bound[-1])))
        axis.set_ylim(0, 1.03)
        _count_axis(axis, counts, most_trained)
        axis.set_ylabel("recall")
        axis.set_title(title)
        canvas.draw_without_rendering()  # the labels need to know where the lines end
        label_ends(axis, ends)
        png = render(canvas)
    return Figure(key, "Recall", title, caption, png)


def numbers_figure(
    key: str,
    title: str,
    panels: Sequence[tuple[str, Sequence[CountLine]]],
    *,
    most_trained: int,
    caption: str,
) -> Figure:
    """Queries and predictions against the number of objects, which is itself the diagonal.

    Args:
        key, title, caption: of the figure.
        panels: label of the y axis and the lines.
        most_trained: objects of the fullest training scenes, marked.
    """
    with drawing(12.5, 4.4) as canvas:
        axes = np.atleast_1d(canvas.subplots(1, len(panels)))
        ends = []
        for axis, (label, lines) in zip(axes, panels, strict=True):
            counts = _counts(lines)
            axis.set_yscale("log")
            axis.plot(counts, counts, color="#555555", linewidth=1.1, linestyle=":", zorder=1)
            ends.append(_lines(axis, lines))
            _count_axis(axis, counts, most_trained)
            axis.yaxis.set_major_formatter("{x:,g}")
            axis.yaxis.set_minor_formatter(NullFormatter())
            axis.set_ylabel(label)
        canvas.suptitle(title, fontsize=11)
        canvas.draw_without_rendering()
        label_ends(axes[-1], ends[-1])
        png = render(canvas)
    return Figure(key, "Numbers", title, caption, png)


def course_figure(key: str, title: str, lines: Sequence[CountLine], *, caption: str) -> Figure:
    """Recall against the optimisation step.

    Args:
        key, title, caption: of the figure.
        lines: mean, worst and best seed of each.
    """
    with drawing(9.0, 4.4) as canvas:
        axis = canvas.subplots()
        ends = _lines(axis, lines)
        axis.set_xlabel("optimisation step")
        axis.set_ylabel("recall")
        axis.set_title(title)
        canvas.draw_without_rendering()
        label_ends(axis, ends)
        png = render(canvas)
    return Figure(key, "Learning curves", title, caption, png)


def _lines(axis: Any, lines: Sequence[CountLine]) -> list[tuple[str, str, float, float]]:
    ends = []
    for entry in lines:
        line, color = entry.line, PALETTE[entry.color % len(PALETTE)]
        axis.fill_between(line.x, line.low, line.high, color=color, alpha=0.13, linewidth=0)
        axis.plot(line.x, line.mean, color=color, linewidth=1.7, marker="o", markersize=3.5,
                  linestyle="--" if entry.dashed else "-")  # fmt: skip
        ends.append((line.name, color, float(line.x[-1]), float(line.mean[-1])))
    return ends


def _counts(lines: Sequence[CountLine]) -> np.ndarray:
    return np.unique(np.concatenate([entry.line.x for entry in lines]))


def _count_axis(axis: Any, counts: np.ndarray, most_trained: int) -> None:
    axis.set_xscale("log")
    axis.set_xticks(counts, [f"{count:g}" for count in counts])
    axis.xaxis.set_minor_locator(NullLocator())
    axis.set_xlabel("objects in a scene, K")
    if counts[0] <= most_trained < counts[-1]:
        axis.axvline(most_trained, color="#999999", linewidth=1.0, zorder=1)
        axis.text(most_trained, 0.02, " training ends", color="#777777", fontsize=7.5, va="bottom",
                  transform=axis.get_xaxis_transform())  # fmt: skip
