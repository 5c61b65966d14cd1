"""Scores of an evaluation of rooms by the other way: from its files, as any tool's are scored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from geoinfluencer.datasets.catalog import resolve_dataset
from geoinfluencer.metrics import CLASS_SETS
from geoinfluencer.metrics.scene_points import FoundPoints, TruthPoints
from geoinfluencer.metrics.scene_scores import SceneScores
from geoinfluencer.training.checkpoint import load_checkpoint
from geoinfluencer.training.data import build_dataset
from geoinfluencer.training.scoring.evaluation import evaluation_config


def check_rescored(found: dict[str, Any], checkpoint: Path, folder: Path) -> None:
    """The nodes of ``predictions.csv``, spread over the points of ``val``, have the class-agnostic
    scores of ``metrics.json``."""
    config = evaluation_config(load_checkpoint(checkpoint), None, None)
    samples: Any = build_dataset(resolve_dataset(config.dataset), config, "val")
    table = pd.read_csv(folder / "predictions.csv")
    both = [
        SceneScores(
            protocol, CLASS_SETS["s3dis"], min_points=found["min_points"], with_classes=False
        )
        for protocol in ("scannet", "s3dis")
    ]
    for data in (samples[i] for i in range(len(samples))):
        rows = table[table["sample"] == data.name].sort_values("node_id")
        assert len(rows) == data.num_nodes
        node = data.voxel_of_point.numpy()
        instance, score = rows["instance"].to_numpy()[node], rows["score"].to_numpy()[node]
        truth = TruthPoints(samples.point_truth(data.name)[0])
        for scores in both:
            scores.update(truth, FoundPoints(instance, None, score))
    wanted = {key: value for scores in both for key, value in scores.compute().items()}
    names = [name for name in wanted if name.startswith("agnostic_")]
    assert {"agnostic_ap50", "agnostic_ap25", "agnostic_mcov", "agnostic_mrec"} <= set(names)
    for name in names:
        assert found[name] == pytest.approx(wanted[name], nan_ok=True, abs=1e-6), name
