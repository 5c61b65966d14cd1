"""kNN, radius lists and counts against brute force."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from geoinfluencer import ops
from geoinfluencer.ops import native


def oracle(points: Tensor, queries: Tensor | None) -> tuple[Tensor, Tensor]:
    """All squared distances, sorted by distance then index: (Q, N) each."""
    target = points if queries is None else queries
    d2 = (target[:, None] - points[None]).square().sum(-1)
    if queries is None:
        d2.fill_diagonal_(torch.inf)
    return d2.sort(dim=1, stable=True)


@pytest.mark.parametrize("dim", [1, 2, 3, 5, 8, 16])
@pytest.mark.parametrize("self_query", [True, False])
@pytest.mark.parametrize("k", [1, 7, 128])
def test_knn_brute_force(backend, rng, dim, self_query, k):
    points = torch.randn(333, dim, generator=rng, dtype=torch.float64)
    queries = None if self_query else torch.randn(50, dim, generator=rng, dtype=torch.float64)
    index, dist2 = ops.knn(points, queries, k)
    expected, order = oracle(points, queries)
    assert torch.equal(index, order[:, :k])
    torch.testing.assert_close(dist2, expected[:, :k])


def test_knn_ties_take_the_smaller_index(backend):
    grid = torch.cartesian_prod(torch.arange(12.0), torch.arange(12.0))
    index, dist2 = ops.knn(grid, None, 5)
    expected, order = oracle(grid, None)
    assert torch.equal(index, order[:, :5]) and torch.equal(dist2, expected[:, :5])


def test_knn_of_duplicates(backend):
    size = 20000 if backend == "native" else 500  # quadratic work would show in the time
    points = torch.ones(size, 3)
    index, dist2 = ops.knn(points, None, 3)
    assert torch.equal(dist2, torch.zeros(size, 3))
    assert index[0].tolist() == [1, 2, 3] and index[-1].tolist() == [0, 1, 2]


def test_knn_pads_small_graphs(backend):
    points = torch.arange(6.0)[:, None]
    ptr = torch.tensor([0, 1, 1, 3, 6])
    index, dist2 = ops.knn(points, None, 3, ptr=ptr)
    assert index.tolist() == [
        [-1, -1, -1],
        [2, -1, -1],
        [1, -1, -1],
        [4, 5, -1],
        [3, 5, -1],
        [4, 3, -1],
    ]
    assert dist2[0].isinf().all() and dist2[3].tolist() == [1.0, 4.0, torch.inf]


def test_radius_brute_force(backend, rng):
    points = torch.randn(300, 3, generator=rng, dtype=torch.float64)
    queries = torch.randn(70, 3, generator=rng, dtype=torch.float64)
    row_ptr, index = ops.radius(points, queries, 0.9)
    expected, order = oracle(points, queries)
    within = expected <= 0.81
    assert torch.equal(row_ptr.diff(), within.sum(1)) and torch.equal(index, order[within])
    assert torch.equal(ops.radius_count(points, queries, 0.9), within.sum(1))


def test_max_neighbors_keeps_the_nearest(backend, rng):
    points = torch.randn(400, 3, generator=rng)
    row_ptr, index = ops.radius(points, None, 1.0, max_neighbors=4)
    everything_ptr, everything = ops.radius(points, None, 1.0)
    assert int(everything_ptr.diff().max()) > 4
    for q in range(400):
        kept = index[row_ptr[q] : row_ptr[q + 1]]
        full = everything[everything_ptr[q] : everything_ptr[q + 1]]
        assert torch.equal(kept, full[:4])


def test_radius_is_inclusive(backend):
    points = torch.tensor([[0.0], [1.0], [2.0]])
    row_ptr, index = ops.radius(points, None, 1.0)
    assert row_ptr.tolist() == [0, 1, 3, 4] and index.tolist() == [1, 0, 2, 1]
    assert ops.radius_count(points, None, 1.0).tolist() == [1, 2, 1]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.usefixtures("needs_native")
def test_native_equals_twin_exactly(make_case, dtype):
    """Distances are rounded alike, so indices are equal, not merely close."""
    for trial in range(80):
        case = make_case(trial, dtype, largest=150)
        if trial % 5 == 0 and len(case.x) > 4:
            case.x[2], case.x[3] = float("nan"), float("inf")
        queries = None if trial % 3 == 0 else case.y
        ptrs = {"ptr": case.x_ptr} | ({} if queries is None else {"query_ptr": case.y_ptr})
        limit = (None, 0, 5, 1000)[trial % 4]
        torch.set_num_threads(1 + trial % 3)

        def run(case=case, queries=queries, ptrs=ptrs, limit=limit, trial=trial):
            return (
                *ops.knn(case.x, queries, (1, 3, 16, 128)[trial // 2 % 4], **ptrs),
                *ops.radius(case.x, queries, case.radius, max_neighbors=limit, **ptrs),
                ops.radius_count(case.x, queries, case.radius, **ptrs),
            )

        fast = run()
        with native.forced_off():
            slow = run()
        for a, b in zip(fast, slow, strict=True):
            assert torch.equal(a, b), trial


def test_not_finite_points_are_nobodys_neighbours(backend):
    points = torch.tensor([[0.0], [float("nan")], [1.0], [float("inf")]])
    index, _ = ops.knn(points, None, 2)
    assert index.tolist() == [[2, -1], [-1, -1], [0, -1], [-1, -1]]
    assert ops.radius_count(points, None, 5.0).tolist() == [1, 0, 1, 0]


@pytest.mark.parametrize("shape", [(0, 3), (5, 3)])
def test_zero_size(backend, shape):
    points, nothing = torch.zeros(shape), torch.zeros(0, 3)
    assert ops.knn(nothing, points, 4)[0].tolist() == [[-1] * 4] * shape[0]
    assert ops.knn(points, nothing, 4)[0].shape == (0, 4)
    row_ptr, index = ops.radius(nothing, points, 1.0)
    assert row_ptr.tolist() == [0] * (shape[0] + 1) and index.numel() == 0
    assert ops.radius_count(points, nothing, 1.0).shape == (0,)


def test_knn_graph_edges(backend):
    x = torch.tensor([[0.0], [1.0], [3.0], [10.0], [11.0]])
    batch = torch.tensor([0, 0, 0, 1, 1])
    edges = ops.knn_graph(x, 1, batch)
    assert edges.tolist() == [[1, 0, 1, 4, 3], [0, 1, 2, 3, 4]]
    assert torch.equal(ops.knn_graph(x, 1, batch, flow="target_to_source"), edges.flip(0))
    looped = ops.knn_graph(x, 1, batch, loop=True)
    assert looped[:, :2].tolist() == [[0, 1], [0, 0]] and looped.shape == (2, 10)


def test_radius_graph_edges(backend):
    x = torch.tensor([[0.0], [1.0], [1.5], [1.6]])
    edges = ops.radius_graph(x, 1.0, torch.tensor([0, 0, 0, 1]))
    assert edges.tolist() == [[1, 2, 0, 1], [0, 1, 1, 2]]
    assert ops.radius_graph(x, 1.0, max_neighbors=1).tolist() == [[1, 2, 3, 2], [0, 1, 2, 3]]
    assert ops.radius_graph(x[:2], 0.1, loop=True).tolist() == [[0, 1], [0, 1]]


@pytest.mark.parametrize("dim", [3, 8])
@pytest.mark.usefixtures("needs_native")
def test_large_sample_of_queries(rng, dim):
    """20k clustered points with duplicates: a sample of rows is checked by brute force."""
    centres = torch.randn(2000, dim, generator=rng)
    points = centres.repeat(10, 1) + 0.01 * torch.randint(0, 3, (20000, dim), generator=rng)
    index, dist2 = ops.knn(points, None, 16)
    rows = torch.randint(0, 20000, (100,), generator=rng)
    with native.forced_off():
        expected, expected_d2 = ops.knn(points, points[rows], 17)
    for row, wanted, wanted_d2 in zip(rows.tolist(), expected, expected_d2, strict=True):
        others = wanted != row
        assert torch.equal(index[row], wanted[others][:16])
        assert torch.equal(dist2[row], wanted_d2[others][:16])


@pytest.mark.parametrize("dim", [3, 8])
@pytest.mark.usefixtures("needs_native")
def test_thread_counts_agree_exactly(rng, dim):
    points = torch.randn(30_000, dim, generator=rng)
    r = 0.2 if dim == 3 else 1.0
    results = []
    for threads in (1, 2, 3):
        torch.set_num_threads(threads)
        results.append((*ops.knn(points, None, 8), *ops.radius(points, None, r)))
    for other in results[1:]:
        assert all(torch.equal(a, b) for a, b in zip(results[0], other, strict=True))


def test_radius_of_long_lists(backend, rng):
    """More neighbours than are sorted at once, kept whole and cut."""
    points = torch.rand(700, 2, generator=rng, dtype=torch.float64)
    expected, order = oracle(points, None)
    for dtype, exact in ((torch.float64, True), (torch.float32, False)):
        row_ptr, index = ops.radius(points.to(dtype), None, 0.9)
        if exact:
            within = expected <= 0.81
            assert torch.equal(row_ptr.diff(), within.sum(1)) and torch.equal(index, order[within])
        cut_ptr, cut = ops.radius(points.to(dtype), None, 0.9, max_neighbors=40)
        for q in range(0, 700, 50):
            full = index[row_ptr[q] : row_ptr[q + 1]]
            assert len(full) > 128 and torch.equal(cut[cut_ptr[q] : cut_ptr[q + 1]], full[:40])
