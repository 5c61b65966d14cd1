from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from geoinfluencer.compare import findings, report
from geoinfluencer.compare.folder import CompareFolder
from geoinfluencer.compare.outcome import Outcome

Make = Callable[..., Outcome]


def test_better_worse_and_unknown_are_said(make_outcome: Make) -> None:
    outcome = make_outcome(
        {
            "base": [0.50, 0.60, 0.55, 0.52],
            "good": [0.61, 0.70, 0.66, 0.62],
            "bad": [0.31, 0.40, 0.36, 0.32],
            "moody": [0.40, 0.72, 0.50, 0.60],
            "twin": [0.50, 0.60, 0.55, 0.52],
        },
        "base",
    )
    same, *rest = findings.quality_sentences(outcome, "")
    assert same == "The same as base in every seed, 0.5425: twin."
    assert rest[0].startswith("good is significantly better than base: 0.6475 against 0.5425")
    assert rest[1].startswith("bad is significantly worse than base")
    assert rest[2].startswith("moody does not differ significantly from base")
    assert all("95 % interval" in line and "4 seeds" in line for line in rest)


def test_of_one_seed_nothing_is_said(make_outcome: Make) -> None:
    outcome = make_outcome({"base": [0.5], "mine": [0.9]}, "base")
    (line,) = findings.quality_sentences(outcome, "")
    assert "does not differ significantly" in line and "of which nothing can be said" in line


def test_samples_enter_where_they_are(make_outcome: Make) -> None:
    outcome = make_outcome({"base": [0.5, 0.5], "mine": [0.6, 0.7]}, "base")
    for loss, shift in (("base", 0.0), ("mine", 0.2)):
        for seed in range(2):
            outcome.samples["", loss, seed] = shift + np.linspace(0, 1, 5)
    (line,) = findings.quality_sentences(outcome, "")
    assert "best.ckpt over seeds and samples +0.2000 to +0.2000" in line


def test_steps_to_the_quality_of_the_reference(make_outcome: Make) -> None:
    outcome = make_outcome({"base": [0.4, 0.4], "quick": [0.8, 0.8], "slow": [0.1, 0.1]}, "base")
    base, quick, slow = findings.reaching_sentences(outcome, "")
    assert base.startswith("base ends with 0.4000 after 40 steps")
    assert base.endswith("for the first time at step 30.")
    assert quick == (
        "quick is there at step 20: 0.5 of base's 40, 0.67 times the step of its first time "
        "(single seeds: 2 of 2)."
    )
    assert slow == "slow does not get there (single seeds: 0 of 2)."


def test_failed_runs_are_named_and_do_not_count(make_outcome: Make) -> None:
    outcome = make_outcome({"base": [0.4, 0.5], "mine": [0.4, float("nan")]}, "base")
    outcome.rows[-1]["failure"] = "failed: logits has NaN"
    assert report.sentences(outcome)["Failures"] == [
        "mine failed in 1 run, the first with seed 1: failed: logits has NaN"
    ]
    assert findings.quality_sentences(outcome, "") == [
        "The same as base in every seed, 0.4500: mine."
    ]


def test_ratios_of_times_are_paired(make_outcome: Make) -> None:
    outcome = make_outcome({"base": [0.1] * 4, "mine": [0.1] * 4}, "base")
    for row in outcome.rows:
        if row["loss"] == "mine":
            row["seconds"] *= 1.5 if row["seed"] else 1.49
    (line,) = findings.time_sentences(outcome, "", "a step")
    assert line.startswith("Time of a step, in units of base's: mine 1.5 (1.4")
    assert "not significant" not in line


def test_everything_is_written(make_outcome: Make, tmp_path: Path) -> None:
    outcome = make_outcome({"base": [0.4, 0.5], "mine": [0.6, float("nan")]}, "base")
    outcome.left_out.append("mine: for want of time")
    folder = CompareFolder(tmp_path)
    report.write(folder, outcome, {"command": "geoinfluencer compare <here>"})
    rows = json.loads((tmp_path / "results.json").read_text())
    assert [row["final_ari"] for row in rows] == [0.4, 0.5, 0.6, None]
    assert list(rows[0])[:8] == [
        "dataset", "nodes", "queries", "instances", "loss", "seed", "steps", "seconds",
    ]  # fmt: skip
    with (tmp_path / "results.csv").open(newline="") as file:
        assert [row["final_ari"] for row in csv.DictReader(file)] == ["0.4", "0.5", "0.6", ""]
    text = (tmp_path / "results.md").read_text()
    assert "| base | 2 | 40 | 0.4500 (0.4000 to 0.5000) |" in text and "for want of time" in text
    page = (tmp_path / "report.html").read_text()
    assert "geoinfluencer compare &lt;here&gt;" in page and 'src="data:image/png' in page
    drawn = {path.stem for path in (tmp_path / "plots").iterdir()}
    assert drawn == {"curves", "quality", "differences", "time-per-step"}


@pytest.mark.parametrize("pictures", [True, False])
def test_an_empty_comparison_is_written_too(
    make_outcome: Make, tmp_path: Path, pictures: bool
) -> None:
    report.write(CompareFolder(tmp_path), make_outcome({}, "base"), {}, pictures=pictures)
    assert json.loads((tmp_path / "results.json").read_text()) == []
    assert (tmp_path / "report.html").is_file() == pictures
