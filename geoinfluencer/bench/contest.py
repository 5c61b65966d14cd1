"""What a task is: inputs, contestants, and when two results are equal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from geoinfluencer.bench.cases import Case
from geoinfluencer.bench.equality import Difference
from geoinfluencer.bench.peers import OURS


@dataclass(frozen=True)
class Problem:
    """The inputs of a case.

    Attributes:
        case: which one.
        tensors: inputs by name.
        numbers: further inputs and facts by name, such as ``radius`` or the pairs ``within`` it.
        second: M, the size of the second set or output; 0: there is none.
    """

    case: Case
    tensors: Mapping[str, Tensor]
    numbers: Mapping[str, float] = field(default_factory=dict)
    second: int = 0

    def __getitem__(self, name: str) -> Tensor:
        return self.tensors[name]

    @property
    def pairs(self) -> int:
        """N x M (N x N where there is no second set)."""
        return self.case.points * (self.second or self.case.points)


Run = Callable[[Problem], Any]


@dataclass(frozen=True)
class Contestant:
    """One way to solve a task.

    Attributes:
        name: in the tables.
        run: what is timed; of a task with gradients only the forward pass.
        work: a number that the time and the memory grow with, to predict both from a small run;
            None: linear, never too large to try.
        result: brings what ``run`` returned to the form that is compared; not timed.
        peer: package; default: the name up to the first dot or blank.
        compiles: its first run builds code; it gets one on a small problem before all others.
        tolerance: largest accepted error, relative to the largest entry.
        cuda: takes CUDA tensors.
        note: what a reader must know to be fair to it.
    """

    name: str
    run: Run
    work: Callable[[Problem], float] | None = None
    result: Callable[[Problem, Any], Any] | None = None
    peer: str = ""
    compiles: bool = False
    tolerance: float = 1e-4
    cuda: bool = True
    note: str = ""

    @property
    def package(self) -> str:
        """The peer that it comes from, or this package."""
        return self.peer or self.name.split(".")[0].split(" ")[0]


@dataclass(frozen=True)
class Task:
    """A question that several packages answer.

    Attributes:
        name: on the command line and in the tables.
        title: one line for the tables: what is computed, forward and backward or not.
        problem: makes the inputs of a case on a device.
        contestants: ours first.
        compare: problem, our result, another's, tolerance -> the difference.
        leaves: names of the input tensors whose gradients are timed and compared; none: forward.
        kinds: point sets that make sense here.
        flops: least arithmetic of a problem, in FLOP, for the share of the FMA bound.
    """

    name: str
    title: str
    problem: Callable[[Case, Any], Problem]
    contestants: tuple[Contestant, ...]
    compare: Callable[[Problem, Any, Any, float], Difference]
    leaves: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ("clustered", "random", "ball")
    flops: Callable[[Problem], float] | None = None

    @property
    def ours(self) -> Contestant:
        """The op of this package."""
        assert self.contestants[0].package == OURS
        return self.contestants[0]
