"""Segment reductions against a loop over the segments."""

from __future__ import annotations

import pytest
import torch

from geoinfluencer import ops

LOOPS = {
    "sum": lambda rows: rows.sum(0),
    "mean": lambda rows: rows.mean(0),
    "max": lambda rows: rows.amax(0),
    "min": lambda rows: rows.amin(0),
    "logsumexp": lambda rows: rows.logsumexp(0),
}
EMPTY = {"sum": 0.0, "mean": 0.0, "max": 0.0, "min": 0.0, "logsumexp": -torch.inf}


@pytest.mark.parametrize("name", list(LOOPS))
@pytest.mark.parametrize("shape", [(50,), (50, 3), (50, 2, 2)])
def test_loop(rng, name, shape):
    src = torch.randn(shape, generator=rng, dtype=torch.float64).requires_grad_()
    index = torch.randint(0, 6, (50,), generator=rng)
    index[index == 4] = 5
    out = getattr(ops, f"segment_{name}")(src, index, 7)
    assert out.shape == (7, *shape[1:])
    for s in range(7):
        rows = src[index == s]
        wanted = LOOPS[name](rows) if len(rows) else torch.full(shape[1:], EMPTY[name]).double()
        torch.testing.assert_close(out[s], wanted)


@pytest.mark.parametrize("name", list(LOOPS))
def test_gradcheck(rng, name):
    src = torch.randn(12, 2, generator=rng, dtype=torch.float64).requires_grad_()
    index = torch.randint(0, 3, (12,), generator=rng)
    index[index == 1] = 0  # an empty segment
    function = getattr(ops, f"segment_{name}")

    def finite(src):
        out = function(src, index, 3)
        return out.masked_fill(out.isinf(), 0.0)

    assert torch.autograd.gradcheck(finite, (src,))


def test_logsumexp_survives_extremes():
    src = torch.tensor([1e4, 1e4, -1e4, -torch.inf], requires_grad=True)
    out = ops.segment_logsumexp(src, torch.tensor([0, 0, 1, 2]), 4)
    torch.testing.assert_close(out, torch.tensor([1e4 + 0.6931472, -1e4, -torch.inf, -torch.inf]))
    out[:2].sum().backward()
    assert not src.grad.isnan().any()


def test_mean_counts_beyond_half_precision():
    out = ops.segment_mean(torch.ones(5000, dtype=torch.float16), torch.zeros(5000).long(), 1)
    assert out.item() == 1.0


def test_fill_of_empty_segments():
    assert ops.segment_max(torch.ones(1), torch.tensor([0]), 2, fill=-9.0).tolist() == [1.0, -9.0]
    assert ops.segment_min(torch.ones(1), torch.tensor([0]), 2, fill=9.0).tolist() == [1.0, 9.0]


def test_nothing_at_all():
    for name in LOOPS:
        assert getattr(ops, f"segment_{name}")(
            torch.zeros(0, 2), torch.zeros(0).long(), 0
        ).shape == (0, 2)
