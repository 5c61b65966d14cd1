"""Your own detector's CSV files as a dataset that every command takes.

`TelescopeEvents` reads one CSV file per event of a beam telescope: a few planes, a straight track
each particle. To train on it from the command line, in the folder of this file:

    geoinfluencer train --dataset read_your_own_csv_events:TelescopeEvents --data-root EVENTS

This program does the same from Python, on events that it writes first:

    python examples/read_your_own_csv_events.py
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch_geometric.data import Data, Dataset

import geoinfluencer
from geoinfluencer import InputError

PLANES = np.linspace(0.0, 700.0, 8)  # z in mm


class TelescopeEvents(Dataset):
    """Events `*.csv` with columns `hit,plane,x,y` (mm) and, for training, `track` (-1 = noise).

    Args:
        root: Folder of events, or one file.
        split: `"train"` (the first four fifths), `"val"` (the rest) or `"all"`.
        max_slope: Largest |dx/dz| and |dy/dz| of an edge between neighbouring planes.
    """

    protocol = "nodes"  # how it is scored; "trackml" for particle tracks with pT
    primary_metric = "ari"  # what best.ckpt is chosen by
    splits = ("train", "val")  # without a "calib" of its own, half of val chooses the radius

    def __init__(self, root: str, split: str = "train", *, max_slope: float = 0.15) -> None:
        super().__init__(None)
        path = Path(root)
        self.files = [path] if path.is_file() else sorted(path.glob("*.csv"))
        if not self.files:
            raise InputError(f"{root}: no *.csv events here")
        cut = len(self.files) * 4 // 5
        parts = {"train": self.files[:cut], "val": self.files[cut:], "all": self.files}
        self.files = parts[split]
        self.max_slope = max_slope

    def len(self) -> int:
        return len(self.files)

    def get(self, idx: int) -> Data:
        file = self.files[idx]
        hits = pd.read_csv(file)
        missing = {"hit", "plane", "x", "y"} - set(hits)
        if missing:
            raise InputError(f"{file}: line 1: lacks the columns {sorted(missing)}")
        plane = hits["plane"].to_numpy()
        pos = np.stack([hits["x"], hits["y"], PLANES[plane]], 1).astype(np.float32)

        # Edges: pairs of hits on neighbouring planes that a shallow enough line could join.
        source, target = np.nonzero(plane[None, :] - plane[:, None] == 1)
        step = pos[target] - pos[source]
        slope = step[:, :2] / step[:, 2:]
        near = (np.abs(slope) < self.max_slope).all(1)

        data = Data(
            pos=torch.from_numpy(pos),
            x=torch.from_numpy(pos / np.float32([50, 50, 700])),
            edge_index=torch.from_numpy(np.stack([source[near], target[near]])),
            edge_attr=torch.from_numpy(slope[near]),
            node_id=torch.tensor(hits["hit"].to_numpy(np.int64)),
            name=file.stem,
        )
        if "track" in hits:
            track = hits["track"].to_numpy()
            ids, number = np.unique(track, return_inverse=True)
            data.instance = torch.from_numpy(number - int(ids[0] < 0)).long()  # -1, 0, 1, ...
        else:  # hits alone are enough for prediction
            data.instance = torch.full((len(hits),), -1)
            data.ignore = torch.ones(len(hits), dtype=torch.bool)
        return data


def write_event(path: Path, rng: np.random.Generator, tracks: int = 8, noise: int = 6) -> None:
    """Writes one event with hits in random order."""
    start, slope = rng.uniform(-50, 50, (tracks, 2)), rng.normal(0, 0.03, (tracks, 2))
    at = start[:, None] + slope[:, None] * PLANES[:, None]  # (tracks, planes, 2)
    at = at + rng.normal(0, 0.1, at.shape)
    track, plane = (a.reshape(-1) for a in np.indices(at.shape[:2]))
    xy = np.concatenate([at.reshape(-1, 2), rng.uniform(-60, 60, (noise, 2))])
    plane = np.concatenate([plane, rng.integers(0, len(PLANES), noise)])
    track = np.concatenate([track, np.full(noise, -1)])
    order = rng.permutation(len(track))
    table = pd.DataFrame({"plane": plane, "x": xy[:, 0], "y": xy[:, 1], "track": track})
    table.iloc[order].reset_index(drop=True).to_csv(path, index_label="hit")


def main(folder: Path | None = None, max_steps: int = 300) -> dict[str, float]:
    """Writes events, trains, predicts an event without truth; returns the validation metrics."""
    if folder is None:
        with tempfile.TemporaryDirectory() as name:
            return main(Path(name), max_steps)
    events = folder / "events"
    events.mkdir()
    rng = np.random.default_rng(0)
    for index in range(100):
        write_event(events / f"event{index:03d}.csv", rng)

    # The dataset goes by the name that any process can import it under.
    sys.path.insert(0, str(Path(__file__).parent))
    run = geoinfluencer.train(
        "read_your_own_csv_events:TelescopeEvents",
        data_root=events,
        out=folder / "run",
        max_steps=max_steps,
        assignments=["train.learning_rate=0.005", "train.val_every=100"],
    )
    print(f"adjusted Rand index on unseen events: {run.metrics['ari']:.3f}; see {run.report}")

    write_event(folder / "new.csv", rng)
    pd.read_csv(folder / "new.csv").drop(columns="track").to_csv(folder / "new.csv", index=False)
    (file,) = geoinfluencer.predict(run.best, [folder / "new.csv"], folder / "predicted")
    print(pd.read_csv(file).head())
    return run.metrics


if __name__ == "__main__":
    main()
