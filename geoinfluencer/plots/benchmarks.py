"""Timings: time and memory against the number of points, and how often slower the others are."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from geoinfluencer.plots.figures import PALETTE, Figure, drawing, render


@dataclass(frozen=True)
class Growth:
    """A curve: of one contestant on one case, sizes ascending.

    Attributes:
        name: contestant.
        points: N.
        ms, peak_mb: of each; ``peak_mb`` may be NaN.
        line: c in ms of c N log N, drawn behind; None: no line.
    """

    name: str
    points: Sequence[int]
    ms: Sequence[float]
    peak_mb: Sequence[float]
    line: float | None = None


@dataclass(frozen=True)
class Ratios:
    """A group of bars: contestant -> its time in units of ours; None: it was not timed."""

    case: str
    ratio: Mapping[str, float | None]


def growth_figure(key: str, title: str, curves: Sequence[Growth], caption: str) -> Figure:
    """Time (left) and added memory (right) against N, both on logarithmic axes.

    Args:
        key: stem of the file name.
        title: of the case.
        curves: ours first.
        caption: machine and threads, in words.
    """
    sizes = _apart(sorted({size for curve in curves for size in curve.points}))
    with drawing(9.6, 4.2) as canvas:
        time, memory = canvas.subplots(1, 2)
        for number, curve in enumerate(curves):
            color = PALETTE[number % len(PALETTE)]
            style: dict[str, Any] = {"color": color, "marker": "o", "markersize": 4}
            style["linewidth"] = 2.0 if number == 0 else 1.2
            time.plot(curve.points, curve.ms, label=curve.name, **style)
            kept = [(n, mb) for n, mb in zip(curve.points, curve.peak_mb, strict=True) if mb > 0]
            if kept:
                memory.plot(*zip(*kept, strict=True), **style)
            if curve.line is not None:
                n = np.geomspace(curve.points[0], curve.points[-1], 50)
                time.plot(n, curve.line * n * np.log(n), color="#555555",
                          linestyle="--", linewidth=1, zorder=1, label="c N log N")  # fmt: skip
        for axis, what in ((time, "time [ms]"), (memory, "added memory [MB]")):
            axis.set_xscale("log")
            axis.set_yscale("log")
            axis.set_xticks(sizes, [short_count(size) for size in sizes])
            axis.set_xticks([], minor=True)
            axis.set_xlabel("points N")
            axis.set_ylabel(what)
        time.legend(loc="upper left")
        canvas.suptitle(title, fontsize=11)
        png = render(canvas)
    return Figure(key, "Growth", title, caption, png)


def ratio_figure(key: str, title: str, groups: Sequence[Ratios], caption: str) -> Figure:
    """How many times longer each contestant takes than ours, on a logarithmic axis.

    Args:
        key: stem of the file name.
        title: of the picture.
        groups: cases, from top to bottom.
        caption: machine and threads, in words.
    """
    names = list(dict.fromkeys(name for group in groups for name in group.ratio))
    height, place, ticks = 0.8, 0.0, []
    with drawing(9.0, 1.3 + 0.24 * sum(map(_lines, groups))) as canvas:
        axis = canvas.subplots()
        for group in groups:
            start = place
            for name, value in group.ratio.items():
                if value is None:
                    continue
                color = PALETTE[1 + names.index(name) % (len(PALETTE) - 1)]
                axis.barh(place, max(value, 1e-3) - 1, height, left=1, color=color)
                digits = ",.0f" if value >= 100 else ".3g"
                axis.text(max(value, 1.0), place, f" {name} {value:{digits}}x", va="center",
                          fontsize=7.5)  # fmt: skip
                place += 1
            left_out = [name for name, value in group.ratio.items() if value is None]
            if left_out:
                text = f" not timed: {', '.join(left_out)}"
                axis.text(1.0, place, text, va="center", fontsize=7, color="#777777")
                place += 1
            ticks.append(0.5 * (start + place - 1))
            place += 1
        axis.set_yticks(ticks, [group.case for group in groups])
        axis.set_ylim(place - 0.5, -1)
        axis.set_xscale("log")
        timed = [v for group in groups for v in group.ratio.values() if v is not None and v > 0]
        top, low = max([10.0, *timed]), min([1.0, *timed])
        axis.set_xlim(0.8 * low, top * 10 ** (0.18 * math.log10(top / low)) * 3)
        axis.xaxis.set_major_formatter("{x:,g}")
        axis.axvline(1.0, color=PALETTE[0], linewidth=1.5)
        axis.tick_params(axis="y", length=0)
        axis.grid(False, axis="y")
        axis.set_xlabel("time, in units of ours (1 = the line)")
        axis.set_title(title)
        png = render(canvas)
    return Figure(key, "Ratios", title, caption, png)


def short_count(number: int) -> str:
    """10000 as 10k, 2500000 as 2.5M, and what is not round in full."""
    for size, letter in ((1_000_000, "M"), (1000, "k")):
        if number >= size and number % (size // 10) == 0:
            return f"{number / size:g}{letter}"
    return str(number)


def _apart(sizes: Sequence[int]) -> list[int]:
    """Ascending sizes without those whose labels on a logarithmic axis would touch the last one."""
    kept = [sizes[0]]
    for size in sizes[1:]:
        if size >= 1.8 * kept[-1]:
            kept.append(size)
    return kept


def _lines(group: Ratios) -> int:
    """Height of a group: its bars, a line for those without, a gap."""
    timed = sum(value is not None for value in group.ratio.values())
    return timed + (timed < len(group.ratio)) + 1
