"""Losses against each other: learning curves, differences with their intervals, steps needed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.ticker import LogLocator, NullFormatter

from geoinfluencer.plots.direct_labels import label_ends
from geoinfluencer.plots.figures import PALETTE, Figure, drawing, render

# A second sign beside the colour; five, so that twelve colours make sixty different lines.
STYLES = ("-", "--", "-.", (0, (1, 1.2)), (0, (6, 1.5, 1, 1.5, 1, 1.5)))


@dataclass(frozen=True)
class Line:
    """A line with a band around it.

    Attributes:
        name: of the loss.
        x: (T,) places.
        mean, low, high: (T,) over seeds.
    """

    name: str
    x: np.ndarray
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray


def line_style(names: Sequence[str], name: str) -> dict[str, Any]:
    """Colour and dashes of a name, the same in all figures that share the list of names."""
    index = list(names).index(name)
    return {"color": PALETTE[index % len(PALETTE)], "linestyle": STYLES[index % len(STYLES)]}


def curves_figure(
    key: str,
    section: str,
    title: str,
    panels: Sequence[tuple[str, Sequence[Line]]],
    names: Sequence[str],
    quality: str,
    caption: str,
    *,
    target: float | None = None,
    logarithmic: bool = False,
) -> Figure:
    """Quality against several things, one panel each; names at the ends of the last panel's lines.

    Args:
        key, section, title, caption: of the figure.
        panels: label of the x axis and the lines.
        names: all losses of the report, which fixes the colours.
        quality: label of the y axis.
        target: a level to mark; None: none.
        logarithmic: x axes; places at 0 are left out.
    """
    with drawing(11.0, 4.4) as canvas:
        axes = np.atleast_1d(canvas.subplots(1, len(panels), sharey=True))
        ends: list[tuple[str, str, float, float]] = []
        for axis, (label, lines) in zip(axes, panels, strict=True):
            ends = []
            for line in map(_positive, lines) if logarithmic else lines:
                if not len(line.x):
                    continue
                style = line_style(names, line.name)
                axis.fill_between(line.x, line.low, line.high, color=style["color"], alpha=0.13,
                                  linewidth=0)  # fmt: skip
                few = len(line.x) < 25
                axis.plot(line.x, line.mean, linewidth=1.7, marker="o" if few else None,
                          markersize=3, **style)  # fmt: skip
                ends.append((line.name, style["color"], float(line.x[-1]), float(line.mean[-1])))
            if target is not None:
                axis.axhline(target, color="#777777", linewidth=0.9, linestyle=":", zorder=1)
            if logarithmic:
                logarithmic_axis(axis, "x")
            else:
                axis.margins(x=0.02)
            axis.set_xlabel(label)
        axes[0].set_ylabel(quality)
        canvas.suptitle(title, fontsize=11)
        canvas.draw_without_rendering()  # the labels need to know where the lines end
        label_ends(axes[-1], ends)
        png = render(canvas)
    return Figure(key, section, title, caption, png)


@dataclass(frozen=True)
class Mark:
    """A row of dots: of one loss in one group.

    Attributes:
        name: of the loss.
        values: of the seeds; NaN: never.
        middle: the thick mark; None: none.
        low, high: of the bar; None: no bar.
    """

    name: str
    values: Sequence[float]
    middle: float | None
    low: float | None = None
    high: float | None = None


def marks_figure(
    key: str,
    section: str,
    title: str,
    groups: Mapping[str, Sequence[Mark]],
    names: Sequence[str],
    label: str,
    caption: str,
    *,
    zero: bool = False,
    logarithmic: bool = False,
) -> Figure:
    """Dots of the seeds with a thick middle, one panel per group, one line per loss.

    Args:
        key, section, title, caption: of the figure.
        groups: heading -> marks; every group has a line for each of its losses.
        names: all losses of the report, which fixes colours and order.
        label: of the x axes.
        zero: marks 0, for differences.
        logarithmic: x axes; values that are NaN stand at the right edge, as "never".
    """
    listed = [n for n in names if any(m.name == n for marks in groups.values() for m in marks)]
    rows = math.ceil(len(groups) / 2)
    columns = min(2, len(groups))
    height = rows * (0.9 + 0.3 * len(listed)) + 0.5
    with drawing(5.0 + 3.0 * columns, max(2.2, height)) as canvas:
        axes = canvas.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
        most = [mark for marks in groups.values() for mark in marks]
        limits = _limits(most, logarithmic)
        for axis, (heading, marks) in zip(axes, groups.items(), strict=False):
            axis.set_xlim(limits)
            _marks(axis, marks, listed, names, logarithmic)
            axis.tick_params(labelbottom=True)
            if zero:
                axis.axvline(0, color="#555555", linewidth=1, zorder=1)
            if len(groups) > 1:
                axis.set_title(heading)
            axis.set_xlabel(label)
            axis.grid(False, axis="y")
        for axis in axes[len(groups) :]:
            axis.set_visible(False)
        axes[0].set_yticks(range(len(listed)), listed)
        axes[0].set_ylim(len(listed) - 0.4, -0.6)
        canvas.suptitle(title, fontsize=11)
        png = render(canvas)
    return Figure(key, section, title, caption, png)


def _marks(
    axis: Any, marks: Sequence[Mark], listed: Sequence[str], names: Sequence[str], log: bool
) -> None:
    never = axis.get_xlim()[1] / 1.7
    for mark in marks:
        place, color = listed.index(mark.name), line_style(names, mark.name)["color"]
        if mark.low is not None and mark.high is not None:
            axis.plot([mark.low, mark.high], [place, place], color=color, linewidth=2.2, alpha=0.8)
        values = np.array(mark.values, np.float64)
        there = np.isfinite(values)
        jitter = 0.16 * np.sin(2.4 * np.arange(len(values)))  # so that equal ones are seen
        axis.scatter(values[there], place + jitter[there], s=9, color=color, alpha=0.55,
                     linewidths=0)  # fmt: skip
        if mark.middle is not None and math.isfinite(mark.middle):
            axis.plot([mark.middle], [place], marker="D", color=color, markersize=6,
                      markeredgecolor="white", markeredgewidth=0.8)  # fmt: skip
        if log and (~there).any():
            axis.text(never, place, f"never: {(~there).sum()}", color=color, fontsize=7.5,
                      va="center", ha="center")  # fmt: skip
    if log:
        logarithmic_axis(axis, "x")


def _limits(marks: Sequence[Mark], log: bool) -> tuple[float, float]:
    """Of the x axis: all values and, on a logarithmic one, room for "never" at the right."""
    values = [v for m in marks for v in (*m.values, m.low, m.high) if v is not None]
    finite = [v for v in values if math.isfinite(v)] or [1.0]
    low, high = min(finite), max(finite)
    if log:
        return 0.8 * max(low, 1e-9), high * (3.5 if len(finite) < len(values) else 1.25)
    room = 0.05 * (high - low) or 0.05
    return low - room, high + room


def _positive(line: Line) -> Line:
    kept = line.x > 0
    return Line(line.name, line.x[kept], line.mean[kept], line.low[kept], line.high[kept])


def logarithmic_axis(axis: Any, which: str) -> None:
    """Makes the ``x`` or ``y`` axis logarithmic with plain numbers, at 1, 2 and 5 where there is
    room."""
    scale = getattr(axis, f"set_{which}scale")
    scale("log")
    low, high = getattr(axis, f"get_{which}lim")()
    ticks = getattr(axis, f"{which}axis")
    ticks.set_major_locator(LogLocator(subs=(1, 2, 5) if high / max(low, 1e-12) < 300 else (1,)))
    ticks.set_major_formatter("{x:,g}")
    ticks.set_minor_formatter(NullFormatter())
