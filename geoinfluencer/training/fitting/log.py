"""Curves of a run as two CSV files that survive an interruption."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from geoinfluencer.files.atomic import atomic_path


class CurveLog:
    """Rows of numbers against the optimisation step, appended to a CSV file.

    Args:
        path: the file; rows that it holds after ``step`` are dropped (a resumed run writes them
            again).
        step: last step whose rows are kept.
    """

    def __init__(self, path: Path, step: int = 0) -> None:
        self.path = path
        rows = [row for row in read_rows(path) if row["step"] <= step]
        self.columns: list[str] = list(rows[0]) if rows else []
        if rows:
            with atomic_path(path) as temporary, temporary.open("w", newline="") as file:
                writer = csv.DictWriter(file, self.columns)
                writer.writeheader()
                writer.writerows(rows)
        else:
            path.unlink(missing_ok=True)

    def append(self, row: Mapping[str, Any]) -> None:
        """Adds a row; its columns are those of the first row."""
        first = not self.columns
        if first:
            self.columns = list(row)
            self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", newline="") as file:
            writer = csv.DictWriter(file, self.columns, restval="", extrasaction="ignore")
            if first:
                writer.writeheader()
            writer.writerow(row)


def read_rows(path: Path) -> list[dict[str, float]]:
    """The rows of a curve file; a half-written last line is left out."""
    if not path.is_file():
        return []
    rows = []
    with path.open(newline="", errors="replace") as file:
        for row in csv.DictReader(file):
            try:
                rows.append({key: float(value or "nan") for key, value in row.items()})
            except (TypeError, ValueError):
                continue  # killed while writing this line
    return rows
