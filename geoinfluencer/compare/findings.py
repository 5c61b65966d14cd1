"""What a comparison found, in plain sentences."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from geoinfluencer.compare.curves import Reaching, median_or_never, reaching
from geoinfluencer.compare.outcome import Outcome
from geoinfluencer.compare.scaling import crossover
from geoinfluencer.compare.statistics import (
    Difference,
    bootstrap_seeds,
    differences,
    holm,
    paired_p,
)


def criterion(counted: str) -> str:
    """What "significant" means, where Holm's correction is for the number of ``counted``."""
    return (
        "Significant means: the 95 % bootstrap interval of the difference over seeds excludes 0, "
        f"and a paired t test, corrected for the number of {counted} (Holm), agrees at 5 %. Not "
        "significant does not mean equal: with few seeds only large differences are seen."
    )


def quality_differences(outcome: Outcome, group: str) -> list[Difference]:
    """Every loss against the reference, by the quality that decides."""
    values = outcome.values(group, outcome.subject.quality)
    if outcome.reference not in values:
        return []
    return differences(values, outcome.reference, outcome.sample_values(group))


def quality_sentences(outcome: Outcome, group: str) -> list[str]:
    """One sentence per loss: better, worse, or not known; those with no difference share one."""
    values = outcome.values(group, outcome.subject.quality)
    name = outcome.reference
    same, sentences = [], []
    of_all = _mean(values.get(name, {}))
    for difference in quality_differences(outcome, group):
        seeds, found = len(difference.differences), difference.seeds
        if not seeds:
            sentences.append(f"{difference.loss} has no seed in common with {name}.")
        elif not any(difference.differences):
            same.append(difference.loss)
        else:
            both = values[difference.loss].keys() & values[name].keys()
            mine, base = (
                _mean({s: values[loss][s] for s in both}) for loss in (difference.loss, name)
            )
            numbers = f"{mine:.4f} against {base:.4f}, difference {found.mean:+.4f}"
            if seeds == 1:
                numbers += " in one seed, of which nothing can be said"
            else:
                numbers += f" (95 % interval {found.low:+.4f} to {found.high:+.4f}, {seeds} seeds)"
            if difference.samples is not None and not math.isnan(difference.samples.low):
                numbers += (
                    f"; best.ckpt over seeds and samples {difference.samples.low:+.4f} to "
                    f"{difference.samples.high:+.4f}"
                )
            sentences.append(f"{difference.loss} {_verdict(difference)} {name}: {numbers}.")
    if same:
        sentences.insert(0, f"The same as {name} in every seed, {of_all:.4f}: {', '.join(same)}.")
    return sentences


def _verdict(difference: Difference) -> str:
    if not difference.significant:
        return "does not differ significantly from"
    return f"is significantly {'better' if difference.seeds.mean > 0 else 'worse'} than"


def failure_sentences(outcome: Outcome) -> list[str]:
    """Runs that a loss brought to an end."""
    found = []
    for loss in outcome.losses:
        rows = [row for row in outcome.rows if row["loss"] == loss and row["failure"]]
        runs = {(outcome.subject.group(row), row["seed"], row.get("kind")) for row in rows}
        if rows:
            found.append(
                f"{loss} failed in {len(runs)} run{'s'[: len(runs) > 1]}, the first with seed "
                f"{rows[0]['seed']}: {rows[0]['failure']}"
            )
    return found


def target_of(outcome: Outcome, group: str) -> float:
    """The quality that the reference ends with, mean over its seeds; NaN: it has none."""
    return _mean(outcome.values(group, outcome.subject.quality).get(outcome.reference, {}))


def reachings(outcome: Outcome, group: str) -> list[Reaching]:
    """How long each loss takes to the quality that the reference ends with."""
    target, curves = target_of(outcome, group), outcome.curves_of(group)
    if math.isnan(target):
        return []
    return [reaching(loss, mine, target) for loss, mine in curves.items()]


def reaching_sentences(outcome: Outcome, group: str) -> list[str]:
    """Steps to the reference's final quality, against the reference's own."""
    found = {entry.loss: entry for entry in reachings(outcome, group)}
    base = found.pop(outcome.reference, None)
    target, name = target_of(outcome, group), outcome.reference
    if base is None or base.steps is None or target <= 0:  # whoever learns nothing has no lead
        return []
    last = max(curve.step[-1] for curve in outcome.curves_of(group)[name])
    sentences = [
        f"{name} ends with {target:.4f} after {last:g} steps (mean over seeds) and is there for "
        f"the first time at step {base.steps:g}."
    ]
    for entry in found.values():
        seeds = f"single seeds: {entry.reached} of {entry.seeds}"
        if entry.steps is None:
            sentences.append(f"{entry.loss} does not get there ({seeds}).")
        else:
            own, first = entry.steps / last, entry.steps / base.steps
            sentences.append(
                f"{entry.loss} is there at step {entry.steps:g}: {own:.2g} of {name}'s {last:g}, "
                f"{first:.2g} times the step of its first time ({seeds})."
            )
    return sentences


def steps_sentences(outcome: Outcome, group: str) -> list[str]:
    """Free logits: steps until 99 % are recovered, against the reference's, in one sentence."""
    values = outcome.values(group, "steps_to_99")
    medians = {loss: _median(mine) for loss, mine in values.items()}
    base, parts = medians.get(outcome.reference), []
    for loss, median in medians.items():
        missed, seeds = sum(map(math.isnan, values[loss].values())), len(values[loss])
        if median is None:
            parts.append(
                f"{loss} never" + (f" in {missed} of {seeds} seeds" if missed < seeds else "")
            )
            continue
        words = f"{loss} {median:g}"
        if base and loss != outcome.reference:
            words += f" ({median / base:.2g} times {outcome.reference}'s)"
        parts.append(words + (f", in {missed} of {seeds} seeds never" if missed else ""))
    return [f"Steps until 99 % are recovered for the first time, medians: {'; '.join(parts)}."]


def time_sentences(outcome: Outcome, group: str, what: str) -> list[str]:
    """Time of a step, as a ratio to the reference's in the same seed, in one sentence."""
    times = step_seconds(outcome, group)
    base = times.get(outcome.reference)
    if not base:
        return []
    ratios = {
        loss: [math.log(mine[seed] / base[seed]) for seed in sorted(mine) if seed in base]
        for loss, mine in times.items()
        if loss != outcome.reference and any(seed in base for seed in mine)
    }
    parts = []
    corrected = holm([paired_p(values) for values in ratios.values()])
    for (loss, values), p in zip(ratios.items(), corrected, strict=True):
        found = bootstrap_seeds(values)
        words = f"{loss} {math.exp(found.mean):.3g}"
        if not math.isnan(found.low):
            sure = "" if found.excludes_zero and p < 0.05 else ", not significant"
            words += f" ({math.exp(found.low):.3g} to {math.exp(found.high):.3g}{sure})"
        parts.append(words)
    return [f"Time of {what}, in units of {outcome.reference}'s: {'; '.join(parts)}."] * bool(parts)


def step_seconds(outcome: Outcome, group: str) -> dict[str, dict[int, float]]:
    """Loss -> seed -> seconds per step."""
    steps, seconds = outcome.values(group, "steps"), outcome.values(group, "seconds")
    return {
        loss: {
            seed: value / steps[loss][seed]
            for seed, value in mine.items()
            if steps[loss][seed] > 0 and value > 0
        }
        for loss, mine in seconds.items()
    }


def crossover_sentences(outcome: Outcome, group: str) -> list[str]:
    """Loss scaling: from which N on each loss is quicker than the reference."""
    curves: dict[str, dict[int, float]] = {}
    for row in outcome.rows:
        if outcome.subject.group(row) == group:
            curves.setdefault(row["loss"], {})[row["nodes"]] = row["seconds"]
    base = curves.pop(outcome.reference, {})
    return [
        f"{loss}, against {outcome.reference}, {crossover(mine, base)}."
        for loss, mine in curves.items()
    ]


def _mean(values: dict[int, float]) -> float:
    finite = [value for value in values.values() if math.isfinite(value)]
    return float(np.mean(finite)) if finite else math.nan


def _median(values: dict[int, float]) -> float | None:
    listed: Sequence[float | None] = [None if math.isnan(v) else v for v in values.values()]
    return median_or_never(listed)
