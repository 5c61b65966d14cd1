from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from geoinfluencer.datasets.predictions import (
    TrackPrediction,
    event_number,
    write_submission,
    write_track_predictions,
    write_track_truth,
)
from geoinfluencer.errors import InputError


def sample(name: str, start: int = 1) -> TrackPrediction:
    return TrackPrediction(
        name,
        hit_id=np.arange(start, start + 4),
        track_id=np.array([0, 0, -7, 1]),
        score=np.array([0.5, 0.5, np.nan, 1.0]),
        particle_id=np.array([9007199254740993, 9007199254740993, 0, 5]),
        pt=np.array([1.0, 1.0, np.nan, 2.0]),
        eta=np.zeros(4),
    )


def test_columns_and_unassigned(tmp_path: Path) -> None:
    write_track_predictions(tmp_path / "p.csv", [sample("event000021001")])
    assert (tmp_path / "p.csv").read_text().splitlines() == [
        "event_id,hit_id,track_id,score",
        "21001,1,0,0.5",
        "21001,2,0,0.5",
        "21001,3,-1,0.0",
        "21001,4,1,1.0",
    ]
    write_submission(tmp_path / "s.csv.gz", [sample("event000021001")])
    table = pd.read_csv(tmp_path / "s.csv.gz")
    assert list(table.columns) == ["event_id", "hit_id", "track_id"]
    assert table["track_id"].tolist() == [0, 0, -1, 1]


def test_sectors_of_one_event_keep_their_tracks_apart(tmp_path: Path) -> None:
    parts = [sample("event7/0"), sample("event7/1", 5), sample("event8")]
    write_submission(tmp_path / "s.csv", parts)
    table = pd.read_csv(tmp_path / "s.csv")
    assert table["event_id"].tolist() == [7] * 8 + [8] * 4
    assert table["track_id"].tolist() == [0, 0, -1, 1, 2, 2, -1, 3, 0, 0, -1, 1]
    with pytest.raises(InputError, match="both have event number 7"):
        write_submission(tmp_path / "s.csv", [sample("event7"), sample("run7")])
    assert len(pd.read_csv(tmp_path / "s.csv")) == 12


def test_truth_keeps_big_ids(tmp_path: Path) -> None:
    write_track_truth(tmp_path / "t.csv", [sample("event1")])
    assert "1,1,9007199254740993,1.0,0.0" in (tmp_path / "t.csv").read_text()
    blind = TrackPrediction("a", np.arange(2), np.zeros(2, int))
    with pytest.raises(InputError, match="no truth to write"):
        write_track_truth(tmp_path / "t.csv", [blind])


def test_shapes_and_numbers() -> None:
    with pytest.raises(InputError, match="track_id has shape"):
        TrackPrediction("a", np.arange(3), np.zeros(2, int))
    assert event_number("event000021001/3") == 21001
    assert event_number("none", 4) == 4
