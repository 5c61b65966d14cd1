from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch

from geoinfluencer.errors import InputError
from geoinfluencer.training import Run, evaluate, train
from geoinfluencer.training.checkpoint import META_KEY, load_checkpoint, publish
from geoinfluencer.training.data import build_model
from geoinfluencer.training.run_folder import RunFolder, read_json, write_json


def test_checkpoint_says_what_it_is(tiny_run: Run) -> None:
    state = load_checkpoint(tiny_run.best).state
    assert state.step == 6 and state.elapsed_seconds > 0
    assert list(state.calibrated) == ["radius"] and len(state.calibration) == 10
    assert state.config["dataset"] == "toy-tracks"
    assert state.data["protocol"] == "trackml" and state.data["primary_metric"] == "dm_efficiency"
    assert {"torch", "geoinfluencer", "lightning"} <= set(state.versions)
    assert state.best["step"] == 6


def test_no_code_is_run_on_loading(tiny_run: Run) -> None:
    content = torch.load(tiny_run.best, weights_only=True)  # refuses anything but plain data
    assert content[META_KEY]["format"] == 4 and "optimizer_states" in content


def test_model_comes_back_with_its_normalisation(tiny_run: Run) -> None:
    checkpoint = load_checkpoint(tiny_run.best)
    model = checkpoint.build_model()
    assert not model.training
    fresh = build_model(checkpoint.state.config["model"], checkpoint.state.data)
    assert not torch.equal(model.x_scale, fresh.x_scale)
    for name, value in model.state_dict().items():
        assert torch.equal(value, checkpoint.weights[name])


def broken(folder: Path, good: Path, how: str) -> Path:
    path = folder / f"{how}.ckpt"
    if how == "cut":
        path.write_bytes(good.read_bytes()[:2000])
    elif how == "text":
        path.write_text("not a checkpoint")
    elif how == "empty":
        path.touch()
    elif how == "folder":
        path.mkdir()
    elif how == "foreign":
        torch.save({"state_dict": {}}, path)
    elif how == "tensor":
        torch.save(torch.zeros(3), path)
    elif how == "newer":
        content = torch.load(good, weights_only=True)
        content[META_KEY]["format"] = 99
        torch.save(content, path)
    return path


@pytest.mark.parametrize(
    "how", ["cut", "text", "empty", "folder", "foreign", "tensor", "newer", "gone"]
)
def test_bad_checkpoints_are_named(tmp_path: Path, tiny_run: Run, how: str) -> None:
    path = broken(tmp_path, tiny_run.best, how)
    with pytest.raises(InputError) as caught:
        load_checkpoint(path)
    assert str(caught.value).startswith(str(path)) and "\n" not in str(caught.value)


def test_run_folder_instead_of_a_checkpoint(tiny_run: Run) -> None:
    with pytest.raises(InputError, match=r"did you mean .*best\.ckpt"):
        load_checkpoint(tiny_run.path)


def test_weights_of_another_model_are_refused(tmp_path: Path, tiny_run: Run) -> None:
    content = torch.load(tiny_run.best, weights_only=True)
    content[META_KEY]["config"]["model"]["hidden_channels"] = 12
    path = tmp_path / "other.ckpt"
    torch.save(content, path)
    with pytest.raises(InputError, match=r"layers were others .*size mismatch"):
        load_checkpoint(path).build_model()


def outdated(folder: Path, run: Run, how: str) -> RunFolder:
    """A copy of a run as if written when nodes had a feature less, or a layer was narrower."""
    copy = RunFolder(folder / "older")
    shutil.copytree(run.path, copy.path)
    for path in (copy.last, copy.best):
        content = torch.load(path, weights_only=True)
        weights, meta = content["state_dict"], content[META_KEY]
        meta["versions"]["geoinfluencer"] = "0.0.7"
        if how == "features":
            meta["data"]["in_channels"] -= 1
            for name in ("x_mean", "x_scale", "encoder.node.0.weight"):
                weights[f"model.{name}"] = weights[f"model.{name}"][..., :-1]
        else:
            weights["model.encoder.node.0.weight"] = weights["model.encoder.node.0.weight"][:-1]
        path.unlink()  # best may be a link to last
        torch.save(content, path)
    return copy


@pytest.mark.parametrize("how", ["features", "layers"])
def test_older_weights_are_refused_before_the_folder_is_touched(
    tmp_path: Path, tiny_run: Run, how: str
) -> None:
    folder = outdated(tmp_path, tiny_run, how)
    folder.config.write_text("# as it was\n")
    before = sorted(folder.path.rglob("*"))
    features = load_checkpoint(tiny_run.best).state.data["in_channels"]
    what = f"{features - 1} node features, now {features}" if how == "features" else "node.0.weight"
    for resume, out in (("auto", folder.path), (folder.last, None)):
        with pytest.raises(InputError, match=what) as caught:
            train("toy-tracks", resume=resume, out=out, max_steps=9)
        assert str(caught.value).startswith(f"{folder.last}: was written by geoinfluencer 0.0.7,")
        assert "train again, or use that version" in str(caught.value)
        assert "\n" not in str(caught.value)
    assert folder.config.read_text() == "# as it was\n"
    assert sorted(folder.path.rglob("*")) == before


@pytest.mark.parametrize("how", ["features", "layers"])
def test_older_weights_are_not_scored(tmp_path: Path, tiny_run: Run, how: str) -> None:
    folder = outdated(tmp_path, tiny_run, how)
    with pytest.raises(InputError, match=r"train again,? or use .*") as caught:
        evaluate(folder.best)
    assert str(caught.value).startswith(f"{folder.best}: ") and "0.0.7" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_publishing_replaces_and_survives_the_source(tmp_path: Path) -> None:
    source, target = tmp_path / "last", tmp_path / "best"
    target.write_text("old")
    source.write_text("new")
    publish(source, target)
    fresh = tmp_path / "fresh"
    fresh.write_text("newer")
    shutil.move(fresh, source)
    assert target.read_text() == "new"


def test_json_has_no_nan(tmp_path: Path) -> None:
    path = tmp_path / "metrics.json"
    write_json(path, {"a": float("nan"), "b": float("inf"), "c": 1, "d": None, "e": "x"})
    assert read_json(path) == {"a": None, "b": None, "c": 1, "d": None, "e": "x"}
    assert "NaN" not in path.read_text()


def test_a_folder_in_use_is_refused(tmp_path: Path) -> None:
    first, second = RunFolder(tmp_path), RunFolder(tmp_path)
    first.lock()
    with pytest.raises(InputError, match="another process"):
        second.lock()
    first.unlock()
    second.lock()
    second.unlock()
