"""What was timed, where, and what was not and why: the record behind bench.json and bench.md."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from geoinfluencer.bench.growth import curves
from geoinfluencer.files.atomic import atomic_path

VERSION = 1  # of the JSON layout

Row = dict[str, Any]


def disturbed(row: Row) -> bool:
    """Whether a row rests on turns in which others worked on our cores."""
    return bool(row["disturbed"]) and all(row["disturbed"])


@dataclass
class BenchReport:
    """Everything that bench.json holds.

    Attributes:
        command: the command line.
        machine: from :func:`geoinfluencer.bench.machine.machine`.
        budget: seconds, memory_gb and repeats.
        missing: peer -> the line that installs it.
        rows: one per contestant and case.
        titles: task -> what it computes.
        load_start, load_end: load averages.
        warning: a sentence on noise, or empty.
        blind: numbers of threads of which nobody could tell whether others disturbed them.
        matmul_gflops: threads -> rate of a float32 matrix product.
    """

    command: str
    machine: dict[str, Any]
    budget: dict[str, Any]
    missing: dict[str, str]
    rows: list[Row] = field(default_factory=list)
    titles: dict[str, str] = field(default_factory=dict)
    load_start: list[float] | None = None
    load_end: list[float] | None = None
    warning: str = ""
    blind: list[int] = field(default_factory=list)
    matmul_gflops: dict[int, float] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The report as plain values."""
        return {
            "version": VERSION,
            "command": self.command,
            "machine": self.machine,
            "load_start": self.load_start,
            "load_end": self.load_end,
            "warning": self.warning or None,
            "blind": self.blind,
            "matmul_gflops": {str(key): value for key, value in self.matmul_gflops.items()},
            "budget": self.budget,
            "missing": self.missing,
            "tasks": self.titles,
            "rows": self.rows,
            "growth": [
                {"case": c.title, "contestant": c.contestant, "threads": c.threads,
                 "points": c.points, "max_deviation": round(c.deviation, 4)}
                for c in curves(self.rows)
            ],
        }  # fmt: skip

    def write(self, folder: Path) -> None:
        """Both files, each at once or not at all."""
        from geoinfluencer.bench.markdown import markdown  # which reads reports

        with atomic_path(folder / "bench.json") as temporary:
            temporary.write_text(json.dumps(self.as_json(), indent=1) + "\n", encoding="utf-8")
        with atomic_path(folder / "bench.md") as temporary:
            temporary.write_text(markdown(self), encoding="utf-8")
