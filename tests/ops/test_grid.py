"""Voxels against the twin and against dictionaries of cells."""

from __future__ import annotations

import math

import pytest
import torch

from geoinfluencer import ops
from geoinfluencer.errors import InputError
from geoinfluencer.ops import native


def assert_same(a, b):
    for left, right in zip(a, b, strict=True):
        assert torch.equal(left, right)


@pytest.mark.usefixtures("needs_native")
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("trial", range(28))
def test_equals_the_twin(make_case, trial, dtype):
    case = make_case(trial, dtype, largest=500)
    size = [0.7, [0.5 + 0.1 * d for d in range(case.x.shape[1])]][trial % 2]
    origin = [0.0, -0.31][trial // 2 % 2]
    voxels = ops.grid_pool(case.x, size, ptr=case.x_ptr, origin=origin)
    with native.forced_off():
        assert_same(voxels, ops.grid_pool(case.x, size, ptr=case.x_ptr, origin=origin))


@pytest.mark.usefixtures("backend")
def test_equals_a_dictionary(rng):
    points = torch.randn(120, 2, generator=rng) * 3
    batch = torch.tensor([0] * 50 + [3] * 70)
    voxels = ops.grid_pool(points, 1.5, batch=batch, origin=[0.2, -0.4])
    cells = {}
    for row, (graph, point) in enumerate(
        zip(batch.tolist(), points.double().tolist(), strict=True)
    ):
        cell = [math.floor((c - o) / 1.5) for c, o in zip(point, (0.2, -0.4), strict=True)]
        cells.setdefault((graph, *cell), []).append(row)
    assert len(voxels.counts) == len(cells)
    for number, key in enumerate(sorted(cells)):
        assert voxels.cluster[cells[key]].tolist() == [number] * len(cells[key])
        assert voxels.counts[number] == len(cells[key])
        assert voxels.first[number] == cells[key][0]
        assert voxels.ptr[key[0]] <= number < voxels.ptr[key[0] + 1]


@pytest.mark.usefixtures("needs_native")
@pytest.mark.parametrize("dim", [1, 3, 8])
def test_cells_that_do_not_fit_one_key(rng, dim):
    far = torch.randint(-2, 3, (3000, dim), generator=rng).double() * 1e12
    for size in (1e-3, 1e-6):
        points = far + torch.rand(3000, dim, generator=rng).double() * size
        voxels = ops.grid_pool(points, size)
        with native.forced_off():
            assert_same(voxels, ops.grid_pool(points, size))


@pytest.mark.usefixtures("needs_native")
def test_threads_change_nothing(rng):
    points = torch.randn(150_000, 3, generator=rng)
    torch.set_num_threads(2)
    voxels = ops.grid_pool(points, 0.1)
    torch.set_num_threads(1)
    assert_same(voxels, ops.grid_pool(points, 0.1))


@pytest.mark.usefixtures("backend")
def test_large_offset_and_strides(rng):
    grid = torch.randint(0, 5, (60, 3), generator=rng).float()
    near, far = ops.grid_pool(grid, 1.0), ops.grid_pool(grid + 1e6, 1.0)
    assert_same(near, far)
    assert_same(near, ops.grid_pool(grid.repeat_interleave(2, 0)[::2], 1.0))


@pytest.mark.usefixtures("backend")
def test_features_are_pooled_by_segments(rng):
    points, x = torch.rand(40, 2, generator=rng), torch.randn(40, 3, generator=rng)
    voxels = ops.grid_pool(points, 0.5)
    pooled = ops.segment_mean(x, voxels.cluster, len(voxels.counts))
    torch.testing.assert_close(pooled[1], x[voxels.cluster == 1].mean(0))


@pytest.mark.usefixtures("backend")
def test_none_and_one():
    empty = ops.grid_pool(torch.zeros(0, 2), 1.0, ptr=torch.tensor([0, 0, 0]))
    assert [len(part) for part in empty] == [0, 0, 0, 3] and empty.ptr.tolist() == [0, 0, 0]
    one = ops.grid_pool(torch.tensor([[-0.5]]), 1.0, ptr=torch.tensor([0, 0, 1]))
    assert [part.tolist() for part in one] == [[0], [1], [0], [0, 0, 1]]


X = torch.zeros(4, 2)
WRONG = {
    "size": (lambda: ops.grid_pool(X, 0.0), "size must be positive, got 0.0"),
    "size number": (lambda: ops.grid_pool(X, [1.0]), "size must be a number or 2 of them"),
    "size text": (lambda: ops.grid_pool(X, ["a", 1.0]), "size must hold numbers, got 'a'"),
    "origin": (lambda: ops.grid_pool(X, 1.0, origin=math.inf), "origin must be finite, got inf"),
    "nan": (
        lambda: ops.grid_pool(torch.tensor([[0.0], [torch.nan]]), 1.0),
        r"points has \[nan\] in row 1",
    ),
    "far": (lambda: ops.grid_pool(X + 1e30, 1e-3), r"in row 0, whose cell .* beyond 2\^62"),
    "ptr": (
        lambda: ops.grid_pool(X, 1.0, ptr=torch.tensor([0, 3])),
        "ptr must run from 0 to 4, got 0 to 3",
    ),
}


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize("name", list(WRONG))
def test_message(name):
    call, message = WRONG[name]
    with pytest.raises(InputError, match=message):
        call()
