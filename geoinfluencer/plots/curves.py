"""Learning curves and the calibration of the condensation's threshold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from geoinfluencer.plots.figures import PALETTE, Figure, drawing, render

Rows = Sequence[Mapping[str, float]]


def loss_figure(rows: Rows) -> Figure | None:
    """Loss terms and learning rate against the step; None without rows.

    Args:
        rows: of the training log: ``step``, ``train/<term>``, ``train/learning_rate``.
    """
    if not rows:
        return None
    steps = _column(rows, "step")
    terms = [key for key in rows[0] if key.startswith("train/") and key != "train/learning_rate"]
    with drawing(9.0, 4.2) as canvas:
        axis = canvas.subplots()
        for i, key in enumerate(terms):
            name, color = key.removeprefix("train/"), PALETTE[i % len(PALETTE)]
            values = _column(rows, key)
            smooth = _smooth(values)
            if len(values) > 20:
                axis.plot(steps, values, color=color, linewidth=0.5, alpha=0.3)
            total = name == "total"
            axis.plot(steps, smooth, color="black" if total else color,
                      label="total (weighted)" if total else name, linewidth=1.8 if total else 1.4,
                      marker="o" if len(values) < 20 else None, markersize=3)  # fmt: skip
        positive = [v for key in terms for v in _column(rows, key) if v > 0]
        if positive:
            axis.set_yscale("log")
            axis.set_ylim(max(min(positive), 1e-4 * max(positive)), 1.5 * max(positive))
        axis.set_xlabel("optimisation step")
        axis.set_ylabel("loss terms and their weighted sum")
        if "train/learning_rate" in rows[0]:
            rate = axis.twinx()
            rate.plot(steps, _column(rows, "train/learning_rate"), color="#999999", linewidth=1,
                      linestyle=":")  # fmt: skip
            rate.set_ylabel("learning rate (dotted)", color="#777777")
            rate.set_ylim(bottom=0)
            rate.grid(False)
        axis.legend(loc="upper right", ncols=2)
        png = render(canvas)
    caption = (
        f"{len(rows):,} logged steps, the last at step {int(steps[-1]):,}. Thick lines: running "
        "means. The coloured terms are unweighted; the total (black) is their sum with the weights "
        "of the configuration."
    )
    return Figure("loss", "Learning", "Loss terms", caption, png)


def validation_figure(rows: Rows, shown: Sequence[str], best_step: int | None) -> Figure | None:
    """Metrics on ``val`` against the step; None without rows.

    Args:
        rows: of the validation log: ``step``, ``val/<metric>``.
        shown: metrics to draw.
        best_step: marked with a line; None: no line.
    """
    if not rows:
        return None
    steps = _column(rows, "step")
    with drawing(9.0, 4.2) as canvas:
        axis = canvas.subplots()
        drawn = [name for name in shown if f"val/{name}" in rows[0]]
        for i, name in enumerate(drawn):
            axis.plot(steps, _column(rows, f"val/{name}"), color=PALETTE[i % len(PALETTE)],
                      marker="o", markersize=3, linewidth=1.4, label=name)  # fmt: skip
        if best_step is not None:
            axis.axvline(best_step, color="#555555", linestyle="--", linewidth=1)
            axis.annotate(" best.ckpt", (best_step, 1.03), fontsize=8, color="#555555")
        axis.set_ylim(-0.02, 1.08)
        axis.set_xlabel("optimisation step")
        axis.set_ylabel("metric on val")
        axis.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
        png = render(canvas)
    caption = (
        f"{len(rows)} validations. At each one the threshold of the condensation was chosen on "
        "calib, then the metrics were computed on val."
    )
    return Figure("validation", "Learning", "Metrics on held-out samples", caption, png)


_THRESHOLDS = {  # name -> axis label, name in a sentence
    "radius": ("condensation radius (units of the embedding)", "radius"),
    "min_iou": ("least agreement of a query's mask with its nodes (IoU)", "least agreement"),
    "min_quality": ("least quality of a query", "least quality"),  # of older checkpoints
}


def calibration_figure(rows: Rows, chosen: Mapping[str, Any]) -> Figure | None:
    """Score and number of instances against the threshold; None without a grid.

    Args:
        rows: ``radius`` or ``min_iou``, ``score``, ``instances`` per value tried.
        chosen: the value under the same name, where it is known.
    """
    if len(rows) < 2:
        return None
    name = next(name for name in _THRESHOLDS if name in rows[0])
    (label, words), value = _THRESHOLDS[name], chosen.get(name)
    tried = _column(rows, name)
    with drawing(7.0, 3.8) as canvas:
        axis = canvas.subplots()
        axis.plot(tried, _column(rows, "score"), color=PALETTE[0], marker="o", markersize=4)
        axis.set_xlabel(label)
        axis.set_ylabel("calibration score", color=PALETTE[0])
        found = axis.twinx()
        found.plot(tried, _column(rows, "instances"), color=PALETTE[1], marker="s", markersize=3,
                   linewidth=1)  # fmt: skip
        found.set_ylabel("instances per sample", color="#9C6C00")
        found.set_ylim(bottom=0)
        found.grid(False)
        if value is not None:
            axis.axvline(value, color="#555555", linestyle="--", linewidth=1)
            axis.annotate(f" {value:g}", (value, axis.get_ylim()[0]), fontsize=9, va="bottom")
        png = render(canvas)
    caption = (
        "Tried on the calib split, which is neither trained on nor scored. Dashed: the chosen "
        f"{words}, stored in the checkpoint; of equal scores the middle one is taken."
    )
    return Figure("calibration", "Calibration", f"Choice of the {words}", caption, png)


def _column(rows: Rows, key: str) -> np.ndarray:
    return np.array([float(row.get(key, np.nan)) for row in rows])


def _smooth(values: np.ndarray) -> np.ndarray:
    """Centred running mean over about a fortieth of the curve."""
    width = max(1, len(values) // 40)
    if width == 1:
        return values
    kernel = np.ones(width)
    total = np.convolve(values, kernel, mode="same")
    return total / np.convolve(np.ones_like(values), kernel, mode="same")
