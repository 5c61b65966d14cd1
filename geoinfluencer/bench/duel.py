"""A case: who takes part, whether the results agree; and the rounds of a series of cases."""

from __future__ import annotations

import gc
import math
import statistics
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch

from geoinfluencer.bench.cases import Case
from geoinfluencer.bench.contest import Contestant, Problem, Task
from geoinfluencer.bench.equality import Difference
from geoinfluencer.bench.limits import Budget
from geoinfluencer.bench.measure import Step, Turn, measured_step, quick_turn, single_run
from geoinfluencer.bench.peers import OURS, version
from geoinfluencer.bench.pilot import Pilot
from geoinfluencer.bench.report import Row
from geoinfluencer.bench.watch import Watch

# Seconds. A quicker contestant runs untimed first in each of its turns, so that no size of a curve
# finds colder memory than another. Of a slower one the run that is compared counts as the first.
SLOW = 2.0

MOST_ROUNDS = 3  # times those that were asked for, where turns were disturbed


@dataclass
class Entry:
    """A contestant in a case, with what was found."""

    contestant: Contestant
    threads: int
    skipped: str = ""
    difference: Difference | None = None
    first_seconds: float = math.inf
    peak_mb: float = math.nan
    turns: list[Turn] = field(default_factory=list)

    @property
    def undisturbed(self) -> list[Turn]:
        """Turns in which nobody else's work was seen on our cores."""
        return [turn for turn in self.turns if not turn.disturbed]

    @property
    def seconds(self) -> list[float]:
        """Of the turns that count: disturbed ones only where there is no other."""
        return [turn.seconds for turn in self.undisturbed or self.turns]


@dataclass
class Duel:
    """A case whose contestants have been compared."""

    task: Task
    problem: Problem
    entries: list[Entry]


def run_series(
    task: Task,
    cases: Sequence[Case],
    *,
    device: torch.device,
    peers: Collection[str],
    missing: Mapping[str, str],
    budget: Budget,
    watch: Watch,
    duels: list[Duel],
) -> None:
    """Compares every contestant with ours in each case, then times them in rounds of rotating
    order. Cases take turns too: a busy minute of the machine strikes all sizes of a curve. Who
    had disturbed turns has others in further rounds, in three times as many at most.

    ``duels`` is filled on the way: whoever interrupts has what was measured until then."""
    for case in cases:
        duels.append(_compared(task, case, device, peers, missing, budget))
    gc.collect()
    for number in range(MOST_ROUNDS * budget.repeats):
        for duel in duels:
            if number < budget.repeats or watch.patience > 0:
                _round(duel, number, budget, watch)
        _correct(duels, watch)
    for duel in duels:
        for entry in duel.entries:
            if not entry.skipped and math.isnan(entry.peak_mb):
                run = measured_step(task, entry.contestant, duel.problem, entry.threads)
                entry.peak_mb = run.peak_mb


def _compared(
    task: Task,
    case: Case,
    device: torch.device,
    peers: Collection[str],
    missing: Mapping[str, str],
    budget: Budget,
) -> Duel:
    problem = task.problem(case, device)
    entries = [Entry(task.ours, case.threads)]
    entries += [Entry(task.ours, number) for number in case.own_threads if number != case.threads]
    entries += [Entry(one, case.threads) for one in task.contestants if one.package in peers]
    pilot = Pilot(task, problem, device)
    reference = None
    for entry in entries:
        try:
            entry.skipped = _objection(entry, pilot, missing, budget, device)
            if entry.skipped:
                continue
            first = measured_step(task, entry.contestant, problem, entry.threads)
        except Exception as error:
            if entry.contestant.package == OURS:
                raise
            # a stranger's code: whatever goes wrong in it is a finding, not the end of the run
            entry.skipped = f"failed: {type(error).__name__}: {' '.join(str(error).split())[:200]}"
            continue
        entry.first_seconds = first.seconds
        found = _comparable(entry.contestant, problem, first)
        reference = found if reference is None else reference
        entry.difference = task.compare(problem, reference, found, entry.contestant.tolerance)
        if not entry.difference.equal:
            entry.skipped = f"its result differs from ours ({entry.difference.what})"
        elif first.seconds > SLOW:
            entry.peak_mb, entry.turns = first.peak_mb, [Turn(first.seconds, None, first.seconds)]
    return Duel(task, problem, entries)


def _objection(
    entry: Entry,
    pilot: Pilot,
    missing: Mapping[str, str],
    budget: Budget,
    device: torch.device,
) -> str:
    contestant = entry.contestant
    if contestant.package == OURS:
        return ""
    if contestant.package in missing:
        return f"not installed: {missing[contestant.package]}"
    if device.type == "cuda" and not contestant.cuda:
        return "runs on the CPU only"
    return pilot.objection(contestant, budget)


def _comparable(contestant: Contestant, problem: Problem, first: Step) -> object:
    if contestant.result is None:
        return first.outcome
    return contestant.result(problem, first.outcome)


def _round(duel: Duel, number: int, budget: Budget, watch: Watch) -> None:
    """Every contestant has its turn; each round starts one further down the list."""
    entries = [entry for entry in duel.entries if not entry.skipped]
    shift = number % max(len(entries), 1)
    for entry in entries[shift:] + entries[:shift]:
        if not _may_run(entry, budget):
            continue
        what = (duel.task, entry.contestant, duel.problem, entry.threads)
        slow = entry.first_seconds > SLOW
        entry.turns.append(single_run(*what) if slow else quick_turn(*what, watch))


def _correct(duels: Sequence[Duel], watch: Watch) -> None:
    """What was called quiet before the watch knew better was not."""
    for duel in duels:
        for entry in duel.entries:
            if entry.threads in watch.mistaken:
                entry.turns = [replace(t, disturbed=t.disturbed is not None or None)
                               for t in entry.turns]  # fmt: skip
    watch.mistaken.clear()


def _may_run(entry: Entry, budget: Budget) -> bool:
    if not entry.turns:
        return True
    if len(entry.undisturbed) >= budget.repeats:
        return False
    return sum(turn.spent for turn in entry.turns) + entry.turns[-1].seconds <= budget.seconds


def rows(duel: Duel) -> list[Row]:
    """The case as rows of the report, ours at the case's threads first."""
    case = duel.problem.case
    ours = duel.entries[0]
    found = []
    for entry in duel.entries:
        if not entry.skipped and not entry.turns:
            continue  # interrupted before its first turn
        row: Row = {
            "task": duel.task.name,
            "case": case.name,
            "points": case.points,
            "second": duel.problem.second or case.points,
            "dim": case.dim,
            "kind": case.kind,
            "threads": entry.threads,
            "case_threads": case.threads,
            "contestant": entry.contestant.name,
            "peer": entry.contestant.package,
            "version": None if "not installed" in entry.skipped
            else version(entry.contestant.package),
            "note": entry.contestant.note,
            "skipped": entry.skipped or None,
            "equal": None,
            "max_abs_error": None,
            "max_rel_error": None,
            "times_ms": [round(1e3 * turn.seconds, 4) for turn in entry.turns],
            "disturbed": [turn.disturbed for turn in entry.turns],
            "median_ms": None,
            "min_ms": None,
            "max_ms": None,
            "peak_mb": None if math.isnan(entry.peak_mb) else round(entry.peak_mb, 2),
            "ratio": None,
        }  # fmt: skip
        if entry.difference is not None:
            row["equal"] = entry.difference.equal
            row["max_abs_error"] = _finite(entry.difference.absolute)
            row["max_rel_error"] = _finite(entry.difference.relative)
        if entry.seconds:
            median = statistics.median(entry.seconds)
            row["median_ms"] = round(1e3 * median, 4)
            row["min_ms"] = round(1e3 * min(entry.seconds), 4)
            row["max_ms"] = round(1e3 * max(entry.seconds), 4)
            row["ratio"] = round(median / statistics.median(ours.seconds), 4)
        found.append(row)
    return found


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
