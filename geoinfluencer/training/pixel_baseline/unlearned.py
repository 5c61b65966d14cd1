"""The classical baseline of images of cells: no training, settings from calibration images."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from geoinfluencer.condensation.watershed import watershed_objects
from geoinfluencer.errors import InputError
from geoinfluencer.graphs.colour import as_rgb
from geoinfluencer.training.pixel_baseline.calibration import comparable, first_images
from geoinfluencer.training.pixel_baseline.data import baseline_data
from geoinfluencer.training.pixel_baseline.run import BaselineRun
from geoinfluencer.training.pixel_baseline.scoring import score_masks
from geoinfluencer.training.run_folder import new_run, write_json
from geoinfluencer.training.scoring.evaluation import evaluation_folder

_GRID: list[dict[str, Any]] = [
    {"spread": spread, "apart": apart} for spread, apart in itertools.product((1.0, 2.0), (3, 5, 8))
]
_LUMINANCE = np.array([0.2125, 0.7154, 0.0721], np.float32)  # of Rec. 709


def watershed_baseline(
    dataset: str,
    *,
    data_root: str | Path | None = None,
    preset: str | None = None,
    assignments: Sequence[str] = (),
    split: str = "val",
    out: str | Path | None = None,
    quiet: bool = True,
) -> BaselineRun:
    """Scores Otsu's threshold and a watershed of the distance; of some settings those
    are taken that have the best AP on ``calib``.

    Args:
        dataset: a name or ``package.module:Class``, a set of images.
        data_root: folder of the data.
        preset: of the dataset's configuration, of which only ``data`` is read.
        assignments: ``data.key=value`` strings.
        split: what is scored.
        out: folder of ``metrics.json`` and ``coco_results.json``; None: a new one under ``runs/``.
        quiet: no progress.

    Raises:
        InputError: a file, name or setting is wrong, or scikit-image is missing.
    """
    calib, scored = baseline_data(
        dataset, data_root, splits=("calib", split), preset=preset, assignments=assignments
    )
    if scored.given_pixels:
        raise InputError(
            f"--method watershed: {dataset} gives the pixels of its objects, which are lines; "
            "take --method unet"
        )
    given = None if out is None else evaluation_folder(out)
    few = first_images(calib)

    def ap(settings: dict[str, Any]) -> float:
        return comparable(score_masks(few, functools.partial(_masks, **settings))["ap"])

    chosen = max(_GRID, key=ap)
    folder = given or new_run(None, f"{dataset}-baseline")[0]
    metrics = score_masks(scored, functools.partial(_masks, **chosen), folder.path, quiet=quiet)
    metrics |= {"method": "watershed", "dataset": dataset, "split": split, **chosen}
    write_json(folder.metrics, metrics)
    return BaselineRun(folder.path, metrics)


def _masks(image: np.ndarray, **settings: Any) -> tuple[np.ndarray, np.ndarray]:
    return watershed_objects(as_rgb(image) @ _LUMINANCE, **settings)
