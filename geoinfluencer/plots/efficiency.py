"""Efficiency against a variable, with binomial intervals."""

from __future__ import annotations

import numpy as np

from geoinfluencer.metrics import BinnedEfficiency
from geoinfluencer.plots.figures import GOOD, PALETTE, Figure, drawing, render

FEW = 5  # particles below which a bin says little and is drawn faint


def efficiency_figure(key: str, curve: BinnedEfficiency, note: str = "") -> Figure:
    """Double-majority efficiency in bins, the number of particles behind it as a histogram.

    Args:
        key: name of the variable, ``pt`` or ``eta``.
        curve: passed and total per bin.
        note: the window in words.
    """
    centre = 0.5 * (curve.edges[1:] + curve.edges[:-1])
    low, high = curve.interval()
    filled, sure = curve.total > 0, curve.total >= FEW
    with drawing(7.0, 4.2) as canvas:
        axis = canvas.subplots()
        counts = axis.twinx()
        counts.stairs(curve.total, curve.edges, fill=True, color=GOOD, alpha=0.35)
        counts.set_ylabel("particles per bin", color="#6B8CA6")
        counts.tick_params(axis="y", colors="#6B8CA6")
        counts.set_ylim(0, 3.0 * max(int(curve.total.max(initial=0)), 1))
        counts.grid(False)
        axis.set_zorder(counts.get_zorder() + 1)
        axis.patch.set_visible(False)
        for chosen, alpha, face in ((sure, 1.0, PALETTE[0]), (filled & ~sure, 0.3, "white")):
            spread = np.stack([curve.efficiency - low, high - curve.efficiency])
            axis.errorbar(
                centre[chosen],
                curve.efficiency[chosen],
                xerr=0.5 * np.diff(curve.edges)[chosen],
                yerr=spread[:, chosen].clip(min=0),
                fmt="o",
                color=PALETTE[0],
                markerfacecolor=face,
                alpha=alpha,
                markersize=4,
                elinewidth=1.2,
            )
        if key == "pt" and filled.any():
            axis.set_xscale("log")
            axis.set_xlim(curve.edges[:-1][filled][0], curve.edges[1:][filled][-1])
            axis.xaxis.set_major_formatter("{x:g}")
        axis.set_ylim(0, 1.05)
        axis.set_xlabel({"pt": "pT [GeV]", "eta": "pseudorapidity"}.get(key, curve.name))
        axis.set_ylabel("double-majority efficiency")
        axis.axhline(1.0, color="#888888", linewidth=0.6)
        png = render(canvas)
    total = int(curve.total.sum())
    against = {"pt": "transverse momentum", "eta": "pseudorapidity"}.get(key, key)
    caption = (
        f"{total:,} particles. Bars: bin widths, and Clopper-Pearson intervals at 68 %. {note}"
        + (f" Hollow and faint: fewer than {FEW} particles." if (filled & ~sure).any() else "")
        + (" Particles below pT_min are drawn, not scored." if key == "pt" else "")
    )
    return Figure(f"efficiency-{key}", "Efficiency", f"Efficiency against {against}", caption, png)
