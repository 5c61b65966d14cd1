"""Runs whose instances come from queries, through training, evaluation and prediction."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from geoinfluencer.errors import InputError
from geoinfluencer.training import Run, evaluate, train
from geoinfluencer.training.checkpoint import load_checkpoint
from geoinfluencer.training.configuration.resolve import resolve_config
from geoinfluencer.training.fitting.log import read_rows

SMALL = ("model.query_channels=16", "model.decoder_layers=1", "model.num_queries=8")


@pytest.mark.parametrize("queries", ["influencer", "learned"])
@pytest.mark.parametrize("loss", ["mask-influencer", "hungarian"])
def test_from_training_to_the_scores_again(
    tmp_path: Path, tiny: tuple[str, ...], loss: str, queries: str
) -> None:
    settings = (*tiny, *SMALL, f"loss.name={loss}", f"model.queries={queries}")
    run = train("toy-tracks", assignments=settings, max_steps=4, out=tmp_path / "run")
    assert run.metrics["radius"] is None  # queries need none: how far their masks agree is
    chosen = load_checkpoint(run.best).state
    assert run.metrics["min_iou"] == chosen.calibrated["min_iou"]
    assert len(chosen.calibration) == 15
    again = evaluate(run.best)
    assert again["dm_efficiency"] == pytest.approx(run.metrics["dm_efficiency"], nan_ok=True)
    assert again["num_tracks"] == run.metrics["num_tracks"]
    row = read_rows(tmp_path / "run" / "logs" / "train.csv")[-1]
    assert 0 < float(row["loss_seconds"]) < 60 * float(row["minutes"])
    extra = {"train/embedding", "train/influence"} if queries == "influencer" else set()
    assert {"train/deep_supervision", "train/quality", *extra} <= set(row)
    # embeddings are only trained where they choose the queries, and have no radius of their own
    other = ["condensation.source=embedding"]
    if queries == "learned":
        with pytest.raises(InputError, match="nothing trains embeddings"):
            evaluate(run.best, assignments=other)
        return
    with pytest.raises(InputError, match=r"its min_iou was .*--set condensation.radius=0.3"):
        evaluate(run.best, assignments=other)
    assert evaluate(run.best, assignments=[*other, "condensation.radius=0.3"])["radius"] == 0.3


def test_built_in_options_of_the_embedding_loss_go_where_it_is_still_used() -> None:
    plain = resolve_config("toy-tracks")
    config = resolve_config("toy-tracks", assignments=["loss.name=mask-influencer"])
    assert config.model["name"] == "query" and plain.model["name"] == "influencer"
    expected = {key: value for key, value in plain.loss.items() if key != "name"}
    assert config.supervision.embedding == expected  # the dataset's margins, not the class's
    assert config.loss["coupling"] == "capacity"
    assert config.condensation.source == "softmax" and plain.condensation.source == "embedding"
    sigmoid = resolve_config("toy-tracks", assignments=["loss.name=hungarian"])
    assert sigmoid.condensation.source == "sigmoid"


@pytest.mark.parametrize(
    ("assignments", "message"),
    [
        (["loss.name=hungarain"], "loss.name=hungarain: unknown loss 'hungarain'; .*hungarian"),
        (["loss.name=hungarian", "loss.sharpness=2"], "unknown key 'loss.sharpness'"),
        (["model.name=qery"], "unknown model 'qery'; .*query"),
        (["loss.name=hungarian", "model.name=influencer"], "needs the queries of model.name query"),
        (["condensation.source=softmax"], "loss influencer trains no queries"),
    ],
)
def test_what_does_not_go_together_is_said(assignments: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        resolve_config("toy-tracks", assignments=assignments)


def test_a_checkpoint_from_before_queries_still_works(tmp_path: Path, tiny_run: Run) -> None:
    best = tiny_run.best
    content = torch.load(best, map_location="cpu", weights_only=True)
    config = content["geoinfluencer"]["config"]
    del config["model"]["name"], config["supervision"]
    for key in ("source", "min_score", "min_quality", "min_iou", "min_ious"):
        del config["condensation"][key]
    meta = content["geoinfluencer"]
    meta["format"] = 1
    meta["radius"], meta["radius_table"] = meta.pop("calibrated")["radius"], meta.pop("calibration")
    torch.save(content, tmp_path / "old.ckpt")
    assert load_checkpoint(tmp_path / "old.ckpt").state.calibrated["radius"] == meta["radius"]
    old, new = evaluate(tmp_path / "old.ckpt"), evaluate(best)
    assert old["num_tracks"] == new["num_tracks"]


def test_captions_do_not_speak_of_a_radius_that_is_not_there(
    tmp_path: Path, tiny: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()  # this one draws
    settings = (*tiny, *SMALL, "loss.name=mask-influencer")
    run = train("toy-tracks", assignments=settings, max_steps=2, out=tmp_path / "run")
    page = run.report.read_text()
    assert "read from query logits" in page and "Choice of the least agreement" in page
    assert "condensation radius" not in page and "the radius was chosen" not in page


def test_a_preset_may_set_the_decoder_of_queries_for_losses_that_have_one() -> None:
    plain = resolve_config("toy-tracks", preset="compare")
    assert "decoder_layers" not in plain.model and plain.data["num_tracks"] == 20
    queries = resolve_config("toy-tracks", preset="compare", assignments=["loss.name=hungarian"])
    assert queries.model["decoder_layers"] == 2
    with pytest.raises(InputError, match=r"unknown key 'model.decoder_layers'"):
        resolve_config("toy-tracks", assignments=["model.decoder_layers=2"])


@pytest.mark.parametrize("written", [1, 2])
def test_a_run_goes_on_from_a_checkpoint_of_an_older_format(
    tmp_path: Path, tiny: tuple[str, ...], written: int
) -> None:
    settings = (*tiny, *SMALL, "loss.name=hungarian")
    run = train("toy-tracks", assignments=settings, max_steps=2, out=tmp_path / "run")
    last = tmp_path / "run" / "checkpoints" / "last.ckpt"
    content = torch.load(last, map_location="cpu", weights_only=True)
    meta = content["geoinfluencer"]
    condensation = meta["config"]["condensation"]
    del condensation["min_iou"], condensation["min_ious"]
    if written == 1:
        meta |= {"format": 1, "radius": float("nan"), "radius_table": []}
        del meta["calibrated"], meta["calibration"], condensation["min_quality"]
    else:
        meta |= {"format": 2, "calibrated": {"min_quality": 0.5}}
        condensation |= {"min_quality": None, "min_qualities": [0.1, 0.5]}
    for path in (last, run.best):
        torch.save(content, path)
    state = load_checkpoint(run.best).state
    assert state.config["condensation"]["min_quality"] == 0.5  # as it was then
    assert evaluate(run.best)["min_iou"] == 0.0
    longer = train("toy-tracks", resume=last, max_steps=3)
    assert longer.metrics["steps"] == 3


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("model.min_influence=-1", "min_influence is -1"),
        ("model.max_queries=5", "min_queries is 8 and max_queries 5"),
        ("model.follower_prior=-2", "model.follower_prior is -2"),
    ],
)
def test_queries_that_cannot_be_are_refused_before_a_folder_is_made(
    tmp_path: Path, tiny: tuple[str, ...], setting: str, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        train(
            "toy-tracks",
            assignments=(*tiny, "loss.name=hungarian", setting),
            max_steps=1,
            out=tmp_path / "run",
        )
    assert not (tmp_path / "run").exists()
