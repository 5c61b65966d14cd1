"""Datasets, what is read off them, and the model that fits them."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils.data import Dataset, Subset
from torch_geometric.data import Data

from geoinfluencer.errors import InputError
from geoinfluencer.graphs.sample import validate_sample
from geoinfluencer.models import resolve_model
from geoinfluencer.training.configuration.config import RunConfig

MEMORY_LIMIT = 2**31  # bytes of held-out samples kept between validations


def build_dataset(cls: type, config: RunConfig, split: str) -> Dataset[Data]:
    """One split of the configuration's dataset.

    A class without a ``calib`` split of its own (see :func:`declared_splits`) has its ``val``
    samples divided: the even ones calibrate, the odd ones are scored. A single one has
    to do for scoring, and the threshold is then calibrated on the last training sample.

    Raises:
        InputError: the split is empty.
    """
    own = "calib" in declared_splits(cls)
    if own or split not in ("calib", "val"):
        return _whole(cls, config, split)
    val = _whole(cls, config, "val")
    if len(val) > 1:
        return Subset(val, range(0 if split == "calib" else 1, len(val), 2))
    if split == "val":
        return val
    train = _whole(cls, config, "train")
    return Subset(train, [len(train) - 1])


def declared_splits(cls: type) -> tuple[str, ...]:
    """The splits of a dataset class: its attribute ``splits``, else the ``Literal`` that its
    argument ``split`` is annotated with, else ``train`` and ``val``."""
    if hasattr(cls, "splits"):
        return tuple(cls.splits)
    try:
        hint = typing.get_type_hints(cls.__init__).get("split")  # type: ignore[misc]
    except (NameError, TypeError):
        hint = None
    return typing.get_args(hint) or ("train", "val")


def _whole(cls: type, config: RunConfig, split: str) -> Any:
    root = inspect.signature(cls).parameters.get("root")
    if config.data_root is None and root is not None and root.default is root.empty:
        how = getattr(cls, "how_to_get", None)
        hint = f": {how}" if how else ""
        raise InputError(f"--data-root: {config.dataset} needs one, the folder of its files{hint}")
    samples = cls(config.data_root, split=split, **config.data)
    if len(samples) == 0:
        place = f"{config.data_root}: " if config.data_root else ""
        raise InputError(f"{place}split '{split}' of {config.dataset} has no samples")
    return samples


def held_in_memory(samples: Dataset[Data]) -> Sequence[Data] | Dataset[Data]:
    """The samples as a list when they fit in :data:`MEMORY_LIMIT`, else as they are."""
    kept: list[Data] = []
    size = 0
    for index in range(len(samples)):  # type: ignore[arg-type]
        sample = samples[index]
        size += sum(v.nbytes for v in sample.to_dict().values() if isinstance(v, torch.Tensor))
        if size > MEMORY_LIMIT:
            return samples
        kept.append(sample)
    return kept


def describe(samples: Dataset[Data], source: str, *, truth: bool = True) -> dict[str, Any]:
    """Channels and classes of a dataset, read from its first sample (which is checked).

    Args:
        samples: the dataset.
        source: what to call its first sample in an error.
        truth: whether it must have truth; see :func:`check_truth`.

    Raises:
        InputError: the sample breaks the data contract, or has no truth.
    """
    first = validate_sample(samples[0], source)
    if truth:
        check_truth(first, class_names(samples), source)
    edge_attr = first.get("edge_attr")
    return {
        "in_channels": int(first.x.shape[1]),
        "edge_channels": 0 if edge_attr is None else int(edge_attr.shape[1]),
        "num_classes": len(class_names(samples)),
    }


def check_truth(sample: Data, classes: Sequence[str], source: str) -> None:
    """Raises InputError when a sample lacks what training and scores need: ``instance``, and ``y``
    below C where the dataset has ``class_names`` (C)."""
    if sample.get("instance") is None:
        raise InputError(
            f"{source}: `instance` (N,) is missing; give every node its instance, -1 for none"
        )
    if not classes:
        return
    y = sample.get("y")
    if y is None:
        raise InputError(
            f"{source}: `y` (N,) is missing, but the dataset has class_names; give every node its "
            "class, -1 for none, or drop class_names"
        )
    if y.numel() and int(y.max()) >= len(classes):
        raise InputError(
            f"{source}: `y` holds {int(y.max())}, but class_names has {len(classes)} classes; "
            "number them from 0"
        )


def attribute(samples: object, name: str, default: Any) -> Any:
    """An attribute of a dataset, or of the one that a ``Subset`` is a part of."""
    while isinstance(samples, Subset) and not hasattr(samples, name):
        samples = samples.dataset
    return getattr(samples, name, default)


def class_names(samples: object) -> list[str]:
    """Names of the classes of a dataset (its attribute ``class_names``); empty: class-agnostic."""
    return list(attribute(samples, "class_names", ()))


def build_model(
    settings: Mapping[str, Any], data: Mapping[str, Any], *, stored: bool = False
) -> nn.Module:
    """The segmenter of a configuration's ``model`` section for data of these channels; ``stored``:
    its weights will come from a checkpoint, so that no pre-trained ones are fetched."""
    options = {key: value for key, value in settings.items() if key != "name"}
    cls = resolve_model(settings.get("name", "influencer"))
    if stored and "pretrained" in inspect.signature(cls).parameters:
        options["pretrained"] = False
    return cls(
        in_channels=data["in_channels"],
        edge_channels=data["edge_channels"],
        num_classes=data["num_classes"],
        **options,
    )


def first_samples(samples: Dataset[Data], count: int) -> list[Data]:
    """The first ``count`` samples, for feature statistics."""
    return [samples[i] for i in islice(range(len(samples)), count)]  # type: ignore[arg-type]


def same_folder(left: str | Path | None, right: str | Path | None) -> bool:
    """Whether two data roots are the same place."""
    if left is None or right is None:
        return left is right
    return Path(left).resolve() == Path(right).resolve()
