from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from geoinfluencer.compare import count_findings, count_views, report
from geoinfluencer.compare.object_counts import INFLUENCER, LEARNED, SUBJECT
from geoinfluencer.compare.outcome import Outcome

COUNTS = (10, 50, 100)
Make = Callable[..., Outcome]


@pytest.fixture
def make() -> Make:
    """An outcome from kind -> recall at the counts, per seed shifted by a hundredth."""

    def outcome(kinds: dict[str, list[float]], seeds: int = 3, fail: str = "") -> Outcome:
        found = Outcome(SUBJECT, "hungarian")
        for seed in range(seeds):
            for kind, recalls in kinds.items():
                for count, level in zip(COUNTS, recalls, strict=True):
                    failure = "failed: NaN" if (fail, seed) == (kind, 0) else ""
                    shift = 0.01 * seed if kind == LEARNED else 0.015 * seed * seed
                    recall = None if failure else level - shift
                    found.rows.append(
                        {"dataset": "object-counts", "nodes": 9.0, "queries": 50,
                         "instances": count, "loss": "hungarian", "seed": seed, "steps": 20,
                         "seconds": 4.0, "kind": kind, "recall": recall,
                         "predicted": 7.0, "bound": min(1.0, 50 / count), "most_trained": 50,
                         "failure": failure}
                    )  # fmt: skip
        return found

    return outcome


def test_the_count_from_which_a_fixed_number_falls_behind(make: Make) -> None:
    outcome = make({INFLUENCER: [0.90, 0.90, 0.80], LEARNED: [0.89, 0.89, 0.40]})
    gaps = count_findings.behind(outcome, "hungarian")
    assert [gaps[count].significant for count in COUNTS] == [False, False, True]
    assert gaps[100].differences == pytest.approx((-0.4, -0.395, -0.36))
    fallen, kept, beyond = count_findings.sentences(outcome, "hungarian")
    assert fallen.startswith(
        "From 100 tracks on 50 learned queries find significantly less than influencer queries: "
        "recall -0.385 ("
    )
    assert "From 50 to 100 tracks influencer queries keep 89 % of their own recall" in kept
    assert "learned ones 44 % (difference -0.4" in kept and ", significant)" in kept
    assert kept.endswith("their number alone would leave them 50 %.")
    assert beyond.startswith("Training events had at most 50 tracks: 100 are beyond")


def test_slower_learning_is_told_from_a_want_of_queries(make: Make) -> None:
    outcome = make({INFLUENCER: [0.9, 0.9, 0.8], LEARNED: [0.3, 0.3, 0.1]})
    first, second, *_ = count_findings.sentences(outcome, "hungarian")
    assert first.startswith("At every count 50 learned queries find significantly less")
    assert second.startswith("Up to 50 tracks there is a query for each")


def test_no_difference_and_the_other_way(make: Make) -> None:
    same = make({INFLUENCER: [0.5, 0.5, 0.5], LEARNED: [0.505, 0.5, 0.505]})
    (line, *_) = count_findings.sentences(same, "hungarian")
    assert line.startswith("At 100 tracks 50 learned queries do not find significantly less")
    better = make({INFLUENCER: [0.2, 0.2, 0.5], LEARNED: [0.9, 0.9, 0.5]})
    lines = count_findings.sentences(better, "hungarian")
    assert "Significantly more at 10, 50 tracks." in lines
    dip = make({INFLUENCER: [0.9, 0.5, 0.5], LEARNED: [0.2, 0.5, 0.5]})
    assert "Significantly less also at 10 tracks." in count_findings.sentences(dip, "hungarian")


def test_of_one_seed_nothing_is_said(make: Make) -> None:
    outcome = make({INFLUENCER: [0.9, 0.9, 0.8], LEARNED: [0.9, 0.8, 0.4]}, seeds=1)
    line, kept, _ = count_findings.sentences(outcome, "hungarian")
    assert "-0.400 at 100 tracks" in line and "of which nothing can be said" in line
    assert "interval" not in kept and "learned ones 50 %; their number" in kept


def test_a_failed_run_is_told_once_and_does_not_count(make: Make) -> None:
    outcome = make({INFLUENCER: [0.9, 0.9, 0.8], LEARNED: [0.9, 0.8, 0.4]}, fail=LEARNED)
    assert len(count_findings.behind(outcome, "hungarian")[10].differences) == 2
    (told,) = report.sentences(outcome)["Failures"]
    assert told.startswith("hungarian failed in 1 run, the first with seed 0: failed: NaN")
    alone = make({INFLUENCER: [0.9, 0.9, 0.8]})
    assert count_findings.sentences(alone, "hungarian") == []


def test_the_table_has_a_line_per_count(make: Make) -> None:
    outcome = make({INFLUENCER: [0.90, 0.90, 0.80], LEARNED: [0.89, 0.89, 0.40]})
    table = count_views.table(outcome, "hungarian")
    assert table.heading == "hungarian" and table.head[4].startswith("50 learned")
    assert [line[0] for line in table.cells] == ["10", "50", "100", "training"]
    last = table.cells[2]
    assert last[1].startswith("0.7750 (0.7400 to") and last[5] == "0.500" and last[7].endswith(" *")
    assert table.cells[3][1] == table.cells[3][4] == "20 steps of 200 ms"


def test_the_figures(make: Make) -> None:
    outcome = make({INFLUENCER: [0.90, 0.90, 0.80], LEARNED: [0.89, 0.89, 0.40]})
    recall, numbers = count_views.figures(outcome)  # no curves, no third
    assert (recall.key, numbers.key) == ("recall", "numbers")
    assert "min(1, 50/K)" in recall.caption and "3 seeds" in recall.caption
    nothing = make({INFLUENCER: [math.nan] * 3}, seeds=0)
    assert count_views.figures(nothing) == []
