"""Scores of single validation samples, so that a bootstrap can draw the samples again too."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence

import numpy as np
from torch.utils.data import Dataset, Subset
from torch_geometric.data import Data

from geoinfluencer.errors import InputError
from geoinfluencer.files.atomic import atomic_path
from geoinfluencer.training.checkpoint import load_checkpoint
from geoinfluencer.training.configuration.config import RunConfig
from geoinfluencer.training.run_folder import RunFolder
from geoinfluencer.training.scoring.inference import pick_device
from geoinfluencer.training.scoring.scores import score_samples
from geoinfluencer.training.tasks import Task

FILE = "samples.csv"


def write_scores(
    folder: RunFolder, config: RunConfig, samples: Dataset[Data] | Sequence[Data], task: Task
) -> None:
    """``samples.csv`` in a run's folder: the primary metric of ``best.ckpt`` sample by sample.

    Args:
        folder: of a finished run.
        config: of the run.
        samples: its ``val`` split.
        task: of the split; its primary metric is scored.
    """
    best = load_checkpoint(folder.best)
    model, device = best.build_model(), pick_device(config.train.accelerator)
    settings = best.condensation(config.condensation)
    values = []
    for index in range(len(samples)):  # type: ignore[arg-type]
        found = score_samples(
            model,
            Subset(samples, [index]),  # type: ignore[arg-type]
            task,
            settings,
            device=device,
            precision=config.train.precision,
            quiet=True,
        )
        values.append(float(found.metrics.get(task.primary_metric, math.nan)))
    with atomic_path(folder.path / FILE) as temporary, temporary.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["sample", task.primary_metric])
        writer.writerows(enumerate(values))


def read_scores(folder: RunFolder) -> np.ndarray | None:
    """(E,) what :func:`write_scores` wrote; None where it is not there."""
    path = folder.path / FILE
    if not path.is_file():
        return None
    try:
        with path.open(newline="") as file:
            return np.array([float(row[1]) for row in list(csv.reader(file))[1:]])
    except (OSError, ValueError, IndexError) as error:
        raise InputError(f"{path}: damaged ({error}); delete it and run again") from error
