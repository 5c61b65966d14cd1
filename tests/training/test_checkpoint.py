from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch

from geoinfluencer.errors import InputError
from geoinfluencer.training import Run
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
    with pytest.raises(InputError, match="do not fit"):
        load_checkpoint(path).build_model()


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
