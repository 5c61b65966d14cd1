"""Predicted tracks on disk: per-hit CSV, its truth, and the TrackML submission."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from geoinfluencer.errors import InputError
from geoinfluencer.files.atomic import atomic_path

UNASSIGNED = -1


@dataclass(frozen=True)
class TrackPrediction:
    """What was predicted for one sample, and its truth where known.

    Attributes:
        name: Name of the sample; the last number before a ``/`` is the event's, so that
            ``event000021001/2`` is of event 21001.
        hit_id: (N,) int64.
        track_id: (N,) int64, negative = unassigned.
        score: (N,) confidence of the hit's track, in [0, 1]; nan or 0 when unassigned.
        particle_id: (N,) int64, 0 = noise.
        pt: (N,) GeV.
        eta: (N,).
        weight: (N,) TrackML weight.
    """

    name: str
    hit_id: np.ndarray
    track_id: np.ndarray
    score: np.ndarray | None = None
    particle_id: np.ndarray | None = None
    pt: np.ndarray | None = None
    eta: np.ndarray | None = None
    weight: np.ndarray | None = None

    def __post_init__(self) -> None:
        for name, values in vars(self).items():
            if isinstance(values, np.ndarray) and values.shape != self.hit_id.shape:
                raise InputError(
                    f"{self.name}: {name} has shape {values.shape}, hit_id {self.hit_id.shape}"
                )


def write_track_predictions(
    path: str | os.PathLike[str], predictions: Sequence[TrackPrediction]
) -> None:
    """Write ``event_id,hit_id,track_id,score``, one row per hit; ``.csv`` or ``.csv.gz``.

    ``track_id`` is -1 for unassigned hits and their ``score`` is 0. Samples of one event (sectors)
    keep their tracks apart. The file is written aside and renamed. It is itself an input of
    ``eval --pred``.
    """
    frames = [
        pd.DataFrame(
            {
                "event_id": event,
                "hit_id": sample.hit_id,
                "track_id": track,
                "score": np.where(track < 0, np.float32(0), _scores(sample)),
            }
        )
        for sample, event, track in _numbered(predictions)
    ]
    _write(path, frames, ["event_id", "hit_id", "track_id", "score"])


def write_submission(path: str | os.PathLike[str], predictions: Sequence[TrackPrediction]) -> None:
    """Write a TrackML submission: ``event_id,hit_id,track_id`` with -1 for unassigned hits.

    ``score_event`` of the trackml library takes -1 as "in no track".
    """
    frames = [
        pd.DataFrame({"event_id": event, "hit_id": sample.hit_id, "track_id": track})
        for sample, event, track in _numbered(predictions)
    ]
    _write(path, frames, ["event_id", "hit_id", "track_id"])


def write_track_truth(path: str | os.PathLike[str], predictions: Sequence[TrackPrediction]) -> None:
    """Write ``event_id,hit_id,particle_id,pt,eta,weight``: what the predictions were scored with.

    With it ``eval --pred predictions.csv --truth truth.csv --protocol trackml`` gives the same
    numbers. ``weight`` is left out when a sample has none.

    Raises:
        InputError: If a sample has no truth.
    """
    frames = []
    for sample, event, _ in _numbered(predictions):
        columns = {"particle_id": sample.particle_id, "pt": sample.pt, "eta": sample.eta}
        if any(values is None for values in columns.values()):
            raise InputError(f"{sample.name}: no truth to write; it was predicted from hits alone")
        frame = pd.DataFrame({"event_id": event, "hit_id": sample.hit_id, **columns})
        if all(other.weight is not None for other in predictions):
            frame["weight"] = sample.weight
        frames.append(frame)
    _write(path, frames, ["event_id", "hit_id", "particle_id", "pt", "eta", "weight"])


def event_number(name: str, default: int = 0) -> int:
    """Return the event number in a sample's name, ``default`` when it has none."""
    digits = re.findall(r"\d+", name.partition("/")[0])
    return int(digits[-1]) if digits else default


def _numbered(
    predictions: Sequence[TrackPrediction],
) -> list[tuple[TrackPrediction, int, np.ndarray]]:
    """Samples with their event number and with track ids that are unique within the event."""
    owner: dict[int, str] = {}
    next_track: dict[int, int] = {}
    result = []
    for index, sample in enumerate(predictions):
        base = sample.name.partition("/")[0]
        event = event_number(sample.name, index)
        if owner.setdefault(event, base) != base:
            raise InputError(
                f"samples {owner[event]!r} and {base!r} both have event number {event}; rename one"
            )
        shift = next_track.get(event, 0)
        track = np.where(sample.track_id < 0, UNASSIGNED, sample.track_id + shift)
        next_track[event] = int(track.max(initial=shift - 1)) + 1
        result.append((sample, event, track))
    return result


def _scores(sample: TrackPrediction) -> np.ndarray:
    if sample.score is None:
        return np.ones(len(sample.hit_id), np.float32)
    return np.nan_to_num(np.asarray(sample.score, np.float32))


def _write(path: str | os.PathLike[str], frames: list[pd.DataFrame], columns: list[str]) -> None:
    table = pd.concat(frames) if frames else pd.DataFrame(columns=columns)
    with atomic_path(path) as temporary:
        table.to_csv(temporary, index=False)
