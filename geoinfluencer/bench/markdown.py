"""bench.md: a report as tables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from geoinfluencer.bench.growth import Curve, curves
from geoinfluencer.bench.peers import OURS
from geoinfluencer.bench.report import BenchReport, Row, disturbed
from geoinfluencer.plots.benchmarks import short_count


def markdown(report: BenchReport) -> str:
    """The report as Markdown."""
    parts = ["# Benchmark", _where(report)]
    for task, group in groupby(report.rows, key=lambda row: row["task"]):
        parts += [f"## {task}", f"{report.titles[task][:1].upper()}{report.titles[task][1:]}."]
        rows = list(group)
        parts.append(_table(_HEAD, [_cells(row) for row in rows if row["median_ms"] is not None]))
        parts += _rates(rows) + _notes(rows) + _left_out(rows)
    found = curves(report.rows)
    if found:
        parts += ["## Growth", _growth(found)]
    scaling = _scaling(report.rows)
    if scaling:
        parts += ["## Threads", scaling]
    return "\n\n".join(parts) + "\n"


_HEAD = ("case", "contestant", "median", "fastest", "ours is faster by", "added memory", "error")


def _where(report: BenchReport) -> str:
    about = report.machine
    place = f"{about['cpu']}, {about['cores']} cores, {about['memory_gb']} GB"
    lines = [f"`{report.command}`", ""]
    lines.append(f"- machine: {about.get('gpu', place)}; {about['os']}")
    kernels = {re.sub(r" \d+ threads?", "", value) for value in about["backend"].values()}
    lines.append(
        f"- Python {about['python']}, torch {about['torch']}; kernels: {', '.join(sorted(kernels))}"
    )
    waiting = [f"{name}={value}" for name, value in about.get("openmp", {}).items()]
    lines += [f"- OpenMP: {', '.join(waiting)}"] if waiting else []
    lines.append(f"- {about['date']}; load {_load(report.load_start)}, {_load(report.load_end)}")
    peaks = [f"{rate:.0f} ({count} thread{'s'[: count > 1]})"
             for count, rate in report.matmul_gflops.items()]  # fmt: skip
    if peaks:
        lines.append(f"- float32 matrix product, GFLOP/s: {', '.join(peaks)}")
    lines.append(
        f"- {report.budget['repeats']} rounds of every contestant at every size of a curve, in "
        "rotating order, up to three times as many where runs were disturbed; in one process, at "
        f"most {report.budget['seconds']:g} s of timed runs each; results compared before timing; "
        "whoever takes two seconds at most runs untimed first in a turn, then for a tenth of a "
        "second or once, of which the median counts ('fastest' is the fastest turn); runs of these "
        "before or after which a fixed calculation is slow, because others work on the same cores, "
        "are repeated, for a second at most and two minutes in all; several threads run once "
        "untimed after each look; nobody looks at longer runs, nor at what happens within one; "
        "memory: what the process grows by at the peak of a run, after all that was kept has been "
        "given back"
    )
    lines += [f"- not installed: {name} ({line})" for name, line in report.missing.items()]
    bad = sum(disturbed(row) for row in report.rows)
    if bad:
        lines.append(f"- {bad} of {len(report.rows)} rows have disturbed runs only, and say so")
    for threads in report.blind:
        lines.append(
            f"- {threads} threads never were as fast as one at a fixed calculation: whether others "
            "worked on their cores cannot be told"
        )
    if report.warning:
        lines.append(f"- **noise**: {report.warning}")
    return "\n".join(lines)


def _load(values: Sequence[float] | None) -> str:
    return "unknown" if values is None else f"{values[0]:.2f}"


def _cells(row: Row) -> tuple[str, ...]:
    ours = row["peer"] == OURS
    threads = row["threads"]
    who = f"**{row['contestant']}**" if ours else row["contestant"]
    if threads != row["case_threads"]:
        who += f", {threads} thread{'s'[: threads > 1]}"
    ratio = "" if ours and threads == row["case_threads"] else times(row["ratio"])
    runs = len(row["times_ms"]) - row["disturbed"].count(True) or len(row["times_ms"])
    remarks = [f"{runs} run{'s'[: runs > 1]}"] if runs < 3 else []
    remarks += ["disturbed"] if disturbed(row) else []
    median = milliseconds(row["median_ms"]) + (f" ({', '.join(remarks)})" if remarks else "")
    error = "" if ours or row["max_rel_error"] is None else f"{row['max_rel_error']:.0e}"
    memory = "" if row["peak_mb"] is None else f"{row['peak_mb']:.3g} MB"
    return short_case(row), who, median, milliseconds(row["min_ms"]), ratio, memory, error


def short_case(row: Mapping[str, Any]) -> str:
    """The case without its task: size, dimension, kind, threads."""
    second = "" if row["second"] == row["points"] else f" x {short_count(row['second'])}"
    threads = row["case_threads"]
    count = f", {threads} threads" if threads > 1 else ""
    return f"{short_count(row['points'])}{second}, D = {row['dim']}, {row['kind']}{count}"


def milliseconds(value: float) -> str:
    """With three digits, seconds from a thousand on."""
    if value >= 1000:
        return f"{value / 1000:.3g} s"
    return f"{value:.3g} ms"


def times(ratio: float) -> str:
    """A factor with three digits."""
    return f"{ratio:,.0f}x" if ratio >= 100 else f"{ratio:.3g}x"


def _rates(rows: Iterable[Row]) -> list[str]:
    """Pairs per second and the share of the matrix product's rate, of ours."""
    cells = [
        (
            short_case(row),
            str(row["threads"]),
            f"{row['pairs_within']:.3g}",
            f"{row['pairs_per_second']:.3g}",
            f"{row['gflops']:.3g}",
            f"{100 * row['matmul_share']:.3g} %",
        )
        for row in rows
        if row.get("gflops") is not None and row["median_ms"] is not None
    ]
    if not cells:
        return []
    head = ("case", "threads", "pairs within", "pairs/s", "GFLOP/s", "of the matrix product")
    words = (
        "Ours: pairs within the radius, and 8 D FLOP for each of them (D differences and 3 D "
        "multiply-adds, two FLOP a slot) against what a float32 matrix product reaches here. Root, "
        "mask, tree and pairs that were looked at in vain are not counted."
    )
    return [words, _table(head, cells)]


def _notes(rows: Iterable[Row]) -> list[str]:
    notes = {row["contestant"]: (row["version"], row["note"]) for row in rows if row["note"]}
    lines = [
        f"- {name} {version or ''}: {note}".replace(" :", ":")
        for name, (version, note) in notes.items()
    ]
    return ["\n".join(lines)] if lines else []


def _left_out(rows: Iterable[Row]) -> list[str]:
    cases: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        if row["skipped"]:
            cases.setdefault((row["contestant"], row["skipped"]), []).append(short_case(row))
    lines = [f"- not timed: {name}, {'; '.join(at)}: {why}" for (name, why), at in cases.items()]
    return ["\n".join(lines)] if lines else []


def _growth(found: Iterable[Curve]) -> str:
    head = ("case", "contestant", "sizes", "largest", "memory there", "furthest from c N log N")
    cells = []
    for curve in found:
        threads = f", {curve.threads} thread{'s'[: curve.threads > 1]}"
        cells.append(
            (
                curve.title,
                curve.contestant + threads,
                f"{short_count(curve.points[0])} to {short_count(curve.points[-1])}",
                milliseconds(curve.ms[-1]),
                f"{curve.peak_mb[-1]:.3g} MB",
                f"{curve.deviation:.2f}x",
            )
        )
    return _table(head, cells)


def _scaling(rows: Iterable[Row]) -> str:
    """Ours at several numbers of threads, from the same rounds."""
    cells = []
    for _, group in groupby(rows, key=lambda row: row["case"]):
        ours = {r["threads"]: r for r in group if r["peer"] == OURS and r["median_ms"] is not None}
        if len(ours) < 2 or 1 not in ours:
            continue
        one = ours[1]
        case = f"{one['task']}, {short_case({**one, 'case_threads': 1})}"
        for threads, row in sorted(ours.items()):
            if threads > 1:
                times = f"{milliseconds(one['median_ms'])}, {milliseconds(row['median_ms'])}"
                fastest = f"{one['min_ms'] / row['min_ms']:.2f}x"
                gain = f"{one['median_ms'] / row['median_ms']:.2f}x"
                cells.append((case, str(threads), times, gain, fastest))
    if not cells:
        return ""
    return _table(("case", "threads", "one, all", "gain", "gain of the fastest turns"), cells)


def _table(head: Sequence[str], cells: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in cells)])
