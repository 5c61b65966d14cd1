"""Small TrackML events on disk, made by the toy generator, with ids beyond 2^53."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from geoinfluencer.datasets.toy_detector import ToyDetector
from geoinfluencer.datasets.toy_generator import generate_event
from geoinfluencer.datasets.toy_physics import ToyPhysics

BIG = 9007199254740993  # 2^53 + 1: the first integer that a float64 cannot hold

WriteEvent = Callable[..., dict[str, pd.DataFrame]]


def make_event(seed: int, num_tracks: int) -> dict[str, pd.DataFrame]:
    rng = np.random.default_rng(seed)
    event = generate_event(rng, ToyDetector(dim=3), ToyPhysics(num_tracks=num_tracks))
    particle_id = np.where(event.particle_id > 0, BIG + 2 * event.particle_id, 0)
    count = len(event.pos)
    hits = pd.DataFrame(event.pos.astype(np.float64), columns=["x", "y", "z"])
    hits.insert(0, "hit_id", rng.permutation(count) + 1)
    hits["volume_id"] = np.where(event.surface < 10, 8, 9)
    hits["layer_id"] = 2 * (event.surface + 1)
    hits["module_id"] = 1
    number = np.arange(1, num_tracks + 1)
    phi = rng.uniform(-np.pi, np.pi, num_tracks)
    particles = pd.DataFrame(
        {
            "particle_id": BIG + 2 * number,
            "vx": 0.0,
            "vy": 0.0,
            "vz": 0.0,
            "px": event.pt * np.cos(phi),
            "py": event.pt * np.sin(phi),
            "pz": event.pt * np.sinh(event.eta),
            "q": event.charge,
            "nhits": 99,
        }
    )
    momentum = np.zeros((num_tracks + 1, 3))
    momentum[1:] = particles[["px", "py", "pz"]].to_numpy()
    truth = pd.DataFrame({"hit_id": hits["hit_id"], "particle_id": particle_id})
    truth[["tx", "ty", "tz"]] = event.pos.astype(np.float64)
    truth[["tpx", "tpy", "tpz"]] = momentum[event.particle_id]
    truth["weight"] = np.where(particle_id > 0, 1.0 / count, 0.0)
    return {"hits": hits, "truth": truth, "particles": particles}


@pytest.fixture
def write_event(tmp_path: Path) -> WriteEvent:
    """Writes an event's files below tmp_path and returns their tables."""

    def write(
        name: str = "event000000001",
        *,
        seed: int = 1,
        num_tracks: int = 30,
        suffix: str = ".csv",
        kinds: tuple[str, ...] = ("hits", "truth", "particles"),
        folder: str = "",
    ) -> dict[str, pd.DataFrame]:
        tables = make_event(seed, num_tracks)
        (tmp_path / folder).mkdir(exist_ok=True)
        for kind in kinds:
            tables[kind].to_csv(tmp_path / folder / f"{name}-{kind}{suffix}", index=False)
        return tables

    return write
