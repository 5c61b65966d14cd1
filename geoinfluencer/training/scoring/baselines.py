"""Clustering without a model beside a model: same graphs, same scores, settings chosen likewise."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Dataset
from torch_geometric.data import Data

from geoinfluencer.condensation import Instances
from geoinfluencer.condensation.unlearned import (
    as_instances,
    components,
    density_clusters,
    require_clustering,
)
from geoinfluencer.datasets.catalog import resolve_dataset
from geoinfluencer.errors import InputError
from geoinfluencer.graphs.points import POINT_NODE_FEATURES
from geoinfluencer.graphs.superpoint_graph import SUPERPOINT_NODE_FEATURES
from geoinfluencer.training.checkpoint import Checkpoint
from geoinfluencer.training.configuration.config import RunConfig
from geoinfluencer.training.configuration.resolve import check
from geoinfluencer.training.configuration.yaml_layers import Layer
from geoinfluencer.training.data import build_dataset
from geoinfluencer.training.scoring.inference import SampleResult
from geoinfluencer.training.tasks import Task

_MIN_SIZE = 3  # nodes, as in the condensation of rooms
_CALIBRATING = 4  # samples; HDBSCAN takes ten seconds for one of 25,000 nodes and each setting
Settings = Mapping[str, float]


def _grid(**values: Sequence[float]) -> list[Settings]:
    rows = itertools.product(*values.values())
    return [dict(zip(values, row, strict=True)) for row in rows]


# Normals and colours count as so many metres from none to the most unlike.
METHODS: dict[str, list[Settings]] = {
    "components": _grid(threshold=(0.1, 0.2, 0.3, 0.45, 0.6, 0.8, 1.0), color=(0.0, 0.5)),
    "dbscan": _grid(
        radius=(0.1, 0.14, 0.2, 0.28, 0.4, 0.6), core=(2, 8), normal=(0.0, 0.2, 0.4),
        color=(0.0, 0.2),
    ),
    "hdbscan": _grid(smallest=(5, 20, 60), normal=(0.0, 0.3), color=(0.0, 0.2)),
}  # fmt: skip


def cluster(sample: Data, method: str, settings: Settings) -> Instances:
    """Instances of a graph of voxels or superpoints by where they are, their normals and colours.

    ``components`` cuts edges whose ends differ, ``dbscan`` and ``hdbscan`` cluster the nodes.

    Args:
        sample: of :class:`~geoinfluencer.graphs.PointGraph` or
            :class:`~geoinfluencer.graphs.SuperpointGraph`.
        method: a name of ``METHODS``.
        settings: one row of its grid.

    Raises:
        InputError: another method, or a graph of another kind.
    """
    if method not in METHODS:
        raise InputError(f"baseline {method!r} is unknown; known: {', '.join(METHODS)}")
    known = (len(POINT_NODE_FEATURES), len(SUPERPOINT_NODE_FEATURES))  # one begins the other
    if sample.x.shape[1] not in known:
        raise InputError(
            "baselines are made for graphs of voxels or superpoints, whose nodes have "
            f"{known[0]} or {known[1]} features; these have {sample.x.shape[1]}"
        )
    normal, color = _normals(sample.x), _columns(sample.x, "red", "green", "blue")
    if method == "components":
        source, target = sample.edge_index
        apart = (normal[source] - normal[target]).norm(dim=1)
        apart = apart + settings["color"] * (color[source] - color[target]).norm(dim=1)
        label = components(sample.edge_index, apart, len(normal), settings["threshold"])
    else:
        place = [sample.pos, settings["normal"] * normal, settings["color"] * color]
        points = torch.cat([part.float() for part in place], dim=1)
        if method == "dbscan":
            label = density_clusters(points, method, settings["radius"], int(settings["core"]))
        else:
            smallest = settings["smallest"]
            label = density_clusters(points, method, smallest, min(8, int(smallest)))
    return as_instances(label, sample.get("mass"), min_size=_MIN_SIZE)


def calibration_samples(
    checkpoint: Checkpoint, methods: Sequence[str], scored: RunConfig
) -> list[Data]:
    """The first samples of those that chose the checkpoint's own threshold.

    Args:
        checkpoint: of the model.
        methods: names that are wanted; checked here, before the model takes its time.
        scored: says where the data is, if it is the dataset that was trained on.

    Raises:
        InputError: an unknown method, scikit-learn is missing, or there are no such samples.
    """
    for method in methods:
        if method not in METHODS:
            raise InputError(f"--baselines {method}: is unknown; known: {', '.join(METHODS)}")
        if method != "components":
            require_clustering(method)
    stored = dict(checkpoint.state.config)
    if scored.dataset == stored["dataset"]:
        stored["data_root"] = scored.data_root
    config = check(Layer(stored))
    calib = build_dataset(resolve_dataset(config.dataset), config, "calib")
    return [calib[i] for i in range(min(_CALIBRATING, len(calib)))]  # type: ignore[arg-type]


def score_baselines(
    samples: Dataset[Data],
    calib: Sequence[Data],
    task: Task,
    methods: Sequence[str] = tuple(METHODS),
) -> dict[str, dict[str, Any]]:
    """Every method with the settings that score best on calibration samples, by the same figure
    that chooses a model's threshold.

    Args:
        samples: to be scored.
        calib: choose the settings.
        task: the scores.
        methods: names of ``METHODS``.

    Returns:
        By method, its metrics and ``settings``.
    """
    return {method: _score(samples, task, method, _best(calib, task, method)) for method in methods}


def _best(calib: Sequence[Data], task: Task, method: str) -> Settings:
    def score(settings: Settings) -> float:
        metric = task.new_metric()
        for sample in calib:
            task.update(metric, sample, cluster(sample, method, settings))
        found = task.calibration_score(metric.compute())
        return -math.inf if math.isnan(found) else found

    return max(METHODS[method], key=score)


def _score(samples: Dataset[Data], task: Task, method: str, settings: Settings) -> dict[str, Any]:
    metric, records = task.new_metric(), []
    for index in range(len(samples)):  # type: ignore[arg-type]
        sample = samples[index]
        found = cluster(sample, method, settings)
        task.update(metric, sample, found)
        nothing = torch.zeros(len(found.instance), 1)
        records.append(task.record(SampleResult(sample, nothing, nothing, instances=found)))
    return {**metric.compute(), **task.metrics_of(records), "settings": dict(settings)}


def _columns(x: Tensor, *names: str) -> Tensor:
    return x[:, [POINT_NODE_FEATURES.index(name) for name in names]]


def _normals(x: Tensor) -> Tensor:
    """(N, 9) the outer product of each normal with itself, which knows no sign; perpendicular ones
    are 1 apart."""
    normal = _columns(x, "normal_x", "normal_y", "normal_z")
    return (normal[:, :, None] * normal[:, None, :]).flatten(1) / math.sqrt(2)
