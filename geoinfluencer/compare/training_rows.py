"""A training run as a row and a curve, read from its folder."""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch.utils.data import Dataset
from torch_geometric.data import Data

from geoinfluencer.compare.contestants import Contestant
from geoinfluencer.compare.curves import Curve
from geoinfluencer.compare.folder import Row
from geoinfluencer.training.configuration.config import RunConfig
from geoinfluencer.training.fitting.log import read_rows
from geoinfluencer.training.run_folder import RunFolder, read_json
from geoinfluencer.training.tasks import Task

LOSS_SECONDS = "loss_seconds"  # column of logs/train.csv: of the logged step


@dataclass(frozen=True)
class Held:
    """The validation samples: their protocol, mean nodes and mean instances of a sample."""

    samples: Dataset[Data] | Sequence[Data]
    task: Task
    nodes: float
    instances: float


def run_row(
    run: RunFolder,
    config: RunConfig,
    contestant: Contestant,
    seed: int,
    held: Held,
    failure: str,
) -> Row:
    """The row of a run, from the files in its folder.

    Args:
        run: its folder.
        config: its configuration.
        contestant, seed: what it was run with.
        held: the validation samples.
        failure: what ended it early; its metrics do not count then.
    """
    metrics = {} if failure else read_json(run.metrics)
    val, logged = read_rows(run.val_log), read_rows(run.train_log)
    steps, seconds = spent(run)
    name = held.task.primary_metric
    final = val[-1].get(f"val/{name}", math.nan) if val and not failure else math.nan
    row: Row = {
        "dataset": config.dataset,
        "nodes": held.nodes,
        "queries": _queries(config),
        "instances": held.instances,
        "loss": contestant.name,
        "seed": seed,
        "steps": steps,
        "seconds": seconds,
        f"final_{name}": None if math.isnan(final) else final,
        "loss_share": loss_share(logged),
        "checkpoint_step": metrics.get("checkpoint_step"),
        "num_parameters": metrics.get("num_parameters"),
        "failure": failure,
    }
    return row | {key: metrics.get(key) for key in held.task.definitions()}


def spent(run: RunFolder) -> tuple[int, float]:
    """Steps and seconds of fitting: of a finished run, or of what an unfinished one has logged."""
    if run.metrics.is_file():
        metrics = read_json(run.metrics)
        return metrics["steps"], 60 * metrics["fit_minutes"]
    logged = read_rows(run.train_log)
    return (int(logged[-1]["step"]), 60 * logged[-1]["minutes"]) if logged else (0, 0.0)


def _queries(config: RunConfig) -> int | None:
    """Fixed number of queries; None: as many as the scene asks for, or there are none."""
    return config.model.get("num_queries") if config.model.get("queries") == "learned" else None


def loss_share(rows: Sequence[dict[str, float]]) -> float | None:
    """Share of a step's time that goes into the loss: medians of the logged steps, the first
    (which warms up) left out; None where the log has no ``loss_seconds``.

    Args:
        rows: of ``logs/train.csv``: ``step``, ``minutes`` and ``loss_seconds`` of that step.
    """
    later = [row for row in rows if row["step"] > 1 and row.get(LOSS_SECONDS, math.nan) > 0]
    if len(later) < 2:
        return None
    steps = [
        60 * (b["minutes"] - a["minutes"]) / (b["step"] - a["step"])
        for a, b in itertools.pairwise(later)
    ]
    whole = statistics.median(steps) if steps else 0.0
    if whole <= 0:
        return None
    return min(1.0, statistics.median(row[LOSS_SECONDS] for row in later) / whole)


def run_curve(run: RunFolder, loss: str, seed: int, metric: str) -> Curve | None:
    """The validations of a run, those without a score left out; None: there are none."""
    key = f"val/{metric}"
    rows = [row for row in read_rows(run.val_log) if math.isfinite(row.get(key, math.nan))]
    if not rows:
        return None
    columns = [np.array([row[name] for row in rows]) for name in ("step", "minutes", key)]
    return Curve("", loss, seed, columns[0], 60 * columns[1], columns[2])
