"""Claims of queries against dense softmaxes, on kernels and twin."""

from __future__ import annotations

import pytest
import torch

from geoinfluencer import ops
from geoinfluencer.errors import InputError
from geoinfluencer.ops import reference


def random_rows(rng, nodes, width, segments, dtype=torch.float64):
    logits = torch.randn(nodes, width, generator=rng, dtype=dtype) * 3
    if width > 2:
        logits[:, 1] = -torch.inf
    segment = torch.randint(0, max(segments, 1), (nodes,), generator=rng)
    weight = torch.randint(0, 4, (nodes,), generator=rng).to(dtype) / 2
    void = -torch.logaddexp(logits.logsumexp(1), logits.new_zeros(()))
    return logits, void, segment, weight


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize("width", [0, 1, 3, 7, 8, 15, 16, 17, 40, 133])
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_sums_and_gradient_are_those_of_the_softmax(rng, width, weighted, dtype):
    logits, void, segment, weight = random_rows(rng, 61, width, 5, dtype)
    w = weight if weighted else None
    leaf = logits.clone().requires_grad_()
    p = torch.cat([leaf, leaf.new_zeros(61, 1)], 1).softmax(1)[:, :-1]
    expected = torch.zeros(5, width, dtype=dtype).index_add(
        0, segment, p * weight[:, None] if weighted else p
    )
    torch.testing.assert_close(ops.query_claims(logits, void, segment, 5, w), expected)
    slope = torch.randn(5, width, generator=rng, dtype=dtype)
    (expected * slope).sum().backward()
    before = torch.randn(61, width, generator=rng, dtype=dtype)
    gradient = before.clone()
    ops.add_claims_gradient(gradient, slope, logits, void, segment, w)
    wanted = torch.where(torch.isfinite(logits), leaf.grad, 0)
    torch.testing.assert_close(gradient - before, wanted)


@pytest.mark.usefixtures("needs_native")
def test_many_rows_equal_the_twin_on_one_and_on_two_threads(rng):
    logits, void, segment, weight = random_rows(rng, 50_000, 19, 7, torch.float32)
    expected = reference.query_claims(logits.double(), void.double(), segment, 7, weight.double())
    slope = torch.randn(7, 19, generator=rng)
    wanted = torch.zeros(50_000, 19, dtype=torch.float64)
    reference.add_claims_gradient(
        wanted, slope.double(), logits.double(), void.double(), segment, weight.double()
    )
    before = torch.get_num_threads()
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            found = ops.query_claims(logits, void, segment, 7, weight)
            torch.testing.assert_close(found.double(), expected, rtol=1e-5, atol=1e-6)
            assert torch.equal(found, ops.query_claims(logits, void, segment, 7, weight))
            gradient = torch.zeros(50_000, 19)
            ops.add_claims_gradient(gradient, slope, logits, void, segment, weight)
            torch.testing.assert_close(gradient.double(), wanted, rtol=1e-4, atol=1e-5)
    finally:
        torch.set_num_threads(before)


@pytest.mark.usefixtures("backend")
def test_nothing_to_claim():
    none = torch.zeros(0, 3)
    empty = torch.zeros(0, dtype=torch.int64)
    assert ops.query_claims(none, torch.zeros(0), empty, 2).tolist() == [[0.0] * 3] * 2
    assert ops.query_claims(torch.zeros(4, 0), torch.zeros(4), empty.new_zeros(4), 1).shape == (
        1,
        0,
    )


@pytest.mark.usefixtures("backend")
def test_a_segment_that_is_not_there_is_an_error():
    x, void, segment = torch.zeros(2, 3), torch.zeros(2), torch.tensor([0, 5])
    with pytest.raises(InputError, match="segment must be 0 to num_segments - 1 = 1"):
        ops.query_claims(x, void, segment, 2)
    with pytest.raises(InputError, match="segment must be 0"):
        ops.add_claims_gradient(x.clone(), x, x, void, -segment)
    with pytest.raises(InputError, match="log_void must be torch.float32 of shape .2,."):
        ops.query_claims(x, void.double(), segment, 6)
    with pytest.raises(InputError, match="gradient must be torch.float32 of shape .2, 3."):
        ops.add_claims_gradient(x.double(), x, x, void, segment)
    with pytest.raises(InputError, match="logits must be float32 or float64"):
        ops.query_claims(x.half(), void.half(), segment, 6)
