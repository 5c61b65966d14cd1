"""Time and memory of a loss against the number of nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from geoinfluencer.plots.comparison import line_style, logarithmic_axis
from geoinfluencer.plots.direct_labels import label_ends
from geoinfluencer.plots.figures import Figure, drawing, render

Series = Mapping[int, float]  # N -> value


def scaling_figure(
    key: str,
    section: str,
    title: str,
    time: Mapping[str, Series],
    memory: Mapping[str, Series],
    names: Sequence[str],
    caption: str,
) -> Figure:
    """Milliseconds (left) and MiB (right) against N on logarithmic axes, names at the lines' ends.

    Args:
        key, section, title, caption: of the figure.
        time, memory: loss -> N -> value; values that are not positive are left out.
        names: all losses of the report, which fixes the colours.
    """
    with drawing(11.0, 4.6) as canvas:
        axes = canvas.subplots(1, 2)
        labelled = []
        for axis, curves, label in (
            (axes[0], time, "one step [ms]"),
            (axes[1], memory, "added memory [MiB]"),
        ):
            axis.set_xscale("log")
            axis.set_yscale("log")  # before the margins are chosen
            ends = []
            for name, values in curves.items():
                kept = sorted((n, value) for n, value in values.items() if value > 0)
                if not kept:
                    continue
                style = line_style(names, name)
                axis.plot(*zip(*kept, strict=True), marker="o", markersize=3.5, linewidth=1.6,
                          **style)  # fmt: skip
                ends.append((name, style["color"], float(kept[-1][0]), kept[-1][1]))
            axis.set_xlabel("nodes N")
            axis.set_ylabel(label)
            axis.margins(x=0.03)
            for which in "xy":
                logarithmic_axis(axis, which)
            labelled.append((axis, ends))
        canvas.suptitle(title, fontsize=11)
        canvas.draw_without_rendering()
        for axis, ends in labelled:
            label_ends(axis, ends)
        png = render(canvas)
    return Figure(key, section, title, caption, png)
