"""The table and the figures of ``compare --dataset object-counts``."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from geoinfluencer.compare.count_findings import (
    behind,
    course,
    gap_words,
    queries_of,
    rows_of,
)
from geoinfluencer.compare.curves import band
from geoinfluencer.compare.object_counts import INFLUENCER, LEARNED
from geoinfluencer.compare.outcome import Outcome
from geoinfluencer.compare.pictures import BANDS
from geoinfluencer.compare.tables import Table, milliseconds, spread
from geoinfluencer.plots.comparison import Line
from geoinfluencer.plots.figures import Figure
from geoinfluencer.plots.object_counts import (
    CountLine,
    course_figure,
    numbers_figure,
    recall_figure,
)


@dataclass(frozen=True)
class _Cell:
    """Of one kind at one count, over seeds."""

    recall: str
    predicted: str
    queries: str


def table(outcome: Outcome, loss: str) -> Table:
    """A line per count: both kinds, and how far apart they are."""
    gaps, queries = behind(outcome, loss), queries_of(outcome, loss)
    counts = sorted({row["instances"] for row in outcome.rows if row["loss"] == loss})
    cells = []
    for count in counts:
        mine, fixed = (_cell(outcome, loss, kind, count) for kind in (INFLUENCER, LEARNED))
        gap = gaps.get(count)
        apart = "" if gap is None else f"{gap.seeds.mean:+.3f}"
        if gap is not None and not math.isnan(gap.seeds.low):
            apart = gap_words(gap) + (" *" if gap.significant else "")
        cells.append((
            str(count), mine.recall, mine.queries, mine.predicted, fixed.recall,
            f"{min(1.0, queries / count):.3f}", fixed.predicted, apart,
        ))  # fmt: skip
    spent = (_spent(outcome, loss, kind) for kind in (INFLUENCER, LEARNED))
    cells.append(("training", next(spent), "", "", next(spent), "", "", ""))
    head = (
        "tracks", "influencer queries: recall (worst to best)", "queries", "predicted",
        f"{queries} learned: recall (worst to best)", "at most", "predicted",
        "learned less influencer (95 %)",
    )  # fmt: skip
    return Table(loss, head, cells)


def _cell(outcome: Outcome, loss: str, kind: str, count: int) -> _Cell:
    rows = [row for row in rows_of(outcome, loss, kind) if row["instances"] == count]
    good = [row for row in rows if row["recall"] is not None]
    if not good:
        return _Cell("failed" if rows else "", "", "")
    return _Cell(
        spread(row["recall"] for row in good),
        f"{np.mean([row['predicted'] for row in good]):.1f}",
        f"{np.mean([row['queries'] for row in good]):.1f}",
    )


def _spent(outcome: Outcome, loss: str, kind: str) -> str:
    rows = [row for row in rows_of(outcome, loss, kind) if row["steps"]]
    if not rows:
        return ""
    time = milliseconds(row["seconds"] / row["steps"] for row in rows)
    return f"{np.mean([row['steps'] for row in rows]):,.0f} steps of {time} ms"


def figures(outcome: Outcome) -> list[Figure]:
    """Recall, numbers of queries and predictions against the number of tracks; learning curves."""
    recall = _lines(outcome, "recall")
    if not recall:
        return []
    row = outcome.rows[0]
    queries, most = queries_of(outcome, outcome.losses[0]), int(row["most_trained"])
    seeds = len({row["seed"] for row in outcome.rows})
    what = f"{BANDS} {seeds} seed{'s'[: seeds > 1]}. Solid: influencer queries; dashed: learned."
    ends = f"Training events have up to {most} tracks."
    panels = [("queries in an event", _lines(outcome, "queries")),
              ("predicted tracks in an event", _lines(outcome, "predicted"))]  # fmt: skip
    found = [
        recall_figure(
            "recall", "Recall against object count", recall, queries=queries, most_trained=most,
            caption=f"Tracks found on test events with exactly K tracks each. {what} Dotted: what "
            f"{queries} queries allow at most, min(1, {queries}/K). {ends}",
        ),
        numbers_figure(
            "numbers", "Queries and predictions", panels, most_trained=most,
            caption=f"{what} Dotted: one for each track. {ends}",
        ),
    ]  # fmt: skip
    courses = _courses(outcome)
    if courses:
        caption = f"Recall on val, whose events are like the training's. {what}"
        found.append(course_figure("curves", "On the way", courses, caption=caption))
    return found


def _courses(outcome: Outcome) -> list[CountLine]:
    """The validations of every loss and kind."""
    found = []
    for loss, kind in _arms(outcome):
        runs = [c for c in outcome.curves if (c.loss, c.group) == (loss, kind)]
        if runs:
            drawn = band(_label(outcome, loss, kind), runs, "step")
            line = Line(drawn.loss, drawn.place, drawn.mean, drawn.low, drawn.high)
            found.append(CountLine(outcome.losses.index(loss), kind == LEARNED, line))
    return found


def _arms(outcome: Outcome) -> list[tuple[str, str]]:
    return [(loss, kind) for loss in outcome.losses for kind in (INFLUENCER, LEARNED)]


def _label(outcome: Outcome, loss: str, kind: str) -> str:
    words = f"{queries_of(outcome, loss)} learned" if kind == LEARNED else "influencer queries"
    return f"{loss}, {words}"


def _lines(outcome: Outcome, column: str) -> list[CountLine]:
    """One per loss and kind, at the counts that all its seeds have."""
    found = []
    for loss, kind in _arms(outcome):
        seeds = course(outcome, loss, kind, column)
        counts = sorted(set[int].intersection(*map(set, seeds.values()))) if seeds else []
        if counts:
            values = np.array([[seeds[s][count] for count in counts] for s in sorted(seeds)])
            line = Line(_label(outcome, loss, kind), np.array(counts, np.float64), values.mean(0),
                        values.min(0), values.max(0))  # fmt: skip
            found.append(CountLine(outcome.losses.index(loss), kind == LEARNED, line))
    return found
