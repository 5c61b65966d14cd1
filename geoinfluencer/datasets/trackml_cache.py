"""Parsed TrackML events kept on disk, so that CSV is parsed once."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import zipfile
from pathlib import Path

import numpy as np

from geoinfluencer.datasets.trackml_io import EventFiles, TrackMLEvent, read_event
from geoinfluencer.files.atomic import atomic_path

_VERSION = 1  # raise when the parsed arrays change their meaning


def load_event(
    files: EventFiles, *, truth: bool = True, cells: bool = True, cache: bool = True
) -> TrackMLEvent:
    """Return :func:`read_event` of the files, from the cache when nothing has changed.

    The cache (``$XDG_CACHE_HOME/geoinfluencer``, by default below ``~/.cache``; nothing is written
    beside the data) is keyed by path, size and time of change of every file and
    by the options; an entry that cannot be read is parsed again and replaced.
    """
    if not cache:
        return read_event(files, truth=truth, cells=cells)
    path = _folder() / f"{files.name}-{_key(files, truth, cells)}.npz"
    event = _load(path)
    if event is None:
        event = read_event(files, truth=truth, cells=cells)
        _store(path, event)
    return event


def _folder() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "geoinfluencer"


def _key(files: EventFiles, truth: bool, cells: bool) -> str:
    state = [str((_VERSION, truth, cells))]
    for path in files.present():
        stat = path.stat()
        state.append(f"{path.resolve()}:{stat.st_size}:{stat.st_mtime_ns}")
    return hashlib.sha256("\n".join(state).encode()).hexdigest()[:16]


def _load(path: Path) -> TrackMLEvent | None:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            values = {name: arrays[name] for name in arrays.files}
        values["name"] = str(values["name"])
        return TrackMLEvent(**values)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, EOFError, zipfile.BadZipFile):
        return None  # a damaged entry is as good as none: it is parsed again and replaced


def _store(path: Path, event: TrackMLEvent) -> None:
    values = {f.name: getattr(event, f.name) for f in dataclasses.fields(event)}
    arrays = {name: np.asarray(value) for name, value in values.items() if value is not None}
    try:
        with atomic_path(path) as temporary:
            np.savez(temporary, **arrays)  # type: ignore[arg-type]
    except OSError:
        return  # a full or read-only disk costs the cache, not the run
