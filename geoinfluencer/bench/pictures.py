"""The figures of a report, from its rows."""

from __future__ import annotations

from collections import defaultdict
from itertools import groupby
from typing import Any

from geoinfluencer.bench.growth import Curve, curves
from geoinfluencer.bench.markdown import short_case
from geoinfluencer.bench.peers import OURS
from geoinfluencer.bench.report import BenchReport
from geoinfluencer.plots.benchmarks import Growth, Ratios, growth_figure, ratio_figure
from geoinfluencer.plots.figures import Figure


def figures(report: BenchReport) -> list[Figure]:
    """Ratio bars of every task with a rival, and curves where there are several sizes."""
    words = f"{report.machine.get('gpu', report.machine['cpu'])}, torch {report.machine['torch']}."
    return _ratios(report, words) + _growth(report, words)


def _ratios(report: BenchReport, words: str) -> list[Figure]:
    found = []
    for task, group in groupby(report.rows, key=lambda row: row["task"]):
        groups = []
        for _, rows in groupby(group, key=lambda row: row["case"]):
            rivals: list[dict[str, Any]] = list(rows)
            ratio = {
                row["contestant"]: row["ratio"]
                for row in rivals
                if row["peer"] != OURS and not (row["skipped"] or "").startswith("not installed")
            }
            if any(value is not None for value in ratio.values()):
                groups.append(Ratios(short_case(rivals[0]), ratio))
        if groups:
            found.append(ratio_figure(f"ratios-{task}", f"{task}: time over ours", groups, words))
    return found


def _growth(report: BenchReport, words: str) -> list[Figure]:
    by_title: dict[str, list[Curve]] = defaultdict(list)
    for curve in curves(report.rows):
        by_title[curve.title].append(curve)
    found = []
    for title, group in by_title.items():
        lines = [
            Growth(
                _name(curve, group),
                curve.points,
                curve.ms,
                curve.peak_mb,
                curve.factor if number == 0 else None,
            )
            for number, curve in enumerate(group)
        ]
        key = "growth-" + title.replace(", ", "-").replace(" = ", "").lower()
        found.append(growth_figure(key, f"{title}, {_threads(group)}", lines, words))
    return found


def _name(curve: Curve, group: list[Curve]) -> str:
    several = len({other.threads for other in group}) > 1
    return f"{curve.contestant}, {curve.threads} threads" if several else curve.contestant


def _threads(group: list[Curve]) -> str:
    count = group[0].threads
    return f"{count} thread{'s' if count > 1 else ''}"
