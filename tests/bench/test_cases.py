from __future__ import annotations

import pytest
import torch

from geoinfluencer import ops
from geoinfluencer.bench.cases import KINDS, Case, make_points
from geoinfluencer.bench.plan import PRESETS, grid, preset, select
from geoinfluencer.bench.tasks import TASKS
from geoinfluencer.bench.tasks.radius import NEIGHBORS
from geoinfluencer.errors import InputError

CPU = torch.device("cpu")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [20, 203])
def test_points_are_the_same_every_time_and_each_instance_has_one_representative(kind, size):
    one, two = (make_points(Case("potential", size, 3, kind), CPU) for _ in range(2))
    assert torch.equal(one.x, two.x) and one.x.shape == (size, 3)
    assert one.y_ids.tolist() == sorted(set(one.ids.tolist()))
    for place, instance in zip(one.y, one.y_ids, strict=True):
        assert (one.x[one.ids == instance] == place).all(dim=1).sum() == 1


@pytest.mark.parametrize("dim", [2, 3, 8])
def test_clustered_balls_hold_about_one_other_representative(dim: int) -> None:
    y = make_points(Case("potential", 20_000, dim, "clustered"), CPU).y
    mean = float(ops.radius_count(y, None, 1.0).double().mean())
    assert mean == pytest.approx(1, rel=0.1)  # representatives are off their centres


def test_in_the_ball_every_pair_is_active() -> None:
    problem = TASKS["potential"].problem(Case("potential", 2000, 8, "ball"), CPU)
    assert problem.numbers["within"] == problem.pairs == 2000 * 200


@pytest.mark.parametrize("kind", KINDS)
def test_the_radius_gives_about_thirty_neighbours(kind: str) -> None:
    problem = TASKS["radius"].problem(Case("radius", 5000, 3, kind), CPU)
    assert problem.numbers["within"] / 5000 == pytest.approx(NEIGHBORS, rel=0.1)


def test_presets_name_tasks_and_kinds_that_exist() -> None:
    for name in PRESETS:
        cases = preset(name).cases
        assert len(set(cases)) == len(cases) > 5
        for case in cases:
            assert case.kind in TASKS[case.task].kinds
    wanted = {(c.task, c.points, c.dim, c.kind) for c in preset("table").cases}
    assert ("potential", 100_000, 3, "random") in wanted
    assert ("symmetric", 100_000, 8, "ball") in wanted
    assert ("knn", 1_000_000, 3, "random") in wanted


def test_a_grid_runs_tasks_without_kinds_once() -> None:
    cases = grid(["potential", "attraction", "knn"], [100, 200], [2], ["clustered", "ball"])
    assert [case.task for case in cases].count("potential") == 4
    assert [case.kind for case in cases if case.task == "knn"] == ["clustered", "clustered"]
    assert [case.kind for case in cases if case.task == "attraction"] == ["random", "random"]


def test_a_selection_replaces_sizes_and_says_when_nothing_is_left() -> None:
    cases = select(preset("growth").cases, ["potential"], [100], [3], None)
    assert [(case.points, case.dim) for case in cases] == [(100, 3)]
    with pytest.raises(InputError, match="none of its cases"):
        select(preset("growth").cases, None, None, None, ["ball"])
