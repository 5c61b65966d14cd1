"""Datasets, loaders and the model that fits them."""

from __future__ import annotations

import inspect
import os
import typing
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils.data import Dataset, Subset
from torch_geometric.data import Data
from torch_geometric.loader import DataLoader

from geoinfluencer.errors import InputError
from geoinfluencer.graphs.sample import validate_sample
from geoinfluencer.training.config import RunConfig, TrainSection
from geoinfluencer.training.sampler import StepBatches, mixed_seed

MEMORY_LIMIT = 2**31  # bytes of held-out samples kept between validations


def build_dataset(cls: type, config: RunConfig, split: str) -> Dataset[Data]:
    """One split of the configuration's dataset.

    A class without a ``calib`` split of its own (see :func:`declared_splits`) has its ``val``
    samples divided: the even ones calibrate the radius, the odd ones are scored. A single one has
    to do for scoring, and the radius is then calibrated on the last training sample.

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
        raise InputError(f"--data-root: {config.dataset} needs one, the folder of its files")
    samples = cls(config.data_root, split=split, **config.data)
    if len(samples) == 0:
        place = f"{config.data_root}: " if config.data_root else ""
        raise InputError(f"{place}split '{split}' of {config.dataset} has no samples")
    return samples


class SeededAccess(Dataset[Data]):
    """Samples whose random augmentation depends on the place in the stream and nothing else.

    Args:
        samples: the training samples; an item may draw from torch's generator.
        seed: of the run.

    An item is asked for by ``(position, index)``: its place in the stream of
    :class:`~geoinfluencer.training.sampler.StepBatches`, and its number in ``samples``.
    """

    def __init__(self, samples: Dataset[Data], seed: int) -> None:
        self.samples, self.seed = samples, seed

    def __getitem__(self, place: tuple[int, int]) -> Data:
        position, index = place
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(mixed_seed(self.seed, position))
            return self.samples[index]

    def __len__(self) -> int:
        return len(self.samples)  # type: ignore[arg-type]


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


def cores() -> int:
    """CPU cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def num_workers(settings: TrainSection) -> int:
    """Loader processes: half the cores, at most 8, none where there are no cores to spare."""
    if settings.workers != "auto":
        return settings.workers
    return min(8, cores() // 2) if cores() > 2 else 0


def train_loader(
    samples: Dataset[Data],
    settings: TrainSection,
    *,
    start: int = 0,
    rank: int = 0,
    world_size: int = 1,
) -> DataLoader:
    """Endless shuffled batches from batch number ``start`` on; see :class:`StepBatches`."""
    batches = StepBatches(
        len(samples),  # type: ignore[arg-type]
        settings.batch_size,
        seed=settings.seed,
        start=start,
        rank=rank,
        world_size=world_size,
    )
    workers = num_workers(settings)
    return DataLoader(
        SeededAccess(samples, settings.seed),
        batch_sampler=batches,
        num_workers=workers,
        persistent_workers=workers > 0,
        pin_memory=torch.cuda.is_available(),
    )


def describe(samples: Dataset[Data], source: str) -> dict[str, Any]:
    """Channels and classes of a dataset, read from its first sample (which is checked)."""
    first = validate_sample(samples[0], source)
    edge_attr = first.get("edge_attr")
    return {
        "in_channels": int(first.x.shape[1]),
        "edge_channels": 0 if edge_attr is None else int(edge_attr.shape[1]),
        "num_classes": len(class_names(samples)),
    }


def class_names(samples: object) -> list[str]:
    """Names of the classes of a dataset (its attribute ``class_names``); empty: class-agnostic."""
    while not hasattr(samples, "class_names") and hasattr(samples, "dataset"):
        samples = samples.dataset
    return list(getattr(samples, "class_names", ()))


def build_model(settings: Mapping[str, Any], data: Mapping[str, Any]) -> nn.Module:
    """The segmenter of a configuration's ``model`` section for data of these channels."""
    from geoinfluencer.models import InfluencerSegmenter

    return InfluencerSegmenter(
        in_channels=data["in_channels"],
        edge_channels=data["edge_channels"],
        num_classes=data["num_classes"],
        **settings,
    )


def first_samples(samples: Dataset[Data], count: int) -> list[Data]:
    """The first ``count`` samples, for feature statistics."""
    return [samples[i] for i in islice(range(len(samples)), count)]  # type: ignore[arg-type]


def same_folder(left: str | Path | None, right: str | Path | None) -> bool:
    """Whether two data roots are the same place."""
    if left is None or right is None:
        return left is right
    return Path(left).resolve() == Path(right).resolve()
