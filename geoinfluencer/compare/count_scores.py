"""How a trained model does on events with exactly so many tracks."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils.data import Dataset
from torch_geometric.data import Data

from geoinfluencer.condensation import Instances
from geoinfluencer.datasets import ToyTracks
from geoinfluencer.errors import InputError
from geoinfluencer.training.configuration.config import CondensationSection, RunConfig
from geoinfluencer.training.data import held_in_memory
from geoinfluencer.training.run_folder import read_json
from geoinfluencer.training.scoring.inference import autocast_dtype, condense_result, run_batches
from geoinfluencer.training.tasks import Task

METRICS = {
    "recall": "double-majority efficiency: tracks of which a predicted one has more than half of "
    "the hits, and these are more than half of its own, over all tracks with at least 3 hits",
    "queries": "of an event, mean",
    "bound": "min(1, queries / tracks), mean over events: what so many queries find at most",
    "predicted": "tracks predicted in an event (of at least 3 hits), mean",
    "fake_rate": "share of the predicted tracks without double majority",
    "duplicate_rate": "share of the predicted tracks whose particle has a better one",
    "events": "number of events scored",
}


def count_samples(config: RunConfig, count: int, particles: int) -> Sequence[Data] | Dataset[Data]:
    """Test events with ``count`` tracks each, as many as it takes to have ``particles`` of them.

    Equal numbers of particles, not of events, make the recall equally sure at every count.
    """
    exactly = {"num_tracks": count, "num_tracks_max": None}
    enough = {"num_events": None, "test_events": math.ceil(particles / count)}
    return held_in_memory(ToyTracks(None, split="test", **{**config.data, **exactly, **enough}))


def score_count(
    model: nn.Module,
    samples: Sequence[Data] | Dataset[Data],
    task: Task,
    settings: CondensationSection,
    *,
    count: int,
    device: torch.device,
    precision: str = "auto",
) -> dict[str, float]:
    """The :data:`METRICS` of a model with queries, and ``nodes``, their mean number.

    Args:
        model: in evaluation mode.
        samples: from :func:`count_samples`.
        task: with the window that the tracks are counted in.
        settings: with their calibrated threshold.
        count: tracks of a sample.
        device, precision: to run with.
    """
    model = model.to(device)
    dtype = autocast_dtype(precision, device)
    nodes: list[int] = []
    queries: list[int] = []

    def found() -> Iterator[tuple[Data, Instances]]:
        for result in run_batches(model, samples, device, dtype, max_nodes=1):
            assert result.queries is not None
            nodes.append(int(result.sample.num_nodes))
            queries.append(result.queries.num_queries)
            instances = condense_result(result, settings).instances
            assert instances is not None
            yield result.sample, instances

    metrics = task.score(found())
    return {
        "nodes": statistics.mean(nodes),
        "recall": metrics["dm_efficiency"],
        "queries": statistics.mean(queries),
        "bound": statistics.mean(min(1.0, number / count) for number in queries),
        "predicted": metrics["num_tracks"] / len(nodes),
        "fake_rate": metrics["fake_rate"],
        "duplicate_rate": metrics["duplicate_rate"],
        "events": len(nodes),
    }


def read_count(path: Path) -> dict[str, Any]:
    """What was stored of :func:`score_count`; undefined values are None.

    Raises:
        InputError: the file is damaged.
    """
    try:
        values = read_json(path)
    except InputError as error:
        raise InputError(f"{error}; delete it and run again") from error
    missing = {"nodes", *METRICS} - values.keys()
    if missing:
        raise InputError(f"{path}: lacks {sorted(missing)[0]!r}; delete it and run again")
    return values
