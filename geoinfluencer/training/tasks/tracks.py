"""Particle tracks: the ``trackml`` protocol."""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from torch.utils.data import Dataset
from torch_geometric.data import Data

from geoinfluencer.condensation import Instances
from geoinfluencer.datasets import ToyTracks, TrackML
from geoinfluencer.datasets.predictions import (
    TrackPrediction,
    event_number,
    write_submission,
    write_track_predictions,
    write_track_truth,
)
from geoinfluencer.metrics import BinnedEfficiency, TrackMetrics
from geoinfluencer.plots.efficiency import efficiency_figure
from geoinfluencer.plots.events import event_figures
from geoinfluencer.plots.figures import Figure
from geoinfluencer.training.data import attribute
from geoinfluencer.training.scoring.inference import SampleResult, node_scores
from geoinfluencer.training.tasks.base import Task

_DEFINITIONS = {
    "dm_efficiency": "particles of W with a double-majority track / |W|; double majority: more "
    "than half of the track's hits are the particle's and more than half of the particle's hits "
    "are in the track",
    "perfect_efficiency": "particles of W of which a track has all hits and no others / |W|",
    "lhc_efficiency": "particles of W that have more than 75 % of some track's hits / |W|",
    "fake_rate": "of the tracks with majority in W or noise: share without double majority",
    "duplicate_rate": "of the same tracks: share whose majority particle has another track with "
    "more of its hits (of equal ones, all but one count)",
    "trackml_score": "weight of the majority particles' hits in double-majority tracks / all "
    "weight, mean over events",
    "fake_rate_all": "fake rate over all tracks",
    "duplicate_rate_all": "duplicate rate over all tracks",
    "num_particles": "|W|",
    "num_tracks": "predicted groups of at least 3 hits",
    "unassigned_fraction": "share of the hits in no predicted group",
}


class TrackTask(Task):
    """Efficiencies, fakes and duplicates of tracks in the dataset's window.

    The window (``pt_min``, ``eta_max``, ``min_hits``) is that of the dataset. Samples without
    ``pt`` and ``eta`` count all their particles; without ``hit_weight`` all hits weigh the same.
    """

    protocol: ClassVar[str] = "trackml"
    default_metric: ClassVar[str] = "dm_efficiency"

    def __init__(self, samples: object = None) -> None:
        super().__init__(samples)
        window = attribute(samples, "window", None)
        names = ("pt_min", "eta_max", "min_hits")
        self._window = {name: getattr(window, name) for name in names} if window else {}

    def new_metric(self) -> TrackMetrics:
        return TrackMetrics(**self._window)

    def update(self, metric: TrackMetrics, sample: Data, found: Instances) -> None:
        particle_id = sample.get("particle_id")
        if particle_id is None:
            particle_id = sample.instance + 1
        pt, eta, weight = sample.get("pt"), sample.get("eta"), sample.get("hit_weight")
        count = len(found.instance)
        metric.update(
            found.instance.numpy(),
            particle_id.numpy(),
            pt=np.full(count, np.inf) if pt is None else pt.numpy(),
            eta=np.zeros(count) if eta is None else eta.numpy(),
            weight=None if weight is None else weight.numpy(),
        )

    def calibration_score(self, metrics: Mapping[str, Any]) -> float:
        """Efficiency times the shares that are no fakes and no duplicates: the efficiency alone
        would not mind duplicates, and finding nothing scores nothing."""
        good = (1.0 - metrics["fake_rate"]) * (1.0 - metrics["duplicate_rate"])
        return 0.0 if math.isnan(good) else float(metrics["dm_efficiency"]) * good

    def window(self) -> dict[str, Any]:
        return dict(self.new_metric().window)

    def window_words(self, metrics: Mapping[str, Any]) -> str:
        if metrics.get("pt_min") is None:
            return ""
        return (
            f"pT >= {metrics['pt_min']:g} GeV, |eta| <= {metrics['eta_max']:g}, at least "
            f"{metrics['min_hits']:g} hits in truth"
        )

    def record(self, result: SampleResult) -> TrackPrediction:
        assert result.instances is not None
        sample = result.sample
        truth = {}
        if "truth" in self.common_arrays(result):
            names = {"particle_id": "particle_id", "pt": "pt", "eta": "eta", "weight": "hit_weight"}
            fields = {key: sample.get(name) for key, name in names.items()}
            truth = {key: value.numpy() for key, value in fields.items() if value is not None}
        node_id = sample.get("node_id")
        return TrackPrediction(
            name=result.name,
            hit_id=np.arange(sample.num_nodes) if node_id is None else node_id.numpy(),
            track_id=result.instances.instance.numpy(),
            score=node_scores(result.instances).numpy(),
            **truth,
        )

    def write_predictions(self, records: Sequence[TrackPrediction], folder: Path) -> list[Path]:
        """``predictions.csv``, a TrackML ``submission.csv`` and, where known, the ``truth.csv``
        that ``eval --pred`` scores them with."""
        owners: dict[int, set[str]] = {}
        for index, record in enumerate(records):
            number = event_number(record.name, index)
            owners.setdefault(number, set()).add(record.name.partition("/")[0])
        if any(len(names) > 1 for names in owners.values()):  # two events of one number
            records = [replace(record, name=str(i)) for i, record in enumerate(records)]
        written = [folder / "predictions.csv", folder / "submission.csv"]
        write_track_predictions(written[0], records)
        write_submission(written[1], records)
        if all(
            r.particle_id is not None and r.pt is not None and r.eta is not None for r in records
        ):
            written.append(folder / "truth.csv")
            write_track_truth(written[-1], records)
        return written

    def open_input(self, path: Path, cls: type, options: Mapping[str, Any]) -> Dataset[Data]:
        """Reads TrackML hits, also for a model that was trained on the generated tracks; a class
        of the user's own reads its input itself."""
        if cls not in (TrackML, ToyTracks):
            return super().open_input(path, cls, options)
        known = inspect.signature(TrackML).parameters
        kept = ("graph", "volumes", "layers", "cells", "keep")
        mine = {k: v for k, v in options.items() if k in (known if cls is TrackML else kept)}
        for name in ("train_events", "calib_events", "val_events", "test_events"):
            mine.pop(name, None)  # those of the training folder
        mine = {k: v for k, v in mine.items() if k in known}
        samples: Dataset[Data] = TrackML(path, split="all", **{**mine, "truth": False})
        return samples

    def display_arrays(self, result: SampleResult) -> dict[str, np.ndarray]:
        arrays = self.common_arrays(result)
        pt, eta = result.sample.get("pt"), result.sample.get("eta")
        if "truth" in arrays and pt is not None and eta is not None:
            window = self.window()
            hits = np.bincount(arrays["truth"][arrays["truth"] >= 0], minlength=1)
            inside = (pt.numpy() >= window["pt_min"]) & (np.abs(eta.numpy()) <= window["eta_max"])
            inside &= (arrays["truth"] >= 0) & (hits[arrays["truth"]] >= window["min_hits"])
            arrays["window"] = inside
        return arrays

    def sample_figures(self, arrays: Mapping[str, np.ndarray], name: str) -> list[Figure]:
        return event_figures(arrays, name)

    def curve_rows(self, metric: TrackMetrics) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        for key, curve in metric.curves().items():
            low, high = curve.interval()
            columns = (curve.edges[:-1], curve.edges[1:], curve.passed, curve.total,
                       curve.efficiency, low, high)  # fmt: skip
            names = ("bin_low", "bin_high", "passed", "total", "efficiency", "low", "high")
            for values in zip(*columns, strict=True):
                rows.append(
                    {"variable": key, "label": curve.name, **dict(zip(names, values, strict=True))}
                )
        return rows

    def curve_figures(self, rows: Sequence[Mapping[str, Any]], note: str) -> list[Figure]:
        figures = []
        for key in dict.fromkeys(row["variable"] for row in rows):
            mine = [row for row in rows if row["variable"] == key]
            edges = np.array([*(float(r["bin_low"]) for r in mine), float(mine[-1]["bin_high"])])
            counts = [np.array([int(float(r[n])) for r in mine]) for n in ("passed", "total")]
            if np.count_nonzero(counts[1]) < 2:  # a 2-D detector has one pseudorapidity
                continue
            curve = BinnedEfficiency(str(mine[0]["label"]), edges, *counts)
            figures.append(efficiency_figure(key, curve, note))
        return figures

    def definitions(self) -> dict[str, str]:
        return dict(_DEFINITIONS)
