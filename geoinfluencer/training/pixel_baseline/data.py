"""The images that a baseline is trained on and scored on: those of a dataset's configuration."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from geoinfluencer.datasets.catalog import resolve_dataset
from geoinfluencer.errors import InputError
from geoinfluencer.training.configuration.config import RunConfig
from geoinfluencer.training.configuration.resolve import resolve_config
from geoinfluencer.training.configuration.yaml_layers import Layer
from geoinfluencer.training.data import build_dataset
from geoinfluencer.training.pixel_baseline.samples import PixelSamples


def baseline_data(
    dataset: str,
    data_root: str | Path | None = None,
    *,
    splits: Sequence[str] = ("train", "val"),
    preset: str | None = None,
    assignments: Sequence[str] = (),
    overrides: Layer | None = None,
) -> list[PixelSamples]:
    """Whole images of some splits of a dataset, as its configuration has them.

    Args:
        dataset: a name or ``package.module:Class``.
        data_root: folder of the data.
        splits: their names.
        preset: of the dataset's configuration, of which only ``data`` is read.
        assignments: ``data.key=value`` strings.
        overrides: further settings of ``data``.

    Raises:
        InputError: a file, name or setting is wrong.
    """
    config, _ = data_config(dataset, data_root, preset, assignments, overrides)
    return [whole_images(config, split) for split in splits]


def data_config(
    dataset: str,
    data_root: str | Path | None,
    preset: str | None,
    assignments: Sequence[str],
    overrides: Layer | None,
) -> tuple[RunConfig, dict[str, bool]]:
    """The dataset's configuration without its own augmentation, and what that was."""
    for text in assignments:
        if not text.startswith("data."):
            raise InputError(f"--set {text}: a baseline takes settings of data alone")
    config = resolve_config(
        dataset, preset=preset, assignments=assignments, data_root=data_root, overrides=overrides
    )
    views = {key: bool(config.data.get(key, False)) for key in ("mirror", "turn")}
    still = {key: False for key in views if key in config.data}
    return config.model_copy(update={"data": {**config.data, **still}}), views


def whole_images(config: RunConfig, split: str) -> PixelSamples:
    """The images of a split, not cropped."""
    return PixelSamples(build_dataset(resolve_dataset(config.dataset), config, split))
