"""The figures of a comparison, from what it found."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np

from geoinfluencer.compare.curves import Curve, band
from geoinfluencer.compare.findings import quality_differences, step_seconds, target_of
from geoinfluencer.compare.outcome import Outcome
from geoinfluencer.plots.comparison import Line, Mark, curves_figure, marks_figure
from geoinfluencer.plots.figures import Figure
from geoinfluencer.plots.scaling import scaling_figure

BANDS = "Lines: means over seeds; bands: from the worst to the best seed."
DOTS = "Dots: seeds; diamonds: {middle}{bar}."


def training_figures(outcome: Outcome) -> list[Figure]:
    """Of training runs: learning curves, final quality, time."""
    times = _times(outcome, "Time of a step, all included")
    return [*_curves(outcome), *_final(outcome), *times]


def free_figures(outcome: Outcome) -> list[Figure]:
    """Of free logits: the same, and the steps to 99 %."""
    times = _times(outcome, "Time of a step in the loss")
    return [*_curves(outcome, free=True), *_final(outcome), *_steps(outcome), *times]


def _curves(outcome: Outcome, *, free: bool = False) -> list[Figure]:
    found = []
    per_unit, label = (1e3, "milliseconds in the loss") if free else (60.0, "minutes of fitting")
    for group in outcome.groups:
        runs = outcome.curves_of(group)
        if not runs:
            continue
        steps = [_line(name, runs[name], "step") for name in outcome.losses if name in runs]
        times = [_line(name, runs[name], "seconds") for name in outcome.losses if name in runs]
        scale = per_unit if free else 1 / per_unit
        times = [Line(t.name, t.x * scale, t.mean, t.low, t.high) for t in times]
        target = target_of(outcome, group)
        dotted = "" if free or math.isnan(target) else (
            f" Dotted: the quality that {outcome.reference} ends with."
        )  # fmt: skip
        count = max(len(curves) for curves in runs.values())
        seeds = f"{count} seed{'s'[: count > 1]}"
        found.append(
            curves_figure(
                f"curves-{_slug(group)}" if group else "curves",
                "Learning curves",
                f"{outcome.subject.dataset}{', ' if group else ''}{group}",
                [("optimisation step", steps), (label, times)],
                outcome.losses,
                outcome.subject.quality.removeprefix("final_").replace("_", " "),
                f"{outcome.subject.words}. {BANDS} {seeds}.{dotted}",
                target=None if free or math.isnan(target) else target,
                logarithmic=free,
            )
        )
    return found


def _line(name: str, curves: Sequence[Curve], axis: str) -> Line:
    found = band(name, curves, axis)
    return Line(name, found.place, found.mean, found.low, found.high)


def _final(outcome: Outcome) -> list[Figure]:
    """The quality of every seed, and the differences to the reference."""
    quality = outcome.subject.quality
    label = quality.replace("_", " ")
    values: dict[str, list[Mark]] = {}
    apart: dict[str, list[Mark]] = {}
    for group in outcome.groups:
        mine = outcome.values(group, quality)
        heading = group or outcome.subject.dataset
        values[heading] = [
            Mark(name, list(seeds.values()), _mean(seeds.values())) for name, seeds in mine.items()
        ]
        apart[heading] = [
            Mark(d.loss, d.differences, d.seeds.mean, _finite(d.seeds.low), _finite(d.seeds.high))
            for d in quality_differences(outcome, group)
            if d.differences
        ]
    found = [
        marks_figure(
            "quality",
            "Final quality",
            f"{outcome.subject.dataset}: {label}",
            values,
            outcome.losses,
            label,
            DOTS.format(middle="means", bar=""),
        )
    ]
    if all(apart.values()):
        bar = "; bars: 95 % bootstrap intervals over seeds"
        found.append(
            marks_figure(
                "differences", "Final quality", f"{label}: difference to {outcome.reference}",
                apart, outcome.losses, f"difference to {outcome.reference}, same seed",
                DOTS.format(middle="means", bar=bar) + " Right of the line is better.", zero=True,
            )
        )  # fmt: skip
    return found


def _steps(outcome: Outcome) -> list[Figure]:
    groups = {
        group: [
            Mark(name, list(seeds.values()), float(np.median([v for v in seeds.values()
                 if math.isfinite(v)])) if any(map(math.isfinite, seeds.values())) else None)
            for name, seeds in outcome.values(group, "steps_to_99").items()
        ]
        for group in outcome.groups
    }  # fmt: skip
    caption = DOTS.format(middle="medians of the seeds that get there", bar="")
    return [
        marks_figure("steps-to-99", "Steps", "Steps until 99 % of the instances are recovered",
                     groups, outcome.losses, "steps", caption, logarithmic=True)
    ]  # fmt: skip


def _times(outcome: Outcome, what: str) -> list[Figure]:
    """Milliseconds per step."""
    groups = {}
    for group in outcome.groups:
        seconds = step_seconds(outcome, group)
        found = {name: [1e3 * s for s in seeds.values()] for name, seeds in seconds.items()}
        groups[group or outcome.subject.dataset] = [
            Mark(name, times, float(np.median(times))) for name, times in found.items() if times
        ]
    return [
        marks_figure("time-per-step", "Time", what, groups, outcome.losses, "ms per step",
                     DOTS.format(middle="medians", bar=""), logarithmic=True)
    ]  # fmt: skip


def scaling_figures(outcome: Outcome) -> list[Figure]:
    """Of single steps: time and memory against the number of nodes."""
    found = []
    for group in outcome.groups:
        time: dict[str, dict[int, float]] = {}
        memory: dict[str, dict[int, float]] = {}
        for row in outcome.rows:
            if outcome.subject.group(row) == group:
                time.setdefault(row["loss"], {})[row["nodes"]] = 1e3 * row["seconds"]
                memory.setdefault(row["loss"], {})[row["nodes"]] = row["added_mb"] or 0.0
        found.append(
            scaling_figure(
                f"scaling-{_slug(group)}", "Scaling", f"One loss step, {group}", time, memory,
                outcome.losses, "Forward and backward: medians of up to seven steps in rotating "
                "order. Memory: what the process grows by at the peak, the gradient of the logits "
                "included.",
            )
        )  # fmt: skip
    return found


def _mean(values: object) -> float | None:
    finite = [v for v in values if math.isfinite(v)]  # type: ignore[attr-defined]
    return float(np.mean(finite)) if finite else None


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _slug(group: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", group.replace(" = ", "")).strip("-")
