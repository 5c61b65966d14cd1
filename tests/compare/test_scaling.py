from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from torch import nn

from geoinfluencer.compare import scaling
from geoinfluencer.compare.contestants import parse_losses
from geoinfluencer.compare.folder import CompareFolder
from geoinfluencer.compare.laboratory import Size
from geoinfluencer.compare.outcome import Outcome

Known = dict[str, type[nn.Module]]


def test_a_crossover_is_found_between_the_sizes() -> None:
    sizes = (1_000, 10_000, 100_000)
    ours = {n: 1e-3 + 1e-7 * n for n in sizes}
    theirs = {n: 4e-7 * n for n in sizes}
    words = scaling.crossover(ours, theirs)  # equal at 3,333; interpolated in logarithms
    assert words.startswith("is quicker from N = ")
    place = float(words.split("= ")[1].split(" on")[0].replace(",", ""))
    assert place == pytest.approx(3333, rel=0.25)
    assert scaling.crossover(theirs, ours).startswith("is slower from N = ")
    assert (
        scaling.crossover({10: 1.0, 20: 2.0}, {10: 2.0, 20: 3.0})
        == "is quicker at every N measured"
    )
    assert scaling.crossover({10: 2.0}, {10: 1.0}) == "is slower at every N measured"
    assert scaling.crossover({10: 2.0}, {20: 1.0}) == "has no size in common with it"


def test_there_and_back_again() -> None:
    words = scaling.crossover({1: 1.0, 10: 3.0, 100: 1.0}, {1: 2.0, 10: 2.0, 100: 2.0})
    assert words.startswith("is slower from N = ") and "quicker from N = " in words


def test_the_problem_is_half_learnt() -> None:
    logits, instance = scaling.scaling_problem(4000, Size(10, 5))
    assert logits.shape == (4000, 10) and int(instance.min()) == -1 and int(instance.max()) == 4
    real = instance >= 0
    right = torch.stack([logits[instance == k].mean(0).argmax() for k in range(5)])
    assert len(set(right.tolist())) == 5  # a query for each
    lead = logits[real].gather(1, right[instance[real], None])
    assert float(lead.mean()) == pytest.approx(3.0, abs=0.1)
    assert float(logits[~real].mean()) == pytest.approx(0.0, abs=0.1)


def test_rows_resume_and_guards(tmp_path: Path, known: Known) -> None:
    folder, losses = CompareFolder(tmp_path), parse_losses("assigned,idle", known)
    said: list[str] = []

    def go(nodes: list[int], memory_gb: float = 4.0, deadline: float | None = None) -> Outcome:
        outcome = Outcome(scaling.SUBJECT, "idle")
        scaling.run_scaling(
            outcome, folder, losses, known, sizes=[Size(8, 4)], nodes=nodes, deadline=deadline,
            memory_gb=memory_gb, say=said.append,
        )  # fmt: skip
        return outcome

    first = go([2, 200, 400])
    assert [(r["loss"], r["nodes"]) for r in first.rows] == [
        ("assigned", 200), ("idle", 200), ("assigned", 400), ("idle", 400),
    ]  # fmt: skip
    assert all(r["seconds"] > 0 and math.isfinite(r["min_seconds"]) for r in first.rows)
    assert first.left_out == ["M = 8, K = 4, N = 2: fewer nodes than instances"]
    said.clear()
    assert go([200, 400]).rows == first.rows and not said  # nothing is timed twice
    large = go([200, 100_000_000], memory_gb=0.5)
    assert len(large.rows) == 2 and len(large.left_out) == 2
    assert "assigned would take about" in large.left_out[0] and "GB" in large.left_out[0]
    assert go([800], deadline=0.0).left_out == ["M = 8, K = 4, N = 800: for want of time"]
