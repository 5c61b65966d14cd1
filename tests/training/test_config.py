from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from geoinfluencer.condensation import condense, condense_queries
from geoinfluencer.errors import InputError
from geoinfluencer.training.configuration.config import CondensationSection
from geoinfluencer.training.configuration.resolve import (
    builtin_layer,
    config_folder,
    resolve_config,
)
from geoinfluencer.training.configuration.yaml_layers import read_yaml

BUILTIN = ("toy-tracks", "trackml", "s3dis", "scannet")


@pytest.mark.parametrize("dataset", BUILTIN)
def test_every_preset_resolves(dataset: str) -> None:
    presets = builtin_layer(dataset).section("presets").values
    assert {"quick", "full", "cpu", "gpu"} <= set(presets)
    for name in presets:
        assert resolve_config(dataset, preset=name).preset == name


@pytest.mark.parametrize("path", sorted(config_folder().glob("*.yaml")), ids=lambda p: p.stem)
def test_every_key_outside_presets_says_why(path: Path) -> None:
    settings = path.read_text().split("\npresets:")[0]
    keys = [line for line in settings.splitlines() if re.match(r"\s*\w+:", line)]
    values = [
        line for line in keys if not re.match(r"\s*(train|condensation|model|loss):\s*(#|$)", line)
    ]
    assert len(values) > 20
    assert [line for line in values if "#" not in line] == []


def test_layers_lie_over_each_other(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("train: {batch_size: 5, max_steps: 7}\nmodel: {hidden_channels: 9}\n")
    builtin = resolve_config("toy-tracks", preset="cpu")
    preset = resolve_config("toy-tracks", preset="full")
    both = resolve_config("toy-tracks", preset="full", config=file)
    all_three = resolve_config(
        "toy-tracks", preset="full", config=file, assignments=["train.max_steps=11"]
    )
    assert preset.train.max_steps != builtin.train.max_steps
    assert (both.train.batch_size, both.train.max_steps) == (5, 7)
    assert both.model["hidden_channels"] == 9
    assert both.model["num_layers"] == preset.model["num_layers"] != builtin.model["num_layers"]
    assert (all_three.train.batch_size, all_three.train.max_steps) == (5, 11)


def test_resolved_config_reads_back_to_itself(tmp_path: Path) -> None:
    config = resolve_config("toy-tracks", preset="quick", assignments=["train.learning_rate=2e-4"])
    path = tmp_path / "config.yaml"
    path.write_text(config.to_yaml())
    again = resolve_config(config=path)
    assert again == config
    assert again.train.learning_rate == 2e-4


def test_defaults_of_the_classes_are_filled_in() -> None:
    config = resolve_config("toy-tracks")
    assert config.data["hole_fraction"] == 0.05  # only in the dataset's signature
    assert config.loss["name"] == "influencer" and "sharpness" in config.loss


def test_decoding_defaults_are_those_of_the_decoder() -> None:
    defaults = inspect.signature(condense).parameters
    section = CondensationSection(radius=0.3).options()
    assert section.pop("radius") == 0.3
    assert section == {name: defaults[name].default for name in section}
    for name in (*BUILTIN, "my.module:Class"):
        assert builtin_layer(name).values["condensation"]["min_share"] is None
    queries = CondensationSection(source="softmax", min_share=0.7, min_iou=0.4).query_options()
    defaults = inspect.signature(condense_queries).parameters
    assert queries.pop("min_share") == 0.7 and queries.pop("activation") == "softmax"
    assert queries.pop("min_iou") == 0.4
    assert queries == {name: defaults[name].default for name in queries}


@pytest.mark.parametrize("path", sorted(config_folder().glob("*.yaml")), ids=lambda p: p.stem)
def test_the_loss_is_spelt_out_alike(path: Path) -> None:
    shown = read_yaml(path).values["loss"]
    assert set(shown) == {
        "name", "follower_margin", "influencer_margin", "normalizer", "sharpness",
        "attraction_weight", "repulsion_weight", "influencer_repulsion_weight",
    }  # fmt: skip


def test_own_presets_in_a_config_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("presets:\n  night:\n    train: {max_steps: 123}\n")
    assert resolve_config("toy-tracks", config=file, preset="night").train.max_steps == 123


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "train:\n  learing_rate: 1",
            r":2: unknown key 'train.learing_rate'; did you mean 'learning_",
        ),
        ("data:\n  num_trakcs: 1", r":2: unknown key 'data.num_trakcs'; did you mean 'num_tracks'"),
        ("modle:\n  x: 1", r":1: unknown key 'modle'; did you mean 'model'"),
        ("train:\n  max_steps: fast", r":2: 'train.max_steps': .*got 'fast'"),
        ("train:\n  max_steps: '12'", r":2: 'train.max_steps': .*got '12'"),
        ("train:\n  learning_rate: -1", r":2: 'train.learning_rate': .*greater than 0.*got -1"),
        ("train:\n  batch_size: 1.5", r":2: 'train.batch_size': .*got 1.5"),
        ("data:\n  dim: two", r":2: 'data.dim': .*got 'two'"),
        ("data:\n  pt_spectrum: flat", r":2: 'data.pt_spectrum': .*'log-uniform'.*got 'flat'"),
        ("model:\n  hidden_channels: big", r":2: 'model.hidden_channels': .*got 'big'"),
        ("loss:\n  follower_margn: 1", r":2: unknown key 'loss.follower_margn'; did you mean"),
        ("loss:\n  name: influenza", r":2: unknown loss 'influenza'; did you mean 'influencer'"),
        ("train: 3", r":1: train is a section"),
        ("model:\n  in_channels: 3", r":2: unknown key 'model.in_channels'"),  # read from the data
        ("dataset: trackml", r":1: is for dataset 'trackml', not 'toy-tracks'"),
        ("preset: fast", r":1 fast: unknown preset; known here: .*quick"),
    ],
)
def test_errors_name_file_line_and_remedy(tmp_path: Path, line: str, expected: str) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(line + "\n")
    with pytest.raises(InputError, match=expected) as caught:
        resolve_config("toy-tracks", config=file)
    assert str(caught.value).startswith(str(file)) and "\n" not in str(caught.value)


def test_some_limit_is_needed() -> None:
    with pytest.raises(InputError, match=r"train.max_steps and train.max_minutes are both null"):
        resolve_config("toy-tracks", assignments=["train.max_steps=null"])


def test_sections_are_frozen() -> None:
    config = resolve_config("toy-tracks")
    with pytest.raises(ValueError, match="frozen"):
        config.train.max_steps = 3  # type: ignore[misc]


@pytest.mark.parametrize(
    ("name", "expected"),
    [("toy-track", "did you mean 'toy-tracks'"), ("toy", "did you mean"), ("zzz", "known here")],
)
def test_unknown_dataset(name: str, expected: str) -> None:
    with pytest.raises(InputError, match=expected):
        resolve_config(name)
