"""Inputs that are hard on the potential: ties, far, huge, empty, not finite, strided."""

from __future__ import annotations

import pytest
import torch

from geoinfluencer import ops


@pytest.mark.parametrize("size", [2, 3, 40])
@pytest.mark.parametrize("dim", [1, 3, 8])
def test_coincident_points_separate(backend, size, dim):
    x = torch.full((size, dim), 0.5, requires_grad=True)
    energy, active = ops.influence_potential(x, radius=1.0, power=1)
    energy.sum().backward()
    pairs = size * (size - 1) // 2
    assert active.item() == pairs
    assert energy.item() == pytest.approx(pairs)
    torch.testing.assert_close(x.grad.sum(0), torch.zeros(dim), atol=1e-4, rtol=0)
    moved = x.detach() - 0.01 * x.grad
    assert ops.influence_potential(moved, radius=1.0, power=1)[0].item() < pairs
    if size == 2:
        assert x.grad[0].norm() == 1 and torch.equal(x.grad[0], -x.grad[1])


def test_coincident_tied_sets_do_not_cancel(backend):
    """x used as both sets: the pairs (i, j) and (j, i) must push the same way."""
    x = torch.zeros(2, 3, requires_grad=True)
    ids = torch.tensor([0, 1])
    energy, _ = ops.influence_potential(x, x, radius=1.0, x_instance=ids, y_instance=ids)
    energy.sum().backward()
    assert x.grad[0].norm() == 4  # two pairs, slope 2 each
    assert torch.equal(x.grad[0], -x.grad[1])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_ids_beyond_32_bits(backend, rng, dtype):
    x = torch.randn(60, 3, generator=rng, dtype=dtype)
    small = torch.randint(-1, 6, (60,), generator=rng)
    huge = torch.where(small < 0, -1, small * 2**40 + 4503668346847232)
    a, _ = ops.influence_potential(x, radius=1.0, x_instance=small)
    b, _ = ops.influence_potential(x, radius=1.0, x_instance=huge)
    assert torch.equal(a, b)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_is_computed_in_float32(backend, rng, dtype):
    x = torch.randn(300, 3, generator=rng).to(dtype).requires_grad_()
    energy, _ = ops.influence_potential(x, radius=3.0)
    wide = x.detach().float().requires_grad_()
    expected, _ = ops.influence_potential(wide, radius=3.0)
    assert energy.dtype == torch.float32 and torch.equal(energy, expected)
    (energy + expected).sum().backward()
    assert x.grad.dtype == dtype and torch.equal(x.grad, wide.grad.to(dtype))


def test_huge_offset_is_exact(backend, rng):
    x = (torch.randn(200, 3, generator=rng, dtype=torch.float64) * 8).round() / 8
    shifted = (x + 1e6).float()  # multiples of 1/8 are exact near 1e6 in float32: 1/16 spacing
    a, n = ops.influence_potential(x.float(), radius=1.0)
    b, m = ops.influence_potential(shifted, radius=1.0)
    assert torch.equal(n, m)
    torch.testing.assert_close(a, b)


def test_not_finite_is_loud_and_local(backend, rng):
    x = torch.randn(40, 3, generator=rng)
    x[7, 1] = float("nan")
    x.requires_grad_()
    energy, _ = ops.influence_potential(x, radius=1.0, x_ptr=torch.tensor([0, 20, 40]))
    alone = x.detach()[20:].requires_grad_()
    expected, _ = ops.influence_potential(alone, radius=1.0)
    assert energy[0].isnan() and expected > 0
    torch.testing.assert_close(energy[1], expected[0])
    (energy.sum() + expected.sum()).backward()
    assert x.grad[7].isnan().all()
    torch.testing.assert_close(x.grad[20:], alone.grad)


@pytest.mark.parametrize("rows", [0, 1])
def test_too_few_points(backend, rows):
    x = torch.zeros(rows, 4, requires_grad=True)
    energy, active = ops.influence_potential(x, radius=1.0)
    energy.sum().backward()
    assert energy.item() == 0 and active.item() == 0 and torch.equal(x.grad, torch.zeros_like(x))
    y = torch.randn(5, 4, requires_grad=True)
    energy, _ = ops.influence_potential(x[:0], y, radius=1.0)
    energy.sum().backward()
    assert energy.item() == 0 and torch.equal(y.grad, torch.zeros_like(y))


def test_no_graphs(backend):
    energy, active = ops.influence_potential(torch.zeros(0, 2), radius=1.0, x_ptr=torch.tensor([0]))
    assert energy.shape == active.shape == (0,)


def test_not_contiguous(backend, rng):
    wide = torch.randn(3, 80, generator=rng).t()
    strided = torch.randn(120, 6, generator=rng)[::2, ::2]
    ids = torch.arange(160)[::2] % 7
    a = ops.influence_potential(
        wide, strided, radius=1.0, x_instance=ids, y_instance=torch.arange(60) % 7
    )
    b = ops.influence_potential(
        wide.contiguous(),
        strided.contiguous(),
        radius=1.0,
        x_instance=ids.contiguous(),
        y_instance=torch.arange(60) % 7,
    )
    assert torch.equal(a[0], b[0]) and torch.equal(a[1], b[1])
