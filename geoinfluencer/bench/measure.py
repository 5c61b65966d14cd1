"""One run of a contestant: its seconds, its result, its memory."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from geoinfluencer.bench import limits
from geoinfluencer.bench.contest import Contestant, Problem, Task
from geoinfluencer.bench.memory import added_peak_mb
from geoinfluencer.bench.watch import Watch

TURN, RUNS = 0.1, 9  # seconds and runs of a quick contestant's turn
DEADLINE = 1.0  # seconds after which it takes runs that others disturbed


@dataclass(frozen=True)
class Step:
    """Of one run: seconds, what came out (not yet in comparable form), added MiB at the peak."""

    seconds: float
    outcome: Any
    peak_mb: float


@dataclass(frozen=True)
class Turn:
    """Median seconds of a turn's runs.

    Attributes:
        seconds: of one run.
        disturbed: no run of it was quiet; None: nobody looked.
        spent: seconds of all timed runs, those left out included.
    """

    seconds: float
    disturbed: bool | None
    spent: float


def single_run(task: Task, contestant: Contestant, problem: Problem, threads: int) -> Turn:
    """One run; of a task with leaves the forward and the backward pass."""
    fresh, leaves = _fresh(task, problem)
    with limits.threads(threads):
        seconds, _ = timed(lambda: _run(contestant, fresh, leaves), device(problem))
    return Turn(seconds, None, seconds)


def quick_turn(
    task: Task, contestant: Contestant, problem: Problem, threads: int, watch: Watch
) -> Turn:
    """The median of the runs that fit into a tenth of a second, nine at most, after one that is
    not timed, because what ran last had other threads, caches and memory.

    Runs on the CPU before or after which the cores were not its own are left out and repeated, for
    a second at most; without any other they count, and the turn is disturbed.
    """
    fresh, leaves = _fresh(task, problem)
    place = device(problem)
    times: list[float] = []
    disturbed: list[float] = []

    def one() -> float:
        for leaf in leaves:
            leaf.grad = None
        return timed(lambda: _run(contestant, fresh, leaves), place)[0]

    def quiet() -> bool:
        if not looks:
            return True
        found = watch.quiet(threads)
        if threads > 1:  # torch's threads are awake now, which not all contestants use: as after
            one()  # a run of their own
        return found

    with limits.threads(threads):
        looks = place.type == "cpu" and watch.sees(threads)
        one()
        before = quiet()
        end = time.perf_counter() + min(DEADLINE, watch.patience)
        while True:
            seconds = one()
            after = quiet()
            (times if before and after else disturbed).append(seconds)
            before = after
            if sum(times) >= TURN or len(times) >= RUNS:
                break
            if disturbed and time.perf_counter() >= end:
                break
    watch.patience = max(0.0, watch.patience - sum(disturbed))
    median = statistics.median(times or disturbed)
    return Turn(median, not times if looks else None, sum(times) + sum(disturbed))


def measured_step(task: Task, contestant: Contestant, problem: Problem, threads: int) -> Step:
    """One run with its memory; what is asked of the system makes it a little slower."""
    fresh, leaves = _fresh(task, problem)
    place = device(problem)
    with limits.threads(threads):
        peak, result = added_peak_mb(
            lambda: timed(lambda: _run(contestant, fresh, leaves), place), place
        )
    assert isinstance(result, tuple)
    seconds, outcome = result
    return Step(seconds, outcome, peak)


def _fresh(task: Task, problem: Problem) -> tuple[Problem, list[Tensor]]:
    leaves = {name: problem[name].clone().requires_grad_() for name in task.leaves}
    return replace(problem, tensors={**problem.tensors, **leaves}), list(leaves.values())


def _run(contestant: Contestant, problem: Problem, leaves: list[Tensor]) -> Any:
    found = contestant.run(problem)
    if not leaves:
        return found
    found.backward(problem.tensors.get("upstream"))
    return [found.detach(), *(_gradient(leaf) for leaf in leaves)]


def _gradient(leaf: Tensor) -> Tensor:
    return torch.zeros_like(leaf) if leaf.grad is None else leaf.grad


def timed(run: Callable[[], Any], place: torch.device) -> tuple[float, Any]:
    """Seconds on the clock of the device: CUDA events there, the wall on the CPU."""
    if place.type != "cuda":
        collects = gc.isenabled()
        gc.disable()  # Python's collector strikes whoever comes when it is due
        try:
            start = time.perf_counter()
            outcome = run()
            return time.perf_counter() - start, outcome
        finally:
            if collects:
                gc.enable()
    first, last = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    torch.cuda.synchronize(place)
    first.record()
    outcome = run()
    last.record()
    torch.cuda.synchronize(place)
    return first.elapsed_time(last) / 1000, outcome


def device(problem: Problem) -> torch.device:
    """Where the inputs are."""
    return next(iter(problem.tensors.values())).device
