"""Which cases are run: a preset, or the grid of what was asked for."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from geoinfluencer.bench.cases import KINDS, Case
from geoinfluencer.bench.limits import cores
from geoinfluencer.bench.peers import PEERS
from geoinfluencer.bench.tasks import TASKS
from geoinfluencer.errors import InputError, suggest

GROWTH_SIZES = (10_000, 30_000, 100_000, 300_000, 1_000_000, 3_000_000)


@dataclass(frozen=True)
class Preset:
    """Cases with the peers and limits that suit them.

    Attributes:
        cases: in the order they are run.
        peers: timed unless others are named.
        seconds: of a contestant in a case unless others are given.
        repeats: timed turns, likewise.
    """

    cases: tuple[Case, ...]
    peers: tuple[str, ...]
    seconds: float
    repeats: int = 7


def _quick() -> Preset:
    """About a minute: everything once, small; the compiler alone would take as long."""
    cases = [Case("potential", 10_000, d, kind) for kind in KINDS for d in (3, 8)]
    cases += [Case("symmetric", 10_000, 8, kind) for kind in ("clustered", "ball")]
    cases += [Case("condensation", 3_000, 3, "clustered"), Case("attraction", 10_000, 8, "random")]
    cases += [Case(task, 10_000, 3, "clustered") for task in ("knn", "radius")]
    cases += [Case(task, 10_000, 8, "random") for task in _SEGMENTS]
    cases += [Case(task, 10_000, 3, "random") for task in ("fps", "grid")]
    return Preset(tuple(cases), tuple(name for name in PEERS if name != "torch_compile"), 3.0)


def _table() -> Preset:
    """The table of docs/benchmarks.md: one thread against the peers, ours at two threads too."""
    two = min(2, cores())
    cases = [Case("potential", 100_000, d, kind, 1, (two,)) for kind in KINDS for d in (3, 8)]
    cases += [Case("symmetric", 100_000, 8, kind, 1, (two,)) for kind in ("clustered", "ball")]
    cases += [Case("knn", 1_000_000, 3, "random", two, (1,))]
    cases += [Case("radius", 100_000, 3, kind, two, (1,)) for kind in ("random", "clustered")]
    cases += [Case("condensation", 10_000, 3, "clustered"), Case("attraction", 10_000, 8, "random")]
    cases += [Case(task, 100_000, 8, "random", 1, (two,)) for task in _SEGMENTS]
    cases += [Case(task, 100_000, 3, "random", 1, (two,)) for task in ("fps", "grid")]
    return Preset(tuple(cases), tuple(PEERS), 30.0)


def _growth() -> Preset:
    """Time and memory against N, clustered."""
    combinations = (("potential", 3), ("potential", 8), ("knn", 3), ("radius", 3))
    cases = [Case(t, n, d, "clustered") for t, d in combinations for n in GROWTH_SIZES]
    return Preset(tuple(cases), ("torch_cluster", "scipy"), 10.0, repeats=5)


_SEGMENTS = ("segment-sum", "segment-logsumexp", "segment-softmax")
PRESETS = {"quick": _quick, "table": _table, "growth": _growth}


def preset(name: str) -> Preset:
    """The preset of that name."""
    if name not in PRESETS:
        raise InputError(f"--preset: no preset is called {name!r}; {suggest(name, PRESETS)}")
    return PRESETS[name]()


def grid(
    tasks: Sequence[str], sizes: Sequence[int], dims: Sequence[int], kinds: Sequence[str]
) -> tuple[Case, ...]:
    """Every combination that a task knows; tasks without kinds of points run once."""
    _check(tasks, kinds)
    cases = []
    for task, dim, kind, size in itertools.product(tasks, dims, kinds, sizes):
        known = TASKS[task].kinds
        cases.append(Case(task, size, dim, kind if kind in known else known[0]))
    return tuple(dict.fromkeys(cases))


def select(
    cases: Iterable[Case],
    tasks: Sequence[str] | None,
    sizes: Sequence[int] | None,
    dims: Sequence[int] | None,
    kinds: Sequence[str] | None,
) -> tuple[Case, ...]:
    """The cases of a preset that fit; sizes replace its own."""
    _check(tasks or (), kinds or ())
    kept = [
        case
        for case in cases
        if (tasks is None or case.task in tasks)
        and (dims is None or case.dim in dims)
        and (kinds is None or case.kind in kinds)
    ]
    if not kept:
        raise InputError("--preset: none of its cases has the --tasks, --dims and --kinds given")
    if sizes is not None:
        kept = [replace(case, points=size) for case in kept for size in sizes]
    return tuple(dict.fromkeys(kept))


def _check(tasks: Sequence[str], kinds: Sequence[str]) -> None:
    for name in tasks:
        if name not in TASKS:
            raise InputError(f"--tasks: no task is called {name!r}; {suggest(name, TASKS)}")
    for name in kinds:
        if name not in KINDS:
            raise InputError(f"--kinds: no kind is called {name!r}; {suggest(name, KINDS)}")
