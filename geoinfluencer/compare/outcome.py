"""What a comparison has found so far: rows, curves, and samples' scores where there are any."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from geoinfluencer.compare.curves import Curve
from geoinfluencer.compare.folder import Row


@dataclass(frozen=True)
class Subject:
    """What is compared, and the words for it.

    Attributes:
        dataset: name.
        quality: column of the rows that decides; larger is better.
        words: the quality in words, with its definition.
        time: what ``seconds`` of a curve are.
        metrics: further columns -> definition.
        group: the group of a row, empty where there is one alone.
    """

    dataset: str
    quality: str
    words: str
    time: str
    metrics: dict[str, str]
    group: Callable[[Row], str] = field(default=lambda row: "")


@dataclass
class Outcome:
    """Everything that tables, figures and sentences are made of.

    Attributes:
        subject: what the rows are about.
        reference: name of the loss that others are compared with.
        rows: one per run that is complete.
        curves: of the same runs.
        samples: (group, loss, seed) -> (E,) quality of single samples.
        left_out: sentences on what was not run.
    """

    subject: Subject
    reference: str
    rows: list[Row] = field(default_factory=list)
    curves: list[Curve] = field(default_factory=list)
    samples: dict[tuple[str, str, int], np.ndarray] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)

    @property
    def groups(self) -> list[str]:
        """In the order in which they were run."""
        return list(dict.fromkeys(self.subject.group(row) for row in self.rows))

    @property
    def losses(self) -> list[str]:
        """In the order in which they were named."""
        return list(dict.fromkeys(row["loss"] for row in self.rows))

    def values(self, group: str, column: str) -> dict[str, dict[int, float]]:
        """Loss -> seed -> value of a column; undefined ones are NaN."""
        found: dict[str, dict[int, float]] = {}
        for row in self.rows:
            if self.subject.group(row) == group:
                value = row.get(column)
                found.setdefault(row["loss"], {})[row["seed"]] = (
                    float("nan") if value is None else float(value)
                )
        return found

    def sample_values(self, group: str) -> dict[str, dict[int, np.ndarray]]:
        """Loss -> seed -> (E,) quality of single samples."""
        found: dict[str, dict[int, np.ndarray]] = {}
        for (where, loss, seed), scores in self.samples.items():
            if where == group:
                found.setdefault(loss, {})[seed] = scores
        return found

    def curves_of(self, group: str) -> dict[str, list[Curve]]:
        """Loss -> curves of its seeds."""
        found: dict[str, list[Curve]] = {}
        for curve in self.curves:
            if curve.group == group:
                found.setdefault(curve.loss, []).append(curve)
        return found
