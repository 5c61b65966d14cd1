"""Finds the layers of a configuration and lays them over each other."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

import geoinfluencer
from geoinfluencer.datasets.catalog import resolve_dataset
from geoinfluencer.errors import InputError, suggest
from geoinfluencer.losses import InfluencerLoss
from geoinfluencer.losses.registry import MASK_LOSSES, decode_of
from geoinfluencer.models import resolve_model
from geoinfluencer.models.registry import MODELS
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
    chosen = merge(user.without("presets"), parse_assignments(assignments))
    layer = merge(_for_loss(layer, chosen), chosen)
    layer = merge(layer, assign(("dataset",), dataset, "--dataset"))
    layer = merge(layer, assign(("preset",), name, "--preset"))
    if data_root is not None:
        layer = merge(layer, assign(("data_root",), str(data_root), "--data-root"))
    return check(merge(layer, overrides) if overrides else layer)


_QUERY_OPTIONS = set(inspect.signature(MODELS["query"]).parameters) - set(
    inspect.signature(MODELS["influencer"]).parameters
)


def _user_layer(config: str | Path | Mapping[str, Any] | None) -> Layer:
    if config is None:
        return Layer()
    if isinstance(config, Mapping):
        return Layer(dict(config))
    return read_yaml(config)


def _for_loss(below: Layer, chosen: Layer) -> Layer:
    """The built-in settings for the loss that was chosen over them: options of the built-in loss
    are no options of another; a loss on queries keeps them for its embeddings. Without queries the
    options of their decoder serve nobody."""
    settings = below.section("loss")
    own = settings.values.get("name", "influencer")
    name = chosen.section("loss").values.get("name", own)
    if (
        name not in MASK_LOSSES
        and merge(below, chosen).section("model").values.get("name") != "query"
    ):
        model = below.section("model").without(*_QUERY_OPTIONS)
        below = Layer({**below.values, "model": model.values}, below.origins)
    if name == own:
        return below
    below = below.without("loss")
    if own != "influencer" or name not in MASK_LOSSES:
        return below
    for key, value in settings.without("name").values.items():
        place = settings.origin((key,))
        below = merge(below, assign(("supervision", "embedding", key), value, place))
    return below


def check(layer: Layer) -> RunConfig:
    """Validates merged settings, the free sections against what they are arguments of."""
    config = validate(RunConfig, layer)
    dataset = resolve_dataset(config.dataset)
    loss, model = layer.section("loss"), layer.section("model")
    name = loss.values.get("name", "influencer")
    loss_class = resolve_loss(name, loss.origin(("name",)))
    of_queries = name in MASK_LOSSES
    model_name = model.values.get("name", "query" if of_queries else "influencer")
    model_class = resolve_model(model_name, model.origin(("name",)))
    if of_queries and model_name != "query":
        raise InputError(
            f"{model.origin(('name',))}: model.name is {model_name!r}, but loss {name} needs the "
            "queries of model.name query"
        )
    embedding = layer.section("supervision", "embedding")
    options = validate_options(InfluencerLoss, embedding, "supervision.embedding")
    source = config.condensation.source or (decode_of(name) if of_queries else "embedding")
    if not of_queries and source != "embedding":
        raise InputError(
            f"{layer.origin(('condensation', 'source'))}: condensation.source is {source!r}, but "
            f"loss {name} trains no queries; leave it out"
        )
    options_of_model = validate_options(model_class, model.without("name"), "model", MODEL_SUPPLIED)
    if of_queries and source == "embedding" and options_of_model.get("queries") == "learned":
        raise InputError(
            f"{layer.origin(('condensation', 'source'))}: condensation.source is embedding, but "
            "with model.queries learned nothing trains embeddings; leave it out"
        )
    sections = {
        "data": validate_options(dataset, layer.section("data"), "data", ("root", "split")),
        "model": {"name": model_name, **options_of_model},
        "loss": {"name": name, **validate_options(loss_class, loss.without("name"), "loss")},
        "condensation": config.condensation.model_copy(update={"source": source}),
        "supervision": config.supervision.model_copy(update={"embedding": options}),
    }
    return config.model_copy(update=sections)
