"""Runs the cases, says what it finds, and writes the report as it goes."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from geoinfluencer.bench import machine, peers
from geoinfluencer.bench.cases import Case
from geoinfluencer.bench.contest import Problem, Task
from geoinfluencer.bench.duel import Duel, rows, run_series
from geoinfluencer.bench.growth import curves
from geoinfluencer.bench.limits import Budget
from geoinfluencer.bench.markdown import milliseconds, times
from geoinfluencer.bench.report import BenchReport, Row, disturbed
from geoinfluencer.bench.tasks import TASKS
from geoinfluencer.bench.watch import Watch
from geoinfluencer.errors import InputError


@dataclass(frozen=True)
class Setting:
    """What ``geoinfluencer bench`` was asked for.

    Attributes:
        cases: in order.
        peers: names; those that are missing are said so.
        budget: of each contestant in a case.
        device: ``cpu`` or ``cuda``.
        out: folder of bench.json, bench.md and plots/.
        command: the command line, for the record.
        named_peers: those asked for by name.
    """

    cases: Sequence[Case]
    peers: Sequence[str]
    budget: Budget
    device: torch.device
    out: Path
    command: str = "geoinfluencer bench"
    named_peers: Sequence[str] = ()


def run(setting: Setting, say: Callable[[str], None]) -> BenchReport:
    """Times all cases; the report on disk is complete after each series of sizes.

    Raises:
        InputError: the device or the memory is not there, or the folder cannot be written.
    """
    _check(setting)
    able = {c.package for case in setting.cases for c in TASKS[case.task].contestants}
    for name in setting.named_peers:
        if name not in able:
            say(f"nothing to time: {name} does none of these tasks")
    missing = peers.missing([name for name in setting.peers if name in able])
    for name, line in missing.items():
        say(f"not installed: {name} ({line})")
    report = BenchReport(
        setting.command,
        machine.machine(setting.device),
        {"seconds": setting.budget.seconds, "memory_gb": setting.budget.memory_gb,
         "repeats": setting.budget.repeats},
        missing,
        load_start=machine.load_average(),
    )  # fmt: skip
    slow = sorted(name for name, backend in report.machine["backend"].items()
                  if not str(backend).startswith("native"))  # fmt: skip
    if slow:
        say(f"ours runs on the pure-torch twins for {', '.join(slow)}: the library is not in use")
    watch = Watch()
    for series in _series(setting.cases):
        task = TASKS[series[0].task]
        first, number = series[0], len(series)
        say(first.name if number == 1 else f"{first.name}, and {number - 1} more N in turns")
        report.titles[task.name] = task.title
        duels: list[Duel] = []
        try:
            run_series(
                task,
                series,
                device=setting.device,
                peers=setting.peers,
                missing=missing,
                budget=setting.budget,
                watch=watch,
                duels=duels,
            )
        finally:  # an interrupted curve has what was timed until then
            timed = [duel for duel in duels if duel.entries[0].seconds]
            for duel in timed:
                _record(duel, report, setting, say, named=number == 1)
            if timed:
                report.blind = watch.blind
                report.write(setting.out)
    _close(report, setting, say)
    return report


def _record(
    duel: Duel, report: BenchReport, setting: Setting, say: Callable[[str], None], *, named: bool
) -> None:
    found = rows(duel)
    _add_rates(duel.task, duel.problem, found, report, setting.device)
    report.rows += found
    if not named:
        say(duel.problem.case.name)
    for row in found:
        say(_line(row))
    report.load_end = machine.load_average()
    most = max(case.threads for case in setting.cases)
    report.warning = machine.noise_warning(report.load_start, report.load_end, most)


def _series(cases: Sequence[Case]) -> Iterator[list[Case]]:
    """Cases that follow each other and differ in their points only."""
    for _, series in itertools.groupby(cases, key=lambda case: replace(case, points=0)):
        yield list(series)


def _check(setting: Setting) -> None:
    if setting.device.type == "cuda" and not torch.cuda.is_available():
        raise InputError(
            "--device cuda: there is no usable GPU here; 'geoinfluencer doctor' says why"
        )
    for case in setting.cases:
        gb = case.points * (12 * case.dim + 16) / 2**30  # points, ids, gradients and a copy
        if gb > setting.budget.memory_gb:
            raise InputError(
                f"--points {case.points}: takes {gb:.0f} GB at least; "
                f"--max-memory-gb is {setting.budget.memory_gb:g}"
            )
    try:
        setting.out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=setting.out):
            pass
    except OSError as error:
        raise InputError(f"--out {setting.out}: cannot write there ({error.strerror})") from None


def _add_rates(
    task: Task, problem: Problem, found: list[Row], report: BenchReport, device: torch.device
) -> None:
    """Pairs per second and FLOP per second of ours, against a matrix product."""
    if task.flops is None:
        return
    for row in found:
        if row["peer"] != peers.OURS or row["median_ms"] is None:
            continue
        threads = row["threads"]
        if threads not in report.matmul_gflops:
            rate = machine.matmul_gflops(threads, device)
            report.matmul_gflops[threads] = round(rate, 1)
        seconds = row["median_ms"] / 1e3
        row["pairs_within"] = int(problem.numbers["within"])
        row["pairs_per_second"] = problem.numbers["within"] / seconds
        row["gflops"] = task.flops(problem) / seconds / 1e9
        row["matmul_share"] = row["gflops"] / report.matmul_gflops[threads]


def _line(row: dict[str, Any]) -> str:
    name = row["contestant"]
    if row["threads"] != row["case_threads"]:
        name += f" ({row['threads']} threads)" if row["threads"] > 1 else " (1 thread)"
    if row["skipped"]:
        return f"  {name:<28} not timed: {row['skipped']}"
    memory = "" if row["peak_mb"] is None else f"{row['peak_mb']:>9.1f} MB"
    median, fastest = milliseconds(row["median_ms"]), milliseconds(row["min_ms"])
    line = f"  {name:<28}{median:>10}  (min {fastest:>8}){times(row['ratio']):>10}{memory}"
    return line + ("  disturbed" if disturbed(row) else "")


def _close(report: BenchReport, setting: Setting, say: Callable[[str], None]) -> None:
    from geoinfluencer.bench.pictures import figures

    for curve in curves(report.rows):
        say(
            f"growth: {curve.title}: {curve.contestant} stays within {curve.deviation:.2f}x of "
            "c N log N"
        )
    for figure in figures(report):
        figure.save(setting.out / "plots")
    if report.warning:
        say(f"noise: {report.warning}")
