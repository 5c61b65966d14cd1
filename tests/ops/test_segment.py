"""Segment reductions against loops; small ones run in torch, large ones in the kernels."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from geoinfluencer import ops
from geoinfluencer.errors import InputError
from geoinfluencer.ops import native, segment_kernels

LOOPS = {
    "sum": lambda rows: rows.sum(0),
    "mean": lambda rows: rows.mean(0),
    "max": lambda rows: rows.amax(0),
    "min": lambda rows: rows.amin(0),
    "logsumexp": lambda rows: rows.logsumexp(0),
}
EMPTY = {"sum": 0.0, "mean": 0.0, "max": 0.0, "min": 0.0, "logsumexp": -torch.inf}
EVERY = [*LOOPS, "softmax"]


@pytest.fixture(params=["torch", "op"])
def path(request, monkeypatch, backend):
    """Both ways: torch's own op, and the registered one with the kernels or without."""
    if request.param == "op":
        monkeypatch.setattr(segment_kernels, "SMALL", 0)
        monkeypatch.setattr(segment_kernels, "SMALL_SUM", 0)
    return request.param


@pytest.mark.usefixtures("path")
@pytest.mark.parametrize("ordered", ["sorted", "unsorted", "order"])
@pytest.mark.parametrize("name", list(LOOPS))
@pytest.mark.parametrize("shape", [(50,), (50, 3), (50, 2, 2), (50, 17)])
def test_loop(rng, name, shape, ordered):
    src = torch.randn(shape, generator=rng, dtype=torch.float64).requires_grad_()
    index = torch.randint(0, 6, (50,), generator=rng)
    index[index == 4] = 5
    if ordered == "sorted":
        index = index.sort().values
    given = ops.segment_order(index, 7) if ordered == "order" else index
    out = getattr(ops, f"segment_{name}")(src, given, 7)
    assert out.shape == (7, *shape[1:])
    for s in range(7):
        rows = src[index == s]
        wanted = LOOPS[name](rows) if len(rows) else torch.full(shape[1:], EMPTY[name]).double()
        torch.testing.assert_close(out[s], wanted)


@pytest.mark.usefixtures("path")
def test_softmax_and_gather_equal_loops(rng):
    src = torch.randn(40, 3, generator=rng)
    index = torch.randint(0, 5, (40,), generator=rng)
    out = ops.segment_softmax(src + 1e4, index, 6)
    for s in range(5):
        torch.testing.assert_close(out[index == s], (src + 1e4)[index == s].softmax(0))
    values = torch.randn(5, 3, generator=rng)
    assert torch.equal(ops.segment_gather(values, index), values[index])


@pytest.mark.usefixtures("path")
@pytest.mark.parametrize("name", EVERY)
def test_gradients_to_the_second(rng, name):
    src = torch.randn(12, 2, generator=rng, dtype=torch.float64).requires_grad_()
    index = torch.randint(0, 3, (12,), generator=rng)
    index[index == 1] = 0  # an empty segment
    function = getattr(ops, f"segment_{name}")

    def finite(src):
        out = function(src, index, 3)
        return out.masked_fill(out.isinf(), 0.0)

    assert torch.autograd.gradcheck(finite, (src,))
    assert torch.autograd.gradgradcheck(finite, (src,))


@pytest.mark.usefixtures("path")
def test_gradients_of_gather(rng):
    values = torch.randn(4, 2, generator=rng, dtype=torch.float64).requires_grad_()
    index = torch.tensor([3, 0, 0, 1, 3])
    assert torch.autograd.gradcheck(lambda v: ops.segment_gather(v, index).square(), (values,))
    assert torch.autograd.gradgradcheck(lambda v: ops.segment_gather(v, index).pow(3), (values,))


@pytest.mark.usefixtures("path")
@pytest.mark.parametrize("name", ["max", "min"])
def test_ties_share_the_gradient(name):
    src = torch.tensor([2.0, 2.0, 5.0], requires_grad=True)
    out = getattr(ops, f"segment_{name}")(src, torch.tensor([0, 0, 1]), 2)
    assert torch.autograd.grad(out.sum(), src)[0].tolist() == [0.5, 0.5, 1.0]


@pytest.mark.parametrize("width", [1, 2, 3, 4, 5, 8, 33])
@pytest.mark.parametrize("segments", [1, 40, 9000])
@pytest.mark.usefixtures("needs_native")
def test_threads_change_nothing_and_kernels_equal_twins(rng, width, segments):
    rows = 140_000 if width < 5 else 20_000
    src = torch.randn(rows, width, generator=rng)
    ids = torch.randint(0, segments, (rows,), generator=rng)
    ids[ids == segments // 2] = 0  # an empty one, where there are several
    for index in (ids, ids.sort().values):
        for kind in ("sum", "min", "max"):
            arguments = (src, index, segments, kind, -7.0, None, None)
            results = []
            for threads in (1, 2, 3):
                torch.set_num_threads(threads)
                results.append(torch.ops.geoinfluencer.segment_reduce(*arguments))
            assert all(torch.equal(results[0], other) for other in results[1:])
            with native.forced_off():
                twin = torch.ops.geoinfluencer.segment_reduce(*arguments)
            tolerance = {"rtol": 1e-5, "atol": 2e-2 if kind == "sum" else 0.0}
            torch.testing.assert_close(results[0], twin, **tolerance)


@pytest.mark.usefixtures("path")
def test_strided_views(rng):
    src = torch.randn(3, 80, generator=rng).t()[::2]
    index = torch.randint(0, 4, (80,), generator=rng)[::2]
    torch.testing.assert_close(
        ops.segment_sum(src, index, 4), ops.segment_sum(src.contiguous(), index.contiguous(), 4)
    )


@pytest.mark.usefixtures("path")
def test_logsumexp_survives_extremes():
    src = torch.tensor([1e4, 1e4, -1e4, -torch.inf], requires_grad=True)
    index = torch.tensor([0, 0, 1, 2])
    out = ops.segment_logsumexp(src, index, 4)
    torch.testing.assert_close(out, torch.tensor([1e4 + 0.6931472, -1e4, -torch.inf, -torch.inf]))
    out[:2].sum().backward()
    assert not src.grad.isnan().any()
    assert ops.segment_softmax(src, index, 4).tolist() == [0.5, 0.5, 1.0, 0.0]


@pytest.mark.usefixtures("path")
@pytest.mark.parametrize("name", list(LOOPS))
def test_nan_stays_in_its_segment(name):
    src = torch.tensor([1.0, torch.nan, 3.0, 2.0])
    for index in (torch.tensor([0, 0, 0, 1]), torch.tensor([1, 1, 1, 0])):
        out = getattr(ops, f"segment_{name}")(src, index, 2)
        assert out.isnan()[index[:1]].all() and not out.isnan()[index[3:]].any()


@pytest.mark.usefixtures("path")
def test_half_precision_is_accumulated_in_float32():
    ones = torch.ones(5000, dtype=torch.float16)
    index = torch.zeros(5000).long()
    assert ops.segment_mean(ones, index, 1).item() == 1.0
    total = ops.segment_sum(ones, index, 1)
    assert total.item() == 5000 and total.dtype == torch.float16


@pytest.mark.usefixtures("path")
def test_integers_are_reduced_too():
    src, index = torch.tensor([3, -2, 9]), torch.tensor([1, 1, 0])
    assert ops.segment_sum(src, index, 3).tolist() == [9, 1, 0]
    assert ops.segment_min(src, index, 3, fill=7).tolist() == [9, -2, 7]


@pytest.mark.usefixtures("path")
def test_fill_of_empty_segments():
    assert ops.segment_max(torch.ones(1), torch.tensor([0]), 2, fill=-9.0).tolist() == [1.0, -9.0]
    assert ops.segment_min(torch.ones(1), torch.tensor([0]), 2, fill=9.0).tolist() == [1.0, 9.0]


@pytest.mark.usefixtures("path")
def test_nothing_at_all():
    for name in LOOPS:
        function = getattr(ops, f"segment_{name}")
        assert function(torch.zeros(0, 2), torch.zeros(0).long(), 0).shape == (0, 2)
        assert function(torch.zeros(0, 2), torch.zeros(0).long(), 3).shape == (3, 2)
        assert function(torch.zeros(4, 0), torch.zeros(4).long(), 3).shape == (3, 0)


@pytest.mark.usefixtures("path")
@pytest.mark.parametrize("ids", [[0, 1, 3], [2, 0, 3], [-1, 0, 1], [1, -1, 0]])
def test_ids_out_of_range_are_named(ids):
    index = torch.tensor(ids)
    for call in (
        lambda: ops.segment_sum(torch.ones(3), index, 3),
        lambda: ops.segment_max(torch.ones(3, 2), index, 3),
        lambda: ops.segment_gather(torch.ones(3), index),
        lambda: ops.segment_order(index, 3),
    ):
        with pytest.raises(InputError, match=rf"index must be in 0..2 .*got {min(ids)} to"):
            call()


def test_order_is_not_for_another_number_of_segments():
    order = ops.segment_order(torch.tensor([0, 1]), 2)
    with pytest.raises(InputError, match="num_segments is 3, the segment_order was made for 2"):
        ops.segment_sum(torch.ones(2), order, 3)
    with pytest.raises(InputError, match="num_segments is missing"):
        ops.segment_sum(torch.ones(2), torch.tensor([0, 1]))


@pytest.mark.parametrize("width", [1, 20_000])  # torch's own op, and the registered one
@pytest.mark.parametrize("reduction", [ops.segment_max, ops.segment_min])
def test_gradient_goes_to_the_nan_that_wins(reduction: Callable[..., Tensor], width: int) -> None:
    src = torch.tensor([1.0, math.nan, 3.0])[:, None].repeat(1, width).requires_grad_()
    reduction(src, torch.tensor([0, 0, 1]), 2).sum().backward()
    assert src.grad is not None
    assert src.grad[:, 0].tolist() == [0.0, 1.0, 1.0]


def test_ids_must_be_a_tensor() -> None:
    with pytest.raises(InputError, match="index must be a tensor"):
        ops.segment_order([0, 1], 2)
    with pytest.raises(InputError, match="index must be a tensor"):
        ops.segment_gather(torch.zeros(2), None)
