from __future__ import annotations

from pathlib import Path

import pytest

from geoinfluencer.errors import InputError
from geoinfluencer.training.configuration.yaml_layers import (
    merge,
    parse_assignments,
    parse_yaml,
    read_yaml,
)


def test_keys_know_their_lines() -> None:
    layer = parse_yaml("train:\n  seed: 1\n\n  max_steps: 3\n", "my.yaml")
    assert layer.values == {"train": {"seed": 1, "max_steps": 3}}
    assert layer.origin(("train", "max_steps")) == "my.yaml:4"
    assert layer.origin(("train", "unheard")) == "my.yaml:1"  # the nearest key above


@pytest.mark.parametrize(
    ("text", "value"),
    [("1e-3", 1e-3), ("1.0e-3", 1e-3), ("2E5", 2e5), ("3", 3), ("true", True), ("null", None)],
)
def test_numbers_are_numbers(text: str, value: object) -> None:
    read = parse_yaml(f"a: {text}\n", "x").values["a"]
    assert read == value and type(read) is type(value)
    assert parse_assignments([f"a={text}"]).values["a"] == value


@pytest.mark.parametrize(
    ("text", "place"),
    [("a: 1\nb: [1\n", "x.yaml:"), ("a: 1\na: 2\n", "x.yaml:2"), ("- 1\n", "x.yaml: expected")],
)
def test_bad_yaml_names_the_place(text: str, place: str) -> None:
    with pytest.raises(InputError, match="x.yaml") as caught:
        parse_yaml(text, "x.yaml")
    assert str(caught.value).startswith(place) and "\n" not in str(caught.value)


def test_empty_file_is_an_empty_layer(tmp_path: Path) -> None:
    path = tmp_path / "empty.yaml"
    path.write_text("# nothing\n")
    assert read_yaml(path).values == {}


def test_assignments_nest_and_the_last_one_wins() -> None:
    layer = parse_assignments(["train.seed=1", "data.graph.confirm=false", "train.seed=2"])
    assert layer.values == {"train": {"seed": 2}, "data": {"graph": {"confirm": False}}}
    assert layer.origin(("train", "seed")) == "--set train.seed=2"


@pytest.mark.parametrize("text", ["seed", "=3", "train.=3", ".seed=3", "a=[1"])
def test_bad_assignments(text: str) -> None:
    with pytest.raises(InputError, match=r"^--set "):
        parse_assignments([text])


def test_sections_merge_and_values_replace() -> None:
    below = parse_yaml("train: {seed: 1, max_steps: 2}\nlist: [1, 2]\n", "a")
    above = parse_yaml("train: {seed: 5}\nlist: [3]\n", "b")
    merged = merge(below, above)
    assert merged.values == {"train": {"seed": 5, "max_steps": 2}, "list": [3]}
    assert merged.origin(("train", "seed")) == "b:1"
    assert below.values["train"]["seed"] == 1
