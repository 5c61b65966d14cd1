"""The folder of a run: what lies where, and how an earlier run is kept from being overwritten."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from geoinfluencer.errors import InputError
from geoinfluencer.files.atomic import atomic_path

RUNS = Path("runs")


class RunFolder:
    """Paths in the folder of a training run or an evaluation."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.config = self.path / "config.yaml"
        self.metrics = self.path / "metrics.json"
        self.last = self.path / "checkpoints" / "last.ckpt"
        self.best = self.path / "checkpoints" / "best.ckpt"
        self.logs = self.path / "logs"
        self.train_log = self.logs / "train.csv"
        self.val_log = self.logs / "val.csv"
        self.plots = self.path / "plots"
        self.display = self.plots / "display.npz"
        self.curves = self.plots / "curves.csv"
        self.calibration = self.plots / "calibration.csv"
        self.report = self.path / "report.html"
        self._lock: Any = None

    def unlock(self) -> None:
        """Ends :meth:`lock`."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def holds_run(self) -> bool:
        """Whether something was trained here."""
        return self.config.exists() or self.last.exists() or self.best.exists()

    def make(self) -> None:
        """Makes the folder.

        Raises:
            InputError: it cannot be made or written to.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            probe = self.path / f".probe-{os.getpid()}"
            probe.touch()
            probe.unlink()
        except OSError as error:
            reason = error.strerror or str(error)
            raise InputError(f"--out {self.path}: cannot write there ({reason})") from error

    def lock(self) -> None:
        """Keeps other processes from training here until :meth:`unlock` or the process's end.

        Raises:
            InputError: another one is at it.
        """
        try:
            import fcntl
        except ImportError:  # not a POSIX system: no lock, the other guards remain
            return
        self._lock = (self.path / ".lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise InputError(
                f"--out {self.path}: another process is training here; wait for it or name "
                "another folder"
            ) from error


def new_run(
    out: str | Path | None, dataset: str, kind: type[RunFolder] = RunFolder
) -> tuple[RunFolder, Path | None]:
    """The folder of a fresh run; an earlier run in it is moved aside, never overwritten.

    Args:
        out: the folder; None: ``runs/<dataset>-<date>-<time>``.
        dataset: for the name.
        kind: of folder, which knows what lies where.

    Returns:
        The folder, and where an earlier run from it is now (``OUT.1``, ``OUT.2`` ...), or None.

    Raises:
        InputError: not writable, not a folder, in use, or full of something that is no run.
    """
    if out is None:
        stem = f"{dataset.replace(':', '-')}-{datetime.now():%Y%m%d-%H%M%S}"
        folder = kind(_free(RUNS / stem))
        folder.make()
        folder.lock()
        return folder, None
    folder = kind(out)
    moved = None
    if folder.path.exists() and not folder.path.is_dir():
        raise InputError(f"--out {folder.path}: is a file; name a folder")
    if folder.holds_run():
        folder.make()
        folder.lock()
        folder.unlock()
        moved = _free(folder.path.with_name(folder.path.name + ".1"))
        try:
            folder.path.rename(moved)
        except OSError as error:
            raise InputError(
                f"--out {folder.path}: holds an earlier run that cannot be moved aside "
                f"({error.strerror}); name another folder, or go on with --resume auto"
            ) from error
        folder = kind(out)
    elif folder.path.is_dir() and any(
        not entry.name.startswith(".") for entry in folder.path.iterdir()
    ):
        raise InputError(
            f"--out {folder.path}: holds files that are no run of this program; name a new folder"
        )
    folder.make()
    folder.lock()
    return folder, moved


def _free(path: Path) -> Path:
    """``path``, or the next name like it that is not taken."""
    base, _, number = path.name.rpartition(".")
    stem, count = (base, int(number)) if base and number.isdigit() else (path.name, 0)
    while path.exists():
        count += 1
        path = path.with_name(f"{stem}.{count}")
    return path


def latest_run(dataset: str) -> RunFolder:
    """The run of a dataset under ``runs/`` whose ``last.ckpt`` is newest.

    Raises:
        InputError: there is none.
    """
    stem = dataset.replace(":", "-")
    found = sorted(
        RUNS.glob(f"{stem}-*/checkpoints/last.ckpt"), key=lambda path: path.stat().st_mtime
    )
    if not found:
        raise InputError(
            f"--resume auto: no unfinished run of {dataset} under {RUNS}/; name the folder with "
            "--out DIR or the checkpoint with --resume CKPT"
        )
    return RunFolder(found[-1].parent.parent)


def write_json(path: Path, values: Mapping[str, Any]) -> None:
    """Writes a flat JSON object; NaN and infinity become null."""
    text = json.dumps({key: _plain(value) for key, value in values.items()}, indent=2)
    with atomic_path(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def read_json(path: Path) -> dict[str, Any]:
    """Reads what :func:`write_json` wrote.

    Raises:
        InputError: missing or damaged.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: not readable JSON: {error}") from error
    if not isinstance(values, dict):
        raise InputError(f"{path}: expected a JSON object")
    return values


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
