"""TrackML events from CSV: hits alone, or with truth, particles, cells and detectors."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from geoinfluencer.datasets.trackml_cells import cell_features
from geoinfluencer.errors import InputError
from geoinfluencer.files.momenta import hit_kinematics
from geoinfluencer.files.tables import Table, line_of_row, no_duplicates, read_table

_HITS_NAME = re.compile(r"(?P<name>.+)-hits\.csv(\.gz)?")


@dataclass(frozen=True)
class EventFiles:
    """The files of one event; only ``hits`` must exist."""

    name: str
    hits: Path
    truth: Path | None = None
    particles: Path | None = None
    cells: Path | None = None
    detectors: Path | None = None

    def present(self) -> list[Path]:
        """Return the files that there are."""
        files = (self.hits, self.truth, self.particles, self.cells, self.detectors)
        return [path for path in files if path is not None]


@dataclass(frozen=True)
class TrackMLEvent:
    """One parsed event; N hits in file order.

    Attributes:
        name: Event name, ``event000021000``.
        hit_id: (N,) int64.
        pos: (N, 3) float32, global x, y, z in millimetres.
        volume_id: (N,) int64.
        layer_id: (N,) int64.
        particle_id: (N,) int64, 0 = noise; None without a truth file.
        weight: (N,) float32 TrackML score weight; 1 for hits of particles and 0 for noise where
            the truth has no weights; None without a truth file.
        pt: (N,) float32, transverse momentum of the hit's particle in GeV, nan when unknown.
        eta: (N,) float32, pseudorapidity of the hit's particle at production, nan when unknown.
        features: (N, F) float32 from the cells; None without a cells file.
    """

    name: str
    hit_id: np.ndarray
    pos: np.ndarray
    volume_id: np.ndarray
    layer_id: np.ndarray
    particle_id: np.ndarray | None = None
    weight: np.ndarray | None = None
    pt: np.ndarray | None = None
    eta: np.ndarray | None = None
    features: np.ndarray | None = None

    def select(self, mask: np.ndarray) -> TrackMLEvent:
        """Return the event with only these hits."""
        arrays: dict[str, Any] = {
            key: value[mask] if isinstance(value, np.ndarray) else value
            for key, value in vars(self).items()
        }
        return TrackMLEvent(**arrays)


def find_events(root: str | os.PathLike[str]) -> list[EventFiles]:
    """Find ``NAME-hits.csv[.gz]`` in a folder and in its direct sub-folders, sorted by name.

    ``root`` may also be one hits file. Of ``.csv`` and ``.csv.gz`` the first is taken. Detectors
    (``detectors.csv[.gz]``) are looked for beside the event and in the folder above it.

    Raises:
        InputError: If nothing is found, or one name is found in two folders.
    """
    place = Path(root)
    if place.is_file():
        match = _HITS_NAME.fullmatch(place.name)
        if match is None:
            raise InputError(f"{place}: not a hits file; expected a name like NAME-hits.csv[.gz]")
        return [_event_files(place, match["name"])]
    if not place.is_dir():
        raise InputError(f"{place}: no such folder; give the folder with the *-hits.csv[.gz] files")
    folders = [place, *sorted(path for path in place.iterdir() if path.is_dir())]
    events: dict[str, EventFiles] = {}
    for folder in folders:
        for path in sorted(folder.glob("*-hits.csv*")):  # .csv sorts before .csv.gz
            match = _HITS_NAME.fullmatch(path.name)
            if match is None:
                continue
            name = match["name"]
            known = events.get(name)
            if known is None:
                events[name] = _event_files(path, name)
            elif known.hits.parent != path.parent:
                raise InputError(
                    f"{path}: event {name!r} is also in {known.hits.parent}; keep one of them"
                )
    if not events:
        raise InputError(
            f"{place}: no TrackML events; expected files like event000000001-hits.csv[.gz] "
            "in the folder or one level below"
        )
    return [events[name] for name in sorted(events)]


def _event_files(hits: Path, name: str) -> EventFiles:
    def beside(kind: str) -> Path | None:
        return _first_file(hits.parent / f"{name}-{kind}")

    detectors = _first_file(hits.parent / "detectors") or _first_file(
        hits.parent.parent / "detectors"
    )
    return EventFiles(name, hits, beside("truth"), beside("particles"), beside("cells"), detectors)


def _first_file(stem: Path) -> Path | None:
    for suffix in (".csv", ".csv.gz"):
        path = stem.with_name(stem.name + suffix)
        if path.is_file():
            return path
    return None


def read_event(files: EventFiles, *, truth: bool = True, cells: bool = True) -> TrackMLEvent:
    """Parse one event.

    Momenta are those of :func:`~geoinfluencer.files.momenta.hit_kinematics`.

    Args:
        files: The event's files.
        truth: Whether to read truth and particles; False reads what prediction needs.
        cells: Whether to read the cells (and detectors) when they are there.

    Raises:
        InputError: Names file, line and remedy.
    """
    hits = read_table(
        files.hits,
        {
            "hit_id": "int",
            "x": "float",
            "y": "float",
            "z": "float",
            "volume_id": "int",
            "layer_id": "int",
        },
        {"module_id": "int"},
        what="TrackML hits",
        finite=("x", "y", "z"),
    )
    hit_id = hits["hit_id"]
    no_duplicates(files.hits, "hit_id", hit_id)
    pos = np.stack([hits["x"], hits["y"], hits["z"]], axis=1).astype(np.float32)
    event: dict[str, Any] = {
        "name": files.name,
        "hit_id": hit_id,
        "pos": pos,
        "volume_id": hits["volume_id"],
        "layer_id": hits["layer_id"],
    }
    if truth and files.truth is not None:
        event |= _read_truth(files, hit_id)
    if cells and files.cells is not None:
        event["features"] = cell_features(files.cells, files.detectors, hits, files.hits)
    return TrackMLEvent(**event)


def _read_truth(files: EventFiles, hit_id: np.ndarray) -> Table:
    assert files.truth is not None
    table = read_table(
        files.truth,
        {"hit_id": "int", "particle_id": "int"},
        {n: "float" for n in ("tx", "ty", "tz", "tpx", "tpy", "tpz", "weight")},
        what="TrackML truth",
        finite=("weight",),
    )
    order = _join(files, hit_id, table["hit_id"])
    particle_id = table["particle_id"][order]
    weight = table.get("weight")
    weight = (particle_id != 0).astype(np.float32) if weight is None else weight[order]
    pt, eta = hit_kinematics({n: v[order] for n, v in table.items()}, files.particles)
    return {
        "particle_id": particle_id,
        "weight": weight.astype(np.float32),
        "pt": pt.astype(np.float32),
        "eta": eta.astype(np.float32),
    }


def _join(files: EventFiles, hit_id: np.ndarray, truth_id: np.ndarray) -> np.ndarray:
    """Rows of the truth in the order of the hits."""
    assert files.truth is not None
    no_duplicates(files.truth, "hit_id", truth_id)
    if np.array_equal(hit_id, truth_id):
        return np.arange(len(hit_id))
    remedy = f"truth must have exactly the hits of {files.hits.name}"
    lost = np.flatnonzero(~np.isin(hit_id, truth_id))
    if len(lost):
        raise InputError(
            f"{files.truth}: {len(lost)} hit(s) have no truth row, first hit_id "
            f"{hit_id[lost[0]]} (line {line_of_row(files.hits, int(lost[0]))} of the hits); "
            f"{remedy}"
        )
    unknown = np.flatnonzero(~np.isin(truth_id, hit_id))
    if len(unknown):
        raise InputError(
            f"{files.truth}: line {line_of_row(files.truth, int(unknown[0]))}: hit_id "
            f"{truth_id[unknown[0]]} is not among the hits ({len(unknown)} such row(s)); {remedy}"
        )
    order = np.argsort(truth_id)
    return order[np.searchsorted(truth_id[order], hit_id)]
