"""The folder of a comparison: what lies where, and that everything in it belongs together."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from geoinfluencer.errors import InputError
from geoinfluencer.files.atomic import atomic_path
from geoinfluencer.training.run_folder import RunFolder, read_json

Row = dict[str, Any]


class CompareFolder:
    """Paths in the folder of a comparison.

    Args:
        path: the folder.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.settings = self.path / "compare.json"
        self.results = self.path / "results.json"
        self.table = self.path / "results.csv"
        self.markdown = self.path / "results.md"
        self.plots = self.path / "plots"
        self.report = self.path / "report.html"
        self._lock: RunFolder | None = None

    def run(self, group: str, loss: str, seed: int) -> Path:
        """Where one run lies, a folder or (with ``.json``) a file; ``group`` may be empty."""
        return self.path / "runs" / group / loss / f"seed-{seed}"

    def open(self, settings: Mapping[str, Any]) -> None:
        """Makes and locks the folder, or goes on in one that was made with the same settings.

        Args:
            settings: what all runs of the comparison share; plain values.

        Raises:
            InputError: not writable, in use, of other settings, or full of something else.
        """
        if self.path.exists() and not self.path.is_dir():
            raise InputError(f"--out {self.path}: is a file; name a folder")
        if self.settings.is_file():
            _check_same(self.path, read_json(self.settings), settings)
        elif self.path.is_dir() and any(e.name[0] != "." for e in self.path.iterdir()):
            raise InputError(
                f"--out {self.path}: holds files that are no comparison; name a new folder"
            )
        self._lock = RunFolder(self.path)
        self._lock.make()
        self._lock.lock()
        write_values(self.settings, dict(settings))

    def close(self) -> None:
        """Lets other processes in."""
        if self._lock is not None:
            self._lock.unlock()


def write_values(path: Path, values: Any) -> None:
    """Plain values as JSON, at once or not at all; NaN has no place in them."""
    text = json.dumps(values, indent=1, allow_nan=False)
    with atomic_path(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def _check_same(path: Path, before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    plain = json.loads(json.dumps(dict(now)))
    for key in sorted({*before, *plain}):
        if before.get(key) != plain.get(key):
            raise InputError(
                f"--out {path}: holds a comparison with {key} = {before.get(key)}, not "
                f"{plain.get(key)}; name another folder"
            )
