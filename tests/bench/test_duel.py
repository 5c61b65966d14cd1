"""A case from end to end on tiny inputs: agreement, wrong results, budgets, threads."""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch

from geoinfluencer.bench import duel, measure, peers
from geoinfluencer.bench import watch as watch_module
from geoinfluencer.bench.cases import Case
from geoinfluencer.bench.contest import Contestant, Problem, Task
from geoinfluencer.bench.duel import Duel, Entry, rows, run_series
from geoinfluencer.bench.limits import Budget, cores, threads
from geoinfluencer.bench.measure import Turn
from geoinfluencer.bench.peers import OURS, PEERS
from geoinfluencer.bench.report import Row
from geoinfluencer.bench.tasks import TASKS
from geoinfluencer.bench.watch import PATIENCE, Watch

SLOW_TO_COMPILE = ("keops", "torch_compile")
NO_COMPILER = [name for name in PEERS if name not in SLOW_TO_COMPILE]


class Scripted(Watch):
    """Says what it is told, and then that all is quiet."""

    def __init__(self, *answers: bool) -> None:
        super().__init__()
        self.answers = list(answers)

    def sees(self, threads: int) -> bool:
        return True

    def quiet(self, threads: int) -> bool:
        return self.answers.pop(0) if self.answers else True


def play(
    task: Task,
    case: Case,
    names: Sequence[str],
    budget: Budget | None = None,
    watch: Watch | None = None,
) -> list[Row]:
    duels: list[Duel] = []
    run_series(
        task,
        [case],
        device=torch.device("cpu"),
        peers=names,
        missing=peers.missing(names),
        budget=budget or Budget(repeats=2),
        watch=watch or Scripted(),
        duels=duels,
    )
    return rows(duels[0])


def with_contestant(name: str, contestant: Contestant) -> Task:
    """The task with ours and one more."""
    return replace(TASKS[name], contestants=(TASKS[name].ours, contestant))


@pytest.mark.parametrize("dim", [2, 8])
@pytest.mark.parametrize("name", TASKS)
def test_everybody_who_is_installed_agrees(name: str, dim: int) -> None:
    task = TASKS[name]
    for kind in task.kinds:
        found = play(task, Case(name, 300, dim, kind), NO_COMPILER)
        assert found[0]["contestant"] == OURS and found[0]["ratio"] == 1.0
        for row in found:
            if "not installed" in str(row["skipped"]):
                assert row["version"] is None and row["equal"] is None
                continue
            assert row["skipped"] is None and row["equal"] is True, row
            assert len(row["times_ms"]) == 2 and row["min_ms"] <= row["median_ms"] <= row["max_ms"]
    plain = {
        c.name for c in task.contestants if c.package in ("dense", "torch", "scipy", "sklearn")
    }
    assert plain <= {row["contestant"] for row in found if row["equal"]}


@pytest.mark.slow
@pytest.mark.parametrize("peer", SLOW_TO_COMPILE)
def test_those_that_compile_agree(peer: str) -> None:
    if peers.missing([peer]):
        pytest.skip(f"{peer} is not installed")
    found = play(TASKS["potential"], Case("potential", 300, 2, "random"), [peer])
    (row,) = (row for row in found if row["peer"] == peer)
    if row["skipped"]:  # no C++ compiler here
        assert row["skipped"].startswith("failed: ")
    else:
        assert row["equal"] and row["median_ms"] < 8000  # without compiling


def wrong_value(p: Problem) -> torch.Tensor:
    return 1.01 * TASKS["potential"].ours.run(p)


def wrong_gradient(p: Problem) -> torch.Tensor:
    right = TASKS["potential"].ours.run(p)
    return right + 0.1 * (p["x"] - p["x"].detach()).sum()


@pytest.mark.parametrize(("run", "what"), [(wrong_value, "value"), (wrong_gradient, "gradient 1")])
def test_a_wrong_potential_is_caught_and_not_timed(run, what) -> None:
    task = with_contestant("potential", Contestant("torch", run))
    ours, wrong = play(task, Case("potential", 200, 3, "clustered"), ["torch"])
    assert ours["equal"] and ours["median_ms"] > 0
    assert wrong["equal"] is False and wrong["median_ms"] is None and wrong["times_ms"] == []
    assert "differs from ours" in wrong["skipped"] and what in wrong["skipped"]


def farther(p: Problem) -> torch.Tensor:
    index = TASKS["knn"].ours.run(p).clone()
    far = (p["x"] - p["x"][0]).norm(dim=1).argmax()
    index[0, -1] = far
    return index


def test_wrong_neighbours_are_caught() -> None:
    task = with_contestant("knn", Contestant("torch", farther))
    wrong = play(task, Case("knn", 100, 3, "random"), ["torch"])[1]
    assert wrong["equal"] is False and wrong["max_abs_error"] > 0.1


def test_a_pair_too_few_is_caught() -> None:
    radius = TASKS["radius"]

    def short(p: Problem) -> tuple[torch.Tensor, torch.Tensor]:
        row_ptr, index = radius.ours.run(p)
        row_ptr = row_ptr.clone()
        row_ptr[-1] -= 1
        return row_ptr, index[:-1]

    # the last row holds its neighbours by distance: drop the nearest one, not one at the rim
    def nearest(p: Problem) -> tuple[torch.Tensor, torch.Tensor]:
        row_ptr, index = radius.ours.run(p)
        first = int(row_ptr[-2])
        row_ptr = row_ptr.clone()
        row_ptr[-1] -= 1
        return row_ptr, torch.cat([index[:first], index[first + 1 :]])

    for run in (short, nearest):
        task = with_contestant("radius", Contestant("torch", run, result=radius.ours.result))
        wrong = play(task, Case("radius", 200, 3, "random"), ["torch"])[1]
        assert wrong["equal"] is False and "1 of" in wrong["skipped"]


@pytest.mark.parametrize(
    ("budget", "words"),
    [
        (Budget(memory_gb=1e-4, repeats=1), "GB, the limit is 0.0001 GB"),
        (Budget(seconds=1e-5, memory_gb=100, repeats=1), "s, the limit is 1e-05 s"),
    ],
)
def test_who_would_exceed_the_budget_is_left_out_and_said_so(budget: Budget, words: str) -> None:
    found = play(TASKS["potential"], Case("potential", 20_000, 3, "ball"), ["dense"], budget)
    assert found[0]["median_ms"] is not None  # ours is never left out
    assert "would take about" in found[1]["skipped"] and words in found[1]["skipped"]
    assert found[1]["times_ms"] == [] and found[1]["equal"] is None


def test_runs_end_with_the_seconds() -> None:
    found = play(
        TASKS["knn"], Case("knn", 200, 3, "random"), ["scipy"], Budget(seconds=1e-5, repeats=5)
    )
    assert [len(row["times_ms"]) for row in found] == [1, 1]  # at least one


def test_a_contestant_that_fails_is_a_finding() -> None:
    def broken(p: Problem) -> torch.Tensor:
        raise RuntimeError("no kernel\nfor this")

    task = with_contestant("knn", Contestant("torch", broken))
    ours, failed = play(task, Case("knn", 100, 3, "random"), ["torch"])
    assert failed["skipped"] == "failed: RuntimeError: no kernel for this"
    assert ours["median_ms"] is not None


def test_ours_runs_at_further_thread_counts_and_all_limits_hold() -> None:
    seen = []

    def spy(p: Problem) -> torch.Tensor:
        seen.append(torch.get_num_threads())
        return TASKS["knn"].ours.run(p)

    task = replace(TASKS["knn"], contestants=(Contestant(OURS, spy), Contestant("torch", spy)))
    before = torch.get_num_threads()
    found = play(task, Case("knn", 100, 3, "random", threads=2, own_threads=(1, 2)), ["torch"])
    assert torch.get_num_threads() == before
    assert [(row["contestant"], row["threads"]) for row in found] == [
        (OURS, 2), (OURS, 1), ("torch", 2),
    ]  # fmt: skip
    assert set(seen) == {1, 2} and seen[:3] == [2, 1, 2]


def test_missing_peers_are_named_with_the_line_that_brings_them() -> None:
    duels: list[Duel] = []
    run_series(
        TASKS["knn"],
        [Case("knn", 100, 3, "random")],
        device=torch.device("cpu"),
        peers=["torch_cluster"],
        missing={"torch_cluster": PEERS["torch_cluster"].install},
        budget=Budget(repeats=1),
        watch=Scripted(),
        duels=duels,
    )
    assert "pip install --no-build-isolation" in rows(duels[0])[1]["skipped"]


def test_the_sizes_of_a_series_take_turns() -> None:
    seen: list[int] = []

    def spy(p: Problem) -> torch.Tensor:
        seen.append(p.case.points)
        time.sleep(0.11)  # two runs in a turn, of which the first is not timed
        return TASKS["knn"].ours.run(p)

    task = replace(TASKS["knn"], contestants=(Contestant(OURS, spy),))
    duels: list[Duel] = []
    run_series(
        task,
        [Case("knn", points, 3, "random") for points in (100, 200, 300)],
        device=torch.device("cpu"),
        peers=[],
        missing={},
        budget=Budget(repeats=2),
        watch=Scripted(),
        duels=duels,
    )
    assert [len(duel.entries[0].turns) for duel in duels] == [2, 2, 2]
    turns = [size for size, _ in itertools.groupby(seen)]  # runs of one turn as one
    assert turns == [100, 200, 300] * 4  # compared, two rounds, memory


def timed_runs(monkeypatch: pytest.MonkeyPatch, watch: Watch, seconds: Sequence[float]) -> Turn:
    """One turn of runs that are said to take so long."""
    left = [9.9, *seconds]  # the first is not counted
    monkeypatch.setattr(measure, "timed", lambda run, place: (left.pop(0), run()))
    task = TASKS["knn"]
    problem = task.problem(Case("knn", 50, 3, "random"), torch.device("cpu"))
    return measure.quick_turn(task, task.ours, problem, 1, watch)


def test_runs_beside_which_others_work_are_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    # quiet, disturbed (told after the run), the next one too (told before it), then quiet
    watch = Scripted(True, True, False, True)
    found = timed_runs(monkeypatch, watch, [0.03, 0.5, 0.4, 0.04, 0.05])
    assert found == Turn(0.04, False, spent=pytest.approx(1.02))
    assert watch.patience == pytest.approx(PATIENCE - 0.9)


def test_disturbed_runs_count_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "DEADLINE", 0.0)
    found = timed_runs(monkeypatch, Scripted(True, False), [0.5, 0.3])
    assert found == Turn(0.5, True, spent=0.5)


def test_no_run_is_repeated_when_all_patience_is_spent(monkeypatch: pytest.MonkeyPatch) -> None:
    watch = Scripted(*[False] * 9)
    watch.patience = 0.0
    assert timed_runs(monkeypatch, watch, [0.01, 0.3]).spent == 0.01
    watch.answers.clear()  # quiet runs fill a turn all the same
    assert timed_runs(monkeypatch, watch, [0.06, 0.06, 0.3]).spent == 0.12


def test_disturbed_turns_count_only_where_there_are_no_others() -> None:
    entry = Entry(TASKS["knn"].ours, 1)
    entry.turns = [Turn(0.3, True, 1.0), Turn(0.1, False, 0.1), Turn(0.5, True, 1.0)]
    assert entry.seconds == [0.1]
    entry.turns = [Turn(0.3, True, 1.0), Turn(0.5, True, 1.0)]
    assert entry.seconds == [0.3, 0.5]


def disturbed_first(monkeypatch: pytest.MonkeyPatch, *answers: bool, patience: float) -> Row:
    monkeypatch.setattr(measure, "DEADLINE", 1e-9)  # a disturbed run ends its turn
    watch = Scripted(*answers)
    watch.patience = patience
    return play(TASKS["knn"], Case("knn", 50, 3, "random"), [], watch=watch)[0]


def test_disturbed_turns_are_made_up_for(monkeypatch: pytest.MonkeyPatch) -> None:
    row = disturbed_first(monkeypatch, False, False, False, True, patience=9.0)
    assert row["disturbed"] == [True, True, False, False]
    assert row["median_ms"] == pytest.approx(sum(row["times_ms"][2:]) / 2, rel=1e-2)


def test_rounds_end_though_all_turns_are_disturbed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert disturbed_first(monkeypatch, *[False] * 99, patience=9.0)["disturbed"] == [True] * 6
    assert disturbed_first(monkeypatch, *[False] * 99, patience=0.0)["disturbed"] == [True] * 2


def test_nobody_looks_at_slow_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duel, "SLOW", 0.0)
    row = disturbed_first(monkeypatch, *[False] * 99, patience=9.0)
    assert row["disturbed"] == [None] * 2


def test_disturbed_turns_spend_the_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duel, "quick_turn", lambda *_: Turn(0.1, True, spent=1.0))
    budget = Budget(seconds=2.5, repeats=5)
    assert len(play(TASKS["knn"], Case("knn", 50, 3, "random"), [], budget)[0]["times_ms"]) == 3


def test_the_watch_knows_a_slow_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    watch = Watch()
    monkeypatch.setattr(watch, "_fastest", {1: 50e-6, 2: 50e-6})
    for seconds, quiet in ((55e-6, True), (70e-6, False), (40e-6, True), (55e-6, False)):
        monkeypatch.setattr(watch, "_seconds", lambda threads, s=seconds: s)
        assert watch.quiet(2) is quiet


def test_what_was_called_quiet_on_a_slow_core_is_disturbed(monkeypatch: pytest.MonkeyPatch) -> None:
    watch = Watch()
    monkeypatch.setattr(watch, "_fastest", {1: 100e-6})  # half of the speed from the start on
    looks = iter([100e-6] * 3 + [50e-6] * 99)
    monkeypatch.setattr(watch, "_seconds", lambda threads: next(looks))
    monkeypatch.setattr(measure, "TURN", 0.0)  # one run, two looks
    row = play(TASKS["knn"], Case("knn", 50, 3, "random"), [], watch=watch)[0]
    assert row["disturbed"] == [True, True, False, False]


def test_a_watch_that_can_tell_nothing_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    watch = Watch()
    monkeypatch.setattr(watch, "_fastest", {1: 50e-6, 2: 90e-6})
    monkeypatch.setattr(watch, "_seconds", lambda threads: 95e-6)
    assert not watch.sees(2) and watch.blind == [2]
    monkeypatch.setattr(watch, "_seconds", lambda threads: 55e-6)  # the neighbour has gone
    assert watch.sees(2) and watch.blind == [] and watch.mistaken == {2}


@pytest.mark.skipif(cores() < 2, reason="two threads on one core")
def test_the_watch_looks_at_one_thread_first(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, int]] = []
    real = Watch._seconds

    def spy(self: Watch, threads: int) -> float:
        seen.append((threads, torch.get_num_threads()))
        return real(self, threads)

    monkeypatch.setattr(watch_module, "LOOK", 0.01)
    monkeypatch.setattr(watch_module, "WAIT", 0.02)
    monkeypatch.setattr(Watch, "_seconds", spy)
    with threads(2):
        Watch().quiet(2)
    assert set(seen) == {(1, 1), (2, 2)} and seen[0] == (1, 1)
