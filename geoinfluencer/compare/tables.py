"""results.json, results.csv, and the tables of results.md and the report."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from geoinfluencer.compare.curves import median_or_never
from geoinfluencer.compare.findings import quality_differences, reachings, step_seconds
from geoinfluencer.compare.folder import CompareFolder, Row, write_values
from geoinfluencer.compare.outcome import Outcome
from geoinfluencer.files.atomic import atomic_path


@dataclass(frozen=True)
class Table:
    """A heading (may be empty), the names of the columns, and rows of text."""

    heading: str
    head: tuple[str, ...]
    cells: Sequence[tuple[str, ...]]

    def markdown(self) -> str:
        """As Markdown."""
        rows = [self.head, ("---",) * len(self.head), *self.cells]
        lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
        return "\n".join(([f"### {self.heading}", ""] if self.heading else []) + lines)


def write_rows(folder: CompareFolder, rows: Sequence[Row]) -> None:
    """The rows as a JSON list and as CSV with the same columns."""
    plain = [{key: _plain(value) for key, value in row.items()} for row in rows]
    write_values(folder.results, plain)
    columns = list(dict.fromkeys(key for row in plain for key in row))
    with atomic_path(folder.table) as temporary, temporary.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        writer.writerows(plain)


def free_table(outcome: Outcome, group: str) -> Table:
    """Of free logits: a line per loss."""
    quality, steps = outcome.values(group, "recovered"), outcome.values(group, "steps_to_99")
    seconds, apart = step_seconds(outcome, group), _apart(outcome, group)
    cells = []
    for loss, seeds in quality.items():
        reached = [None if math.isnan(v) else v for v in steps[loss].values()]
        got = [v for v in reached if v is not None]
        median = median_or_never(reached)
        cells.append((
            loss, str(len(seeds)), spread(seeds.values()),
            "never" if median is None else f"{median:g}",
            f"{min(got):g} to {max(got):g}" if got else "",
            f"{len(got)} of {len(reached)}", milliseconds(seconds.get(loss, {}).values()),
            apart.get(loss, ""),
        ))  # fmt: skip
    head = ("loss", "seeds", "recovered (worst to best)", "steps to 0.99", "range", "reached",
            "ms in the loss per step", f"recovered less {outcome.reference}'s (95 %)")  # fmt: skip
    return Table(group, head, cells)


def training_table(outcome: Outcome, group: str) -> Table:
    """Of training runs: a line per loss."""
    quality = outcome.subject.quality
    values, apart = outcome.values(group, quality), _apart(outcome, group)
    seconds, shares = step_seconds(outcome, group), outcome.values(group, "loss_share")
    steps = outcome.values(group, "steps")
    reach = {entry.loss: entry for entry in reachings(outcome, group)}
    metric = quality.removeprefix("final_")
    best = outcome.values(group, metric)
    cells = []
    for loss, seeds in values.items():
        entry = reach.get(loss)
        when = "" if entry is None else "never"
        if entry is not None and entry.steps is not None:
            when = f"{entry.steps:g}"
            when += "" if entry.seconds is None else f", {entry.seconds / 60:.2g} min"
        share = [v for v in shares[loss].values() if math.isfinite(v)]
        cells.append((
            loss, str(len(seeds)), f"{np.mean(list(steps[loss].values())):,.0f}",
            spread(seeds.values()), spread(best[loss].values()), apart.get(loss, ""), when,
            milliseconds(seconds.get(loss, {}).values()),
            f"{100 * np.mean(share):.0f} %" if share else "",
        ))  # fmt: skip
    goal = f"{outcome.reference}'s final quality"
    head = ("loss", "seeds", "steps", f"{metric} at the end (worst to best)", "by best.ckpt",
            f"end less {outcome.reference}'s (95 %)", f"to {goal}",
            "ms per step", "in the loss")  # fmt: skip
    return Table(group, head, cells)


def scaling_table(outcome: Outcome, group: str) -> Table:
    """Of single steps: a line per loss, a column per number of nodes."""
    rows = [row for row in outcome.rows if outcome.subject.group(row) == group]
    counts = sorted({row["nodes"] for row in rows})
    found = {(row["loss"], row["nodes"]): row for row in rows}
    cells = []
    for loss in outcome.losses:
        line = [loss]
        for count in counts:
            row = found.get((loss, count))
            memory = (
                "" if row is None or row["added_mb"] is None else f", {row['added_mb']:,.0f} MiB"
            )
            line.append("" if row is None else f"{1e3 * row['seconds']:,.3g} ms{memory}")
        cells.append(tuple(line))
    return Table(group, ("loss", *(f"N = {count:,}" for count in counts)), cells)


def _apart(outcome: Outcome, group: str) -> dict[str, str]:
    words = {outcome.reference: "reference"}
    for difference in quality_differences(outcome, group):
        if not difference.differences:
            continue
        text = f"{difference.seeds.mean:+.4f}"
        if not math.isnan(difference.seeds.low):
            text += f" ({difference.seeds.low:+.4f} to {difference.seeds.high:+.4f})"
        words[difference.loss] = text + (" *" if difference.significant else "")
    return words


def spread(values: Iterable[float]) -> str:
    """Mean, worst and best of what is finite."""
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return "failed"
    if len(finite) == 1:
        return f"{finite[0]:.4f}"
    return f"{np.mean(finite):.4f} ({min(finite):.4f} to {max(finite):.4f})"


def milliseconds(seconds: Iterable[float]) -> str:
    """Their median."""
    found = list(seconds)
    return f"{1e3 * np.median(found):.3g}" if found else ""


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
