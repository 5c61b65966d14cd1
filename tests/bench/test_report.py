"""What is written: growth, JSON, Markdown, pictures."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from geoinfluencer.bench.growth import curves
from geoinfluencer.bench.machine import noise_warning
from geoinfluencer.bench.markdown import markdown, milliseconds, times
from geoinfluencer.bench.pictures import figures
from geoinfluencer.bench.report import BenchReport


def row(contestant: str, points: int, ms: float | None, **rest: Any) -> dict[str, Any]:
    return {
        "task": "knn", "case": f"knn, {points}", "points": points, "second": points, "dim": 3,
        "kind": "random", "threads": 1, "case_threads": 1, "contestant": contestant,
        "peer": contestant.split(".")[0], "version": "1", "note": "", "skipped": None,
        "equal": True, "max_abs_error": 0.0, "max_rel_error": 0.0,
        "times_ms": [] if ms is None else [ms] * 3,
        "disturbed": [] if ms is None else [False] * 3, "median_ms": ms, "min_ms": ms, "max_ms": ms,
        "peak_mb": 2.0, "ratio": None if ms is None else ms / 5.0, **rest,
    }  # fmt: skip


def report(rows: list[dict[str, Any]]) -> BenchReport:
    about = {
        "cpu": "A processor", "cores": 2, "memory_gb": 8.0, "os": "Linux", "python": "3.11",
        "torch": "2.13", "date": "2026-01-01", "backend": {"knn": "native-cpu 2 threads avx2"},
    }  # fmt: skip
    limits = {"seconds": 30.0, "memory_gb": 4.0, "repeats": 7}
    missing = {"keops": "pip install pykeops"}
    return BenchReport("geoinfluencer bench", about, limits, missing, rows, {"knn": "neighbours"})


def test_a_curve_of_n_log_n_has_no_deviation_and_others_say_theirs() -> None:
    sizes = (1000, 10_000, 100_000)
    exact = [row("geoinfluencer", n, 1e-4 * n * math.log(n)) for n in sizes]
    (curve,) = curves(exact)
    assert curve.deviation == pytest.approx(1.0) and curve.factor == pytest.approx(1e-4)
    exact[-1]["median_ms"] *= 1.69
    (curve,) = curves(exact)
    assert curve.deviation == pytest.approx(1.3)  # half of it either way
    assert curves(exact[:2]) == []


def test_markdown_says_everything_that_the_rows_say(tmp_path: Path) -> None:
    made = report(
        [
            row("geoinfluencer", 10_000, 5.0),
            row("geoinfluencer", 10_000, 2.5, threads=2, disturbed=[True, False, True]),
            row("sklearn", 10_000, 7.5, disturbed=[True] * 3),
            row(
                "scipy.query_pairs",
                10_000,
                6000.0,
                note="each pair once",
                times_ms=[6000.0],
                disturbed=[None],
            ),
            row("dense", 10_000, None, skipped="would take about 40 GB, the limit is 4 GB"),
            row("keops", 10_000, None, skipped="not installed: pip"),
            row("keops", 20_000, None, skipped="not installed: pip"),
        ]
    )
    made.blind = [2]
    text = markdown(made)
    assert "| 10k, D = 3, random | **geoinfluencer** | 5 ms | 5 ms |" in text
    assert "scipy.query_pairs | 6 s (1 run) | 6 s | 1,200x |" in text
    assert "not timed: dense, 10k, D = 3, random: would take about 40 GB" in text
    assert "not timed: keops, 10k, D = 3, random; 20k, D = 3, random: not installed: pip" in text
    assert "2 threads never were as fast as one" in text
    assert "scipy.query_pairs 1: each pair once" in text
    assert "not installed: keops (pip install pykeops)" in text
    assert "| knn, 10k, D = 3, random | 2 | 5 ms, 2.5 ms | 2.00x | 2.00x |" in text
    assert "kernels: native-cpu avx2" in text
    assert "- 1 of 7 rows have disturbed runs only" in text
    assert "**geoinfluencer**, 2 threads | 2.5 ms (1 run) |" in text
    assert "sklearn | 7.5 ms (disturbed) |" in text
    made.write(tmp_path)
    assert (tmp_path / "bench.md").read_text() == text
    read = json.loads((tmp_path / "bench.json").read_text())
    assert read["version"] == 1 and len(read["rows"]) == 7
    assert read["rows"][4]["median_ms"] is None and "40 GB" in read["rows"][4]["skipped"]


def test_pictures_of_ratios_and_growth() -> None:
    rows = [
        line
        for n in (1000, 10_000, 100_000)
        for line in (
            row("geoinfluencer", n, n / 1000),
            row("scipy", n, n / 100),
            row("dense", n, None, skipped="would take about 40 GB", ratio=None),
            row("keops", n, None, skipped="not installed: pip", ratio=None),
        )
    ]
    drawn = {figure.key: figure for figure in figures(report(rows))}
    assert set(drawn) == {"ratios-knn", "growth-knn-d3-random"}
    assert all(figure.png.startswith(b"\x89PNG") for figure in drawn.values())
    assert figures(report(rows[:1])) == []


def test_numbers_are_read_easily() -> None:
    assert [milliseconds(v) for v in (0.1234, 14.26, 999.4, 1234.0)] == [
        "0.123 ms", "14.3 ms", "999 ms", "1.23 s",
    ]  # fmt: skip
    assert [times(v) for v in (0.5, 8.123, 12345.6)] == ["0.5x", "8.12x", "12,346x"]


def test_a_busy_machine_is_said() -> None:
    assert noise_warning([0.1, 0, 0], [1.1, 0, 0], 1) == ""
    assert "before the start" in noise_warning([1.5, 0, 0], [1.5, 0, 0], 1)
    assert "at the end" in noise_warning([0.1, 0, 0], [3.0, 0, 0], 1)
    assert noise_warning(None, None, 1) == ""
