"""How times grow with N: against c N log N."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

_FEWEST = 3  # sizes that make a curve


@dataclass(frozen=True)
class Curve:
    """One contestant at several sizes.

    Attributes:
        title: task, dimension, kind.
        contestant, threads: who.
        points, ms, peak_mb: of each size, ascending; peak_mb may be NaN.
        factor: c of the line c N log N, in ms: the one that is off by the same factor both ways.
        deviation: largest factor between the line and a time, either way.
    """

    title: str
    contestant: str
    threads: int
    points: tuple[int, ...]
    ms: tuple[float, ...]
    peak_mb: tuple[float, ...]
    factor: float
    deviation: float

    def line(self, points: float) -> float:
        """ms of the line."""
        return self.factor * points * math.log(points)


def curves(rows: Iterable[Mapping[str, Any]]) -> list[Curve]:
    """Of all contestants with at least three sizes of a case."""
    groups: dict[tuple[Any, ...], list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        if row["median_ms"] is not None:
            key = (row["task"], row["dim"], row["kind"], row["contestant"], row["threads"])
            groups[key].append(row)
    found = []
    for (task, dim, kind, contestant, threads), group in groups.items():
        group = sorted(group, key=lambda row: row["points"])
        if len({row["points"] for row in group}) >= _FEWEST:
            found.append(_curve(f"{task}, D = {dim}, {kind}", contestant, threads, group))
    return found


def _curve(title: str, contestant: str, threads: int, rows: list[Mapping[str, Any]]) -> Curve:
    points = tuple(int(row["points"]) for row in rows)
    ms = tuple(float(row["median_ms"]) for row in rows)
    peak = tuple(math.nan if row["peak_mb"] is None else float(row["peak_mb"]) for row in rows)
    per_unit = [time / (n * math.log(n)) for n, time in zip(points, ms, strict=True)]
    low, high = min(per_unit), max(per_unit)
    factor, deviation = math.sqrt(low * high), math.sqrt(high / low)
    return Curve(title, contestant, threads, points, ms, peak, factor, deviation)
