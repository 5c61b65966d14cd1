"""A small run of the same case, from which time and memory of the full one are predicted."""

from __future__ import annotations

from dataclasses import replace

import torch

from geoinfluencer.bench.cases import Case
from geoinfluencer.bench.contest import Contestant, Problem, Task
from geoinfluencer.bench.limits import Budget
from geoinfluencer.bench.measure import measured_step, single_run

WORK = 4e6  # of the small run: a fraction of a second, some hundred MB at most
_LEAST = 200  # points


class Pilot:
    """Predicts for one case; the smaller problems are shared by its contestants."""

    def __init__(self, task: Task, problem: Problem, device: torch.device) -> None:
        self._task, self._problem, self._device = task, problem, device
        self._smaller: dict[int, Problem] = {problem.case.points: problem}

    def objection(self, contestant: Contestant, budget: Budget) -> str:
        """Why the contestant is not started at full size; empty: it is."""
        threads = self._problem.case.threads
        if contestant.compiles:
            smallest = self._of(min(_LEAST, self._problem.case.points))
            single_run(self._task, contestant, smallest, threads)
        if contestant.work is None:
            return ""
        full = contestant.work(self._problem)
        small = self._small(contestant)
        if small is self._problem:
            return ""
        factor = full / max(contestant.work(small), 1.0)
        words = ""
        for _ in range(2):  # the first run may load libraries and start threads
            run = measured_step(self._task, contestant, small, threads)
            words = budget.objection(run.seconds * factor, run.peak_mb * factor)
            if not words:
                break
        return words

    def _small(self, contestant: Contestant) -> Problem:
        """The largest quarter of a quarter of ... the case whose work is small enough."""
        assert contestant.work is not None
        points = self._problem.case.points
        while True:
            problem = self._of(points)
            if contestant.work(problem) <= WORK or points // 4 < _LEAST:
                return problem
            points //= 4

    def _of(self, points: int) -> Problem:
        if points not in self._smaller:
            case: Case = replace(self._problem.case, points=points)
            self._smaller[points] = self._task.problem(case, self._device)
        return self._smaller[points]
