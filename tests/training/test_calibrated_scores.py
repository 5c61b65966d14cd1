"""Scores from what instances were worth on ``calib``: the truth of it, and through a run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch_geometric.data import Data

from geoinfluencer.condensation import Instances
from geoinfluencer.condensation.confidence import Confidence
from geoinfluencer.datasets.predictions import TrackPrediction, write_track_predictions
from geoinfluencer.files.line_results import line_entry
from geoinfluencer.training import Run, evaluate, train
from geoinfluencer.training.checkpoint import META_KEY, load_checkpoint
from geoinfluencer.training.configuration.config import CondensationSection
from geoinfluencer.training.scoring.inference import SampleResult, instances_of
from geoinfluencer.training.scoring.quality import judge
from geoinfluencer.training.tasks import NodeTask


def result_of(
    found_in: list[int], labels: list[int] | None = None, **fields: object
) -> SampleResult:
    labelled = torch.tensor(found_in)
    count = int(labelled.max()) + 1
    first = [found_in.index(k) for k in range(count)]
    found = Instances(
        instance=labelled,
        ptr=torch.tensor([0, len(found_in)]),
        influencer=torch.tensor(first),
        score=torch.full((count,), 0.5),
        size=torch.bincount(labelled[labelled >= 0], minlength=count),
        batch=torch.zeros(count, dtype=torch.int64),
        label=None if labels is None else torch.tensor(labels),
    )
    nothing = torch.zeros(len(found_in), 1)
    return SampleResult(Data.from_dict(fields), nothing, nothing, instances=found)


def test_quality_is_the_share_of_thresholds_that_the_overlap_exceeds() -> None:
    truth = torch.tensor([0, 0, 0, 1, 1, 1, 1, -1])
    # IoU 1, 3/4 and, half of it background, 0 of a pair
    result = result_of([0, 0, 0, 1, 1, 1, 2, 2], instance=truth)
    judged = judge(result, with_classes=False)
    assert judged.quality.tolist() == pytest.approx([1, 0.5, 0])  # .75 does not exceed .75
    assert judged.counts.tolist() == [True, True, True]
    mass = torch.tensor([1.0, 1, 1, 1, 1, 2, 1, 1])
    weighed = judge(
        result_of([0, 0, 0, 1, 1, 1, 2, 2], instance=truth, mass=mass), with_classes=False
    )
    assert weighed.quality[1] == pytest.approx(0.6)  # 4/5: above .50 ... .75


def test_quality_of_what_is_ignored_and_of_another_class() -> None:
    truth, ignore = torch.tensor([0, 0, 1, 1]), torch.tensor([True, False, False, True])
    result = result_of([0, 0, 1, 1], [0, 1], instance=truth, ignore=ignore, y=torch.zeros(4).long())
    assert judge(result, with_classes=False).quality.tolist() == [1, 1]
    assert judge(result, with_classes=True).quality.tolist() == [1, 0]
    most = judge(
        result_of([0, 0, 0], instance=torch.tensor([-1, -1, -1]),
                  ignore=torch.tensor([True, True, False])), with_classes=False,
    )  # fmt: skip
    assert most.counts.tolist() == [False] and most.quality.tolist() == [0]
    weightless = result_of([0, 1], instance=torch.tensor([0, 1]), mass=torch.tensor([1.0, 0.0]))
    assert judge(weightless, with_classes=False).counts.tolist() == [True, False]


def test_quality_of_pixels_where_their_truth_is_known() -> None:
    """By nodes instance 0 is perfect; by pixels it has one too many of three."""
    segment = torch.tensor([0, 0, 0, 1], dtype=torch.int32)
    pixels = torch.tensor([0, 0, -1, 1], dtype=torch.int32)
    result = result_of(
        [0, 1], instance=torch.tensor([0, 1]), segment_map=segment, pixel_instance=pixels
    )
    assert judge(result, with_classes=False).quality.tolist() == pytest.approx([0.4, 1])
    pixels[2] = -2  # ignored
    assert judge(result, with_classes=False).quality.tolist() == [1, 1]


def doubtful(threshold: float) -> Confidence:
    return Confidence(
        ("size",), (0.0,), (1.0,), (1.0,), -2.0, threshold, 60, 0.3, 0.1
    )  # fmt: skip


def test_settings_carry_what_was_fitted_and_instances_get_its_scores() -> None:
    follower = torch.tensor([[0.0], [0.1], [0.2], [5.0]])
    sample = Data(mass=torch.tensor([2.0, 2.0, 4.0, 1.0]))
    result = SampleResult(sample, follower, follower)
    settings = CondensationSection(source="embedding").at(0.5)
    plain, other = instances_of(result, settings), settings.scored_by(doubtful(0.5))
    assert settings.confidence is None and other.model_dump() == settings.model_dump()
    scored = instances_of(result, other)
    assert torch.equal(scored.instance, plain.instance) and scored.score.dtype == plain.score.dtype
    size = np.array([8.0, 1.0])  # log of it is the trait
    expected = 1 / (1 + np.exp(2 - np.log(size).clip(-4, 4)))
    assert scored.score.tolist() == pytest.approx(expected.tolist())
    assert plain.score.tolist() != pytest.approx(expected.tolist())


def with_confidence(source: Path, target: Path, fitted: dict[str, object]) -> Path:
    content = torch.load(source, map_location="cpu", weights_only=True)
    content[META_KEY]["confidence"] = fitted
    torch.save(content, target)
    return target


def test_scores_of_a_checkpoint_go_with_its_threshold(tmp_path: Path, tiny_run: Run) -> None:
    state = load_checkpoint(tiny_run.best).state
    radius = state.calibrated["radius"]
    path = with_confidence(tiny_run.best, tmp_path / "c.ckpt", doubtful(radius).to_dict())
    loaded, settings = load_checkpoint(path), CondensationSection(source="embedding")
    assert loaded.condensation(settings).confidence == doubtful(radius)
    assert loaded.condensation(settings.at(radius)).confidence == doubtful(radius)
    # fitted to other instances than these
    assert loaded.condensation(settings.at(radius + 0.05)).confidence is None
    off = CondensationSection(source="embedding", calibrate_scores=False)
    assert loaded.condensation(off).confidence is None
    queries = CondensationSection(source="softmax", min_iou=radius)
    assert loaded.condensation(queries).confidence is None


@pytest.mark.parametrize(
    "other",
    [{"min_size": 2}, {"min_followers": 3}, {"min_share": 0.6}, {"suppression_radius": 0.01}],
    ids=lambda other: next(iter(other)),
)
def test_scores_of_a_checkpoint_go_with_all_that_decides_instances(
    tmp_path: Path, tiny_run: Run, other: dict[str, float]
) -> None:
    radius = load_checkpoint(tiny_run.best).state.calibrated["radius"]
    path = with_confidence(tiny_run.best, tmp_path / "c.ckpt", doubtful(radius).to_dict())
    loaded = load_checkpoint(path)
    trained = loaded.state.config["condensation"]
    same = CondensationSection(source="embedding", min_iou=0.1, min_score=0.9)  # not of embeddings
    assert loaded.condensation(same).confidence is not None
    assert all(trained[name] != value for name, value in other.items())
    changed = same.model_copy(update=other)
    assert loaded.condensation(changed).confidence is None
    trained.update(other)  # as if it had been trained with them
    assert loaded.condensation(changed).confidence is not None
    assert loaded.condensation(same).confidence is None


def test_scores_of_queries_go_with_what_decides_their_instances(
    tmp_path: Path, tiny_run: Run
) -> None:
    loaded = load_checkpoint(
        with_confidence(tiny_run.best, tmp_path / "c.ckpt", doubtful(0.2).to_dict())
    )
    loaded.state.config["condensation"]["source"] = "softmax"
    loaded.state.calibrated = {"min_iou": 0.2}
    same = CondensationSection(source="softmax", radius=0.3)
    assert loaded.condensation(same).confidence == doubtful(0.2)
    others: list[dict[str, object]] = [
        {"min_score": 0.1}, {"min_quality": 0.1}, {"min_iou": 0.3}, {"source": "sigmoid"},
    ]  # fmt: skip
    for other in others:
        changed = same.model_copy(update=other)
        assert loaded.condensation(changed).confidence is None, other


def test_written_scores_are_told_apart_as_they_were(tmp_path: Path) -> None:
    """Two neighbours in single precision, which six decimals would tie."""
    result = result_of([0, 1], pos=torch.zeros(2, 3), name="event 1")
    assert result.instances is not None
    low = torch.tensor(0.9975)
    score = torch.stack([low, low.nextafter(torch.tensor(1.0))])
    result.instances = replace(result.instances, score=score)
    task = NodeTask(None)
    task.write_predictions([task.record(result)], tmp_path)
    expected = score.numpy()
    assert (scores_of(tmp_path)["score"].to_numpy(np.float32) == expected).all()
    hits = TrackPrediction("event 1", np.arange(2), np.arange(2), score=expected)
    write_track_predictions(tmp_path / "predictions.csv", [hits])
    assert (scores_of(tmp_path)["score"].to_numpy(np.float32) == expected).all()
    written = [line_entry(np.zeros((2, 2)), value)["score"] for value in score.tolist()]
    assert (np.float32(written) == expected).all() and written[0] == 0.9975


def test_a_checkpoint_without_fitted_scores_keeps_those_it_had(
    tmp_path: Path, tiny_run: Run
) -> None:
    content = torch.load(tiny_run.best, map_location="cpu", weights_only=True)
    meta = content[META_KEY]
    meta["format"] = 3
    del meta["confidence"], meta["config"]["condensation"]["calibrate_scores"]
    old = tmp_path / "old.ckpt"
    torch.save(content, old)
    loaded = load_checkpoint(old)
    assert loaded.state.confidence == {}
    assert loaded.condensation(CondensationSection(source="embedding")).confidence is None
    assert "calib_score_error" not in evaluate(old)


def scores_of(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "predictions.csv")


def test_a_run_fits_keeps_and_uses_them(tmp_path: Path, tiny: tuple[str, ...]) -> None:
    settings = (*tiny, "data.num_tracks=10", "data.calib_events=12")
    run = train("toy-tracks", assignments=settings, max_steps=30, out=tmp_path / "run")
    loaded = load_checkpoint(run.best)
    fitted = Confidence.from_dict(loaded.state.confidence)
    assert fitted.instances >= 50 and fitted.threshold == loaded.state.calibrated["radius"]
    metrics = evaluate(run.best, out=tmp_path / "new")
    assert metrics["calib_score_error"] == fitted.error_after
    assert metrics["calib_score_error_found"] == fitted.error_before
    plain = evaluate(
        run.best, assignments=["condensation.calibrate_scores=false"], out=tmp_path / "old"
    )
    assert "calib_score_error" not in plain
    new, old = scores_of(tmp_path / "new"), scores_of(tmp_path / "old")
    assert new["track_id"].equals(old["track_id"])
    assert not np.allclose(new["score"], old["score"], atol=0.01)
    assert metrics["score_error"] < plain["score_error"]
    again = evaluate(run.best, out=tmp_path / "again")
    assert again["score_error"] == metrics["score_error"]
    assert scores_of(tmp_path / "again").equals(new)  # deterministic


def test_too_few_instances_on_calib_are_said(
    tmp_path: Path, tiny: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    settings = (*tiny, "data.calib_events=1", "train.val_every=2")
    run = train("toy-tracks", assignments=settings, max_steps=2, out=tmp_path / "run", quiet=False)
    assert load_checkpoint(run.best).state.confidence == {}
    assert "instances on calib, 50 needed" in capsys.readouterr().err
