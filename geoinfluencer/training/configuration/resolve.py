"""Finds the layers of a configuration and lays them over each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

import geoinfluencer
from geoinfluencer.datasets.catalog import resolve_dataset
from geoinfluencer.errors import InputError, suggest
from geoinfluencer.models import InfluencerSegmenter
from geoinfluencer.training.configuration.checks import validate, validate_options
from geoinfluencer.training.configuration.config import RunConfig
from geoinfluencer.training.configuration.yaml_layers import (
    Layer,
    assign,
    merge,
    parse_assignments,
    read_yaml,
)
from geoinfluencer.training.objective import resolve_loss

MODEL_SUPPLIED = ("in_channels", "edge_channels", "num_classes")  # read from the data


def config_folder() -> Path:
    """The folder of built-in configurations: inside the wheel, or beside the package in a clone."""
    for package in geoinfluencer.__path__:
        for folder in (Path(package) / "configs", Path(package).parent / "configs"):
            if (folder / "toy-tracks.yaml").is_file():
                return folder
    raise InputError("the built-in configurations are missing from this installation; reinstall it")


def builtin_layer(dataset: str) -> Layer:
    """The built-in configuration of a dataset; ``custom.yaml`` serves ``module:Class`` datasets."""
    name = "custom" if ":" in dataset else dataset
    path = config_folder() / f"{name}.yaml"
    if not path.is_file():
        known = sorted(p.stem for p in config_folder().glob("*.yaml") if p.stem != "custom")
        raise InputError(f"--dataset {dataset}: unknown dataset; {suggest(dataset, known)}")
    return read_yaml(path)


def machine_preset() -> str:
    """The preset taken when none is named: ``gpu`` where CUDA works, else ``cpu``."""
    return "gpu" if torch.cuda.is_available() else "cpu"


def resolve_config(
    dataset: str | None = None,
    *,
    config: str | Path | Mapping[str, Any] | None = None,
    preset: str | None = None,
    assignments: Sequence[str] = (),
    data_root: str | Path | None = None,
    overrides: Layer | None = None,
) -> RunConfig:
    """Lays built-in YAML, preset, ``config`` and assignments over each other and checks the result.

    Args:
        dataset: a built-in dataset's name or ``package.module:Class``; None: the config names it.
        config: a YAML file, or a mapping of the same form. A run's ``config.yaml`` is one.
        preset: a name under ``presets:``; None: :func:`machine_preset`.
        assignments: ``section.key=value`` strings, as after ``--set``.
        data_root: folder of the data; None: the dataset's own default.
        overrides: a last layer (the command line's own options).

    Raises:
        InputError: an unknown key, a wrong type, a missing file; names the place and the remedy.
    """
    user = _user_layer(config)
    dataset = dataset or user.values.get("dataset")
    if not isinstance(dataset, str):
        raise InputError("--dataset: name one, for example --dataset toy-tracks")
    if user.values.get("dataset", dataset) != dataset:
        place, other = user.origin(("dataset",)), user.values["dataset"]
        raise InputError(f"{place}: is for dataset '{other}', not '{dataset}'")
    base = builtin_layer(dataset)
    layer = base.without("presets")
    presets = merge(base.section("presets"), user.section("presets"))
    name = preset if preset is not None else user.values.get("preset")
    if name is None and machine_preset() in presets.values:
        name = machine_preset()
    if name is not None:
        if name not in presets.values:
            place = "--preset" if preset else user.origin(("preset",))
            raise InputError(
                f"{place} {name}: unknown preset; {suggest(str(name), sorted(presets.values))}"
            )
        layer = merge(layer, presets.section(str(name)))
    layer = merge(layer, user.without("presets"))
    layer = merge(layer, parse_assignments(assignments))
    layer = merge(layer, assign(("dataset",), dataset, "--dataset"))
    layer = merge(layer, assign(("preset",), name, "--preset"))
    if data_root is not None:
        layer = merge(layer, assign(("data_root",), str(data_root), "--data-root"))
    return check(merge(layer, overrides) if overrides else layer)


def _user_layer(config: str | Path | Mapping[str, Any] | None) -> Layer:
    if config is None:
        return Layer()
    if isinstance(config, Mapping):
        return Layer(dict(config))
    return read_yaml(config)


def check(layer: Layer) -> RunConfig:
    """Validates merged settings, the free sections against what they are arguments of."""
    config = validate(RunConfig, layer)
    dataset = resolve_dataset(config.dataset)
    loss = layer.section("loss")
    name = loss.values.get("name", "influencer")
    sections = {
        "data": validate_options(dataset, layer.section("data"), "data", ("root", "split")),
        "model": validate_options(
            InfluencerSegmenter, layer.section("model"), "model", MODEL_SUPPLIED
        ),
        "loss": {
            "name": name,
            **validate_options(
                resolve_loss(name, loss.origin(("name",))), loss.without("name"), "loss"
            ),
        },
    }
    return config.model_copy(update=sections)
