"""The CUDA kernels against those of the CPU; without a GPU only what prepares them.

Memory errors and races, where a GPU is at hand:
    compute-sanitizer --tool memcheck python -m pytest tests/ops/test_cuda.py
    compute-sanitizer --tool racecheck python -m pytest tests/ops/test_cuda.py
"""

from __future__ import annotations

import pytest
import torch

from geoinfluencer import ops
from geoinfluencer.ops import cuda, native, reference


def test_morton_order_keeps_graphs_apart(rng):
    points = torch.randn(200, 8, generator=rng)
    points[3] = float("nan")
    ptr = torch.tensor([0, 0, 120, 120, 200])
    order = reference.morton_codes(points, ptr).argsort(stable=True)
    assert torch.equal(order[:120].sort().values, torch.arange(120))
    assert torch.equal(order[120:].sort().values, torch.arange(120, 200))
    assert reference.morton_codes(points[:1], None).shape == (1,)


def test_morton_order_brings_neighbours_together(rng):
    points = torch.rand(4096, 3, generator=rng)
    order = reference.morton_codes(points, None).argsort(stable=True)
    sorted_points = points[order].view(-1, cuda.TILE, 3)
    extent = (sorted_points.amax(1) - sorted_points.amin(1)).mean()
    shuffled = points.view(-1, cuda.TILE, 3)
    assert extent < 0.5 * (shuffled.amax(1) - shuffled.amin(1)).mean()


@pytest.mark.parametrize("dim", [1, 2, 3, 6, 64])
@pytest.mark.parametrize("graphs", [1, 2, 1000, 10**6])
def test_codes_fit_their_type(dim, graphs):
    bits, narrow = reference.curve_bits(dim, graphs)
    used = bits * min(dim, reference.CURVE_DIMS) + (graphs - 1).bit_length()
    assert bits >= 1 and used <= (31 if narrow else 63)


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
@pytest.mark.parametrize("trial", range(12))
def test_codes_equal_the_twin(make_case, trial):
    case = make_case(trial, torch.float32, largest=200)
    if len(case.x) == 0:
        return
    points, ptr = case.x.cuda(), case.x_ptr.cuda()
    twin = reference.morton_codes(points, ptr).argsort(stable=True)
    kernels = native.cuda(points)
    assert torch.equal(cuda.spatial_order(kernels, points, ptr), twin)


@pytest.mark.cuda
@pytest.mark.parametrize("rows", [0, 1, 1000, 200_000])
@pytest.mark.parametrize("width", [1, 3, 32, 70])
@pytest.mark.parametrize("name", ["sum", "mean", "min", "max", "logsumexp", "softmax"])
def test_segments_equal_cpu(rng, name, width, rows):
    src = torch.randn(rows, width, generator=rng, dtype=torch.float64)
    index = torch.randint(0, 700, (rows,), generator=rng)
    index[: rows // 3] = 5  # a long segment
    results = []
    for device in ("cpu", "cuda"):
        x = src.detach().to(device).requires_grad_()
        ids = index.to(device)
        for given in (ids, ops.segment_order(ids, 701)):
            out = getattr(ops, f"segment_{name}")(x, given, 701)
            out = out.masked_fill(out.isinf(), 0.0)
            gradient = torch.autograd.grad(out.square().sum(), x)[0]
            results.append((out.detach().cpu(), gradient.cpu()))
    for other in results[1:]:
        torch.testing.assert_close(other, results[0])


@pytest.mark.cuda
@pytest.mark.parametrize("trial", range(12))
def test_samples_and_voxels_equal_cpu(make_case, trial):
    case = make_case(trial, torch.float32, largest=300)
    here = ops.farthest_point_sampling(case.x, 40, ptr=case.x_ptr)
    there = ops.farthest_point_sampling(case.x.cuda(), 40, ptr=case.x_ptr.cuda())
    assert torch.equal(here, there.cpu())
    voxels = ops.grid_pool(case.x.cuda(), 0.7, ptr=case.x_ptr.cuda())
    for a, b in zip(ops.grid_pool(case.x, 0.7, ptr=case.x_ptr), voxels, strict=True):
        assert torch.equal(a, b.cpu())


def everything(x, ids):
    """One step of all ops whose output sizes are known beforehand, with its gradient."""
    energy, _ = ops.influence_potential(x, radius=1.0, x_instance=ids)
    crowd, _ = ops.influence_potential(x, x[:300], radius=0.5, power=1)
    index, _ = ops.knn(x, None, 8)
    order = ops.segment_order(ids, 50)
    mean = ops.segment_gather(ops.segment_mean(x, order), order)
    total = energy.sum() + crowd.sum() + (x[index] - mean[:, None]).square().mean()
    total = total + ops.segment_logsumexp(x, ids, 50).logsumexp(0).sum()
    total = total + (ops.segment_softmax(x, order) * ops.segment_max(x, order)[ids]).sum()
    return total, torch.autograd.grad(total, x)[0], ops.farthest_point_sampling(x, 16)


@pytest.fixture
def batch(rng):
    """Points and ids on the device."""
    ids = torch.arange(1000).remainder(50)
    return torch.randn(1000, 8, generator=rng).cuda().requires_grad_(), ids.cuda()


@pytest.mark.cuda
def test_nothing_waits_for_the_device(batch):
    everything(*batch)  # loads the library
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode("error")
    try:
        everything(*batch)
    finally:
        torch.cuda.set_sync_debug_mode("default")


@pytest.mark.cuda
def test_another_stream(batch):
    wanted = everything(*batch)
    torch.cuda.synchronize()
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        got = everything(*batch)
    stream.synchronize()
    torch.testing.assert_close(got, wanted)


@pytest.mark.cuda
def test_cuda_graph_captures_forward_and_backward(batch):
    x, ids = batch
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            everything(x, ids)
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        captured = everything(x, ids)
    with torch.no_grad():
        x.mul_(0.7)
    graph.replay()
    torch.cuda.synchronize()
    torch.testing.assert_close(captured, everything(x, ids))


@pytest.mark.cuda
def test_compiled_on_the_device(batch):
    x, ids = batch

    def loss(x):
        energy, _ = ops.influence_potential(x, radius=1.0, x_instance=ids)
        return energy.sum() + ops.segment_mean(x, ids, 50).square().sum()

    compiled = torch.compile(loss, fullgraph=True)
    torch.testing.assert_close(compiled(x), loss(x))
    got = torch.autograd.grad(compiled(x), x)
    torch.testing.assert_close(got, torch.autograd.grad(loss(x), x))


@pytest.mark.cuda
@pytest.mark.parametrize("sizes", [[64], [1], [63, 65, 0, 130], [700, 0, 300]])
def test_energies_of_graphs_that_cut_tiles(rng, sizes):
    x = torch.randn(sum(sizes), 3, generator=rng, dtype=torch.float64)
    x[0] = torch.nan
    ptr = torch.tensor([0, *sizes]).cumsum(0)
    here = ops.influence_potential(x, x + 0.1, radius=1.0, x_ptr=ptr, y_ptr=ptr)
    moved = x.cuda(), (x + 0.1).cuda(), ptr.cuda()
    there = ops.influence_potential(*moved[:2], radius=1.0, x_ptr=moved[2], y_ptr=moved[2])
    torch.testing.assert_close(here[0], there[0].cpu(), equal_nan=True)
    assert torch.equal(here[1], there[1].cpu())


@pytest.mark.cuda
def test_deterministic_on_the_device(rng):
    x = torch.randn(5000, 3, generator=rng).cuda().requires_grad_()
    runs = []
    for _ in range(2):
        energy, _ = ops.influence_potential(x, radius=0.5)
        (gradient,) = torch.autograd.grad(energy.sum(), x)
        runs.append((energy, gradient))
    assert torch.equal(runs[0][0], runs[1][0]) and torch.equal(runs[0][1], runs[1][1])
