"""Quality against steps and against time, per run and over seeds."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

POINTS = 400  # of a band, at most


@dataclass(frozen=True)
class Curve:
    """The quality of one run as it went.

    Attributes:
        group: what it may be compared within: a size, or empty.
        loss, seed: of the run.
        step: (T,) ascending.
        seconds: (T,) of fitting; of free logits, in the loss.
        value: (T,) the quality there.
    """

    group: str
    loss: str
    seed: int
    step: np.ndarray
    seconds: np.ndarray
    value: np.ndarray

    def reaches(self, target: float) -> bool:
        """Whether some value of the record is at least ``target``."""
        return bool((self.value >= target).any())


@dataclass(frozen=True)
class Band:
    """Mean and range over seeds where all of them have a value."""

    loss: str
    place: np.ndarray
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray


def band(loss: str, curves: Sequence[Curve], axis: str) -> Band:
    """The band of a loss over its seeds, between their points interpolated.

    Args:
        loss: name.
        curves: of its seeds, in one group.
        axis: ``step`` or ``seconds``.
    """
    places = [getattr(curve, axis) for curve in curves]
    start, end = max(p[0] for p in places), min(p[-1] for p in places)
    shared = np.unique(np.concatenate(places))
    shared = shared[(shared >= start) & (shared <= end)]
    if not len(shared):  # one ends before another begins
        shared = np.array([start])
    shared = shared[np.unique(np.linspace(0, len(shared) - 1, POINTS).round().astype(int))]
    values = np.stack(
        [np.interp(shared, place, c.value) for place, c in zip(places, curves, strict=True)]
    )
    return Band(loss, shared, values.mean(0), values.min(0), values.max(0))


@dataclass(frozen=True)
class Reaching:
    """How long a loss takes to a target.

    Attributes:
        loss: name.
        steps, seconds: where the mean over the seeds gets there first; None: never.
        reached, seeds: how many of the seeds get there at all.
    """

    loss: str
    steps: float | None
    seconds: float | None
    reached: int
    seeds: int


def reaching(loss: str, curves: Sequence[Curve], target: float) -> Reaching:
    """When a loss is first as good as ``target``, on the mean of its seeds.

    Single seeds would ask too much: half of the reference's own never reach their mean.
    """
    steps, seconds = (_first(band(loss, curves, axis), target) for axis in ("step", "seconds"))
    reached = sum(curve.reaches(target) for curve in curves)
    return Reaching(loss, steps, seconds, reached, len(curves))


def _first(found: Band, target: float) -> float | None:
    there = np.flatnonzero(found.mean >= target - 1e-9)  # the target is a rounded mean itself
    return float(found.place[there[0]]) if len(there) else None


def median_or_never(values: Sequence[float | None]) -> float | None:
    """Median in which None is infinite; None where it is infinite."""
    if not values:
        return None
    middle = statistics.median(float("inf") if value is None else value for value in values)
    return None if middle == float("inf") else float(middle)
