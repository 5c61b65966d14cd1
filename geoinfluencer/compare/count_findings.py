"""What object counts do to queries that follow the scene and to a fixed number, in sentences."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from geoinfluencer.compare.folder import Row
from geoinfluencer.compare.object_counts import INFLUENCER, LEARNED
from geoinfluencer.compare.outcome import Outcome
from geoinfluencer.compare.statistics import Difference, bootstrap_seeds, holm, paired_p

Course = Mapping[int, Mapping[int, float]]  # seed -> tracks in an event -> value


def rows_of(outcome: Outcome, loss: str, kind: str) -> list[Row]:
    """Of one line of the plot."""
    return [row for row in outcome.rows if row["loss"] == loss and row["kind"] == kind]


def course(outcome: Outcome, loss: str, kind: str, column: str = "recall") -> Course:
    """A column of the runs that did not fail."""
    found: dict[int, dict[int, float]] = {}
    for row in rows_of(outcome, loss, kind):
        if row[column] is not None:
            found.setdefault(row["seed"], {})[row["instances"]] = float(row[column])
    return found


def behind(outcome: Outcome, loss: str) -> dict[int, Difference]:
    """Tracks in an event -> recall of learned queries less that of influencer queries.

    The p values are corrected for the number of counts (Holm).
    """
    mine, base = course(outcome, loss, LEARNED), course(outcome, loss, INFLUENCER)
    pairs: dict[int, list[float]] = {}
    for seed in sorted(mine.keys() & base.keys()):
        for count in sorted(mine[seed].keys() & base[seed].keys()):
            pairs.setdefault(count, []).append(mine[seed][count] - base[seed][count])
    corrected = holm([paired_p(values) for values in pairs.values()])
    return {
        count: Difference(LEARNED, tuple(values), bootstrap_seeds(values), None, p)
        for (count, values), p in zip(pairs.items(), corrected, strict=True)
    }


def queries_of(outcome: Outcome, loss: str) -> int:
    """M, the fixed number; 0 before a run with it is complete."""
    return int(next((row["queries"] for row in rows_of(outcome, loss, LEARNED)), 0))


def sentences(outcome: Outcome, loss: str) -> list[str]:
    """From where on the fixed number falls behind, and how much of the recall each kind keeps."""
    gaps = behind(outcome, loss)
    if not gaps:
        return []
    lines = _fallen(gaps, queries_of(outcome, loss)) + _kept(outcome, loss, list(gaps))
    most = max(row["most_trained"] for row in outcome.rows)
    beyond = [str(count) for count in gaps if count > most]
    if beyond:
        lines.append(
            f"Training events had at most {most} tracks: {', '.join(beyond)} are beyond what "
            "either kind has seen."
        )
    return lines


def _fallen(gaps: Mapping[int, Difference], queries: int) -> list[str]:
    counts = list(gaps)
    number = len(gaps[counts[-1]].differences)
    if number < 2:
        apart = ", ".join(f"{d.seeds.mean:+.3f} at {count}" for count, d in gaps.items())
        return [
            f"Recall of {queries} learned queries less that of influencer queries: {apart} tracks; "
            "in one seed, of which nothing can be said."
        ]
    worse = [count for count, d in gaps.items() if d.significant and d.seeds.mean < 0]
    better = [count for count, d in gaps.items() if d.significant and d.seeds.mean > 0]
    since = next((i for i in range(len(counts)) if set(counts[i:]) <= set(worse)), len(counts))
    lines = []
    if since < len(counts):
        start = "At every count" if since == 0 else f"From {counts[since]} tracks on"
        words = [f"{gap_words(gaps[count])} at {count}" for count in dict.fromkeys(
            (counts[since], counts[-1]))]  # fmt: skip
        lines.append(
            f"{start} {queries} learned queries find significantly less than influencer queries: "
            f"recall {', '.join(words)} ({number} seeds)."
        )
        if counts[since] <= queries:
            lines.append(
                f"Up to {queries} tracks there is a query for each: there it is that learned "
                "queries have learnt less in the same steps, and not that they are too few."
            )
    else:
        lines.append(
            f"At {counts[-1]} tracks {queries} learned queries do not find significantly less than "
            f"influencer queries: recall {gap_words(gaps[counts[-1]])} ({number} seeds)."
        )
    early = [count for count in worse if count not in counts[since:]]
    if early:
        lines.append(f"Significantly less also at {_listed(early)} tracks.")
    if better:
        lines.append(f"Significantly more at {_listed(better)} tracks.")
    return lines


def _kept(outcome: Outcome, loss: str, counts: list[int]) -> list[str]:
    """Recall at the last count over that where learned queries were just enough."""
    queries, last = queries_of(outcome, loss), counts[-1]
    first = max((count for count in counts if count <= queries), default=counts[0])
    shares = {
        kind: {
            seed: values[last] / values[first]
            for seed, values in course(outcome, loss, kind).items()
            if values.get(first) and last in values
        }
        for kind in (INFLUENCER, LEARNED)
    }
    both = sorted(shares[INFLUENCER].keys() & shares[LEARNED].keys())
    if first == last or not both:
        return []
    mine, base = ([shares[kind][seed] for seed in both] for kind in (LEARNED, INFLUENCER))
    apart = np.subtract(mine, base)
    found, p = bootstrap_seeds(apart), paired_p(apart)
    sure = "" if math.isnan(p) else (
        f" (difference {found.mean:+.3f}, 95 % interval {found.low:+.3f} to {found.high:+.3f}, "
        f"{'' if found.excludes_zero and p < 0.05 else 'not '}significant)"
    )  # fmt: skip
    allowed = min(1.0, queries / last) / min(1.0, queries / first)
    return [
        f"From {first} to {last} tracks influencer queries keep {100 * np.mean(base):.0f} % of "
        f"their own recall, learned ones {100 * np.mean(mine):.0f} %{sure}; their number alone "
        f"would leave them {100 * allowed:.0f} %."
    ]


def gap_words(found: Difference) -> str:
    """A difference with its interval."""
    return f"{found.seeds.mean:+.3f} ({found.seeds.low:+.3f} to {found.seeds.high:+.3f})"


def _listed(counts: list[int]) -> str:
    return ", ".join(map(str, counts))
