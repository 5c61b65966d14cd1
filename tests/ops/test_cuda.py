"""The CUDA kernels against those of the CPU; without a GPU only what prepares them."""

from __future__ import annotations

import pytest
import torch

from geoinfluencer import ops
from geoinfluencer.ops import cuda


def test_spatial_order_is_a_permutation_within_graphs(rng):
    points = torch.randn(200, 8, generator=rng)
    points[3] = float("nan")
    ptr = torch.tensor([0, 0, 120, 120, 200])
    order = cuda.spatial_order(points, ptr)
    assert torch.equal(order[:120].sort().values, torch.arange(120))
    assert torch.equal(order[120:].sort().values, torch.arange(120, 200))
    assert cuda.spatial_order(points[:0], None).shape == (0,)


def test_spatial_order_brings_neighbours_together(rng):
    points = torch.rand(4096, 3, generator=rng)
    sorted_points = points[cuda.spatial_order(points, None)].view(-1, cuda.TILE, 3)
    extent = (sorted_points.amax(1) - sorted_points.amin(1)).mean()
    shuffled = points.view(-1, cuda.TILE, 3)
    assert extent < 0.5 * (shuffled.amax(1) - shuffled.amin(1)).mean()


def on_gpu(value):
    """The argument on the device, if it is a tensor."""
    return value.cuda() if isinstance(value, torch.Tensor) else value


@pytest.mark.cuda
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("trial", range(24))
def test_potential_equals_cpu(make_case, trial, dtype):
    case = make_case(trial, dtype, largest=200)
    options = dict(case.options, radius=case.radius, x_ptr=case.x_ptr, y_ptr=case.y_ptr)
    results = []
    for move in (on_gpu, lambda value: value):
        x = move(case.x).clone().requires_grad_()
        y = move(case.y).clone().requires_grad_()
        moved = {k: move(v) for k, v in options.items()}
        energy, active = ops.influence_potential(x, y, **moved)
        grads = torch.autograd.grad(energy.sum(), (x, y))
        results.append([t.detach().cpu() for t in (energy, *grads)] + [active.cpu()])
    tolerance = {"rtol": 3e-5, "atol": 3e-4} if dtype == torch.float32 else {}
    for a, b in zip(*results, strict=True):
        torch.testing.assert_close(a, b, **tolerance)


@pytest.mark.cuda
@pytest.mark.parametrize("trial", range(24))
def test_searches_equal_cpu_exactly(make_case, trial):
    case = make_case(trial, torch.float32, largest=200)
    queries = None if trial % 3 == 0 else case.y
    score = torch.arange(len(case.x)) % 5
    limit = (None, 0, 4)[trial % 3]

    def run(move):
        points, other = move(case.x), move(queries)
        ptrs = {"ptr": move(case.x_ptr)}
        if queries is not None:
            ptrs["query_ptr"] = move(case.y_ptr)
        out = (
            *ops.knn(points, other, (1, 16, 30, 128)[trial % 4], **ptrs),
            *ops.radius(points, other, case.radius, max_neighbors=limit, **ptrs),
            ops.radius_count(points, other, case.radius, **ptrs),
            ops.suppress(points, move(score), case.radius / 2, ptr=move(case.x_ptr)),
        )
        return [value.cpu() for value in out]

    for a, b in zip(run(on_gpu), run(lambda value: value), strict=True):
        assert torch.equal(a, b)


@pytest.mark.cuda
def test_potential_does_not_wait_for_the_device(rng):
    x = torch.randn(1000, 8, generator=rng).cuda().requires_grad_()
    ops.influence_potential(x, radius=1.0)[0].sum().backward()  # loads the library
    torch.cuda.set_sync_debug_mode("error")
    try:
        ops.influence_potential(x, radius=1.0)[0].sum().backward()
    finally:
        torch.cuda.set_sync_debug_mode("default")


@pytest.mark.cuda
def test_deterministic_on_the_device(rng):
    x = torch.randn(5000, 3, generator=rng).cuda().requires_grad_()
    runs = []
    for _ in range(2):
        energy, _ = ops.influence_potential(x, radius=0.5)
        (gradient,) = torch.autograd.grad(energy.sum(), x)
        runs.append((energy, gradient))
    assert torch.equal(runs[0][0], runs[1][0]) and torch.equal(runs[0][1], runs[1][1])
