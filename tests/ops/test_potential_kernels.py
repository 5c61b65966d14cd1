"""The potential's kernels: equal to the twin, the same every time, alike on any threads."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from geoinfluencer import ops
from geoinfluencer.ops import native

# float32: sums of a few thousand terms of order 1; float64: only the order of additions differs
TOLERANCE = {torch.float32: (3e-5, 3e-4), torch.float64: (1e-10, 1e-10)}  # relative, absolute


def evaluate(x: Tensor, y: Tensor | None, **options) -> tuple[Tensor, ...]:
    """Energy, active and gradients, each graph weighted differently."""
    x = x.detach().clone().requires_grad_()
    y = None if y is None else y.detach().clone().requires_grad_()
    energy, active = ops.influence_potential(x, y, **options)
    (energy * torch.arange(1, len(energy) + 1)).sum().backward()
    grads = (x.grad,) if y is None else (x.grad, y.grad)
    return (energy.detach(), active, *grads)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("block", range(4))
@pytest.mark.usefixtures("needs_native")
def test_native_equals_twin(make_case, dtype, block):
    for trial in range(35 * block, 35 * (block + 1)):
        case = make_case(trial, dtype)
        symmetric = trial % 4 == 2 or trial % 9 == 0
        options = dict(case.options, radius=case.radius, x_ptr=case.x_ptr)
        if symmetric:
            options = {k: v for k, v in options.items() if not k.startswith("y_")}
        else:
            options["y_ptr"] = case.y_ptr
            options["y_instance"] = case.options.get("y_instance")
        y = None if symmetric else case.y
        torch.set_num_threads(1 + trial % 3)
        fast = evaluate(case.x, y, **options)
        with native.forced_off():
            slow = evaluate(case.x, y, **options)
        assert torch.equal(fast[1], slow[1]), f"active pairs, case {trial}"
        power = case.options["power"]
        units = (case.unit**power, 1, *(case.unit ** (power - 1),) * 2)  # energy, gradients
        for a, b, unit in zip(fast, slow, units[: len(fast)], strict=True):
            rtol, atol = TOLERANCE[dtype]
            assert bool(((a - b).abs() <= atol * unit + rtol * b.abs()).all()), f"case {trial}"


@pytest.mark.parametrize("symmetric", [False, True])
def test_deterministic(backend, rng, symmetric):
    rows = 3000 if backend == "native" else 600
    x = torch.randn(rows, 3, generator=rng)
    y = None if symmetric else torch.randn(rows // 4, 3, generator=rng)
    for threads in (1, 2, 5):
        torch.set_num_threads(threads)
        first = evaluate(x, y, radius=0.5)
        second = evaluate(x, y, radius=0.5)
        assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("kind", ["gauss", "ball", "clusters"])
@pytest.mark.parametrize("symmetric", [False, True])
@pytest.mark.usefixtures("needs_native")
def test_thread_counts_agree(rng, symmetric, kind):
    """The ordering never depends on the threads; sums do, by the order of additions alone."""
    scale = 0.02 if kind == "ball" else 1.0
    x = scale * torch.randn(20_000, 3, generator=rng)
    if kind == "clusters":
        x = 20 * torch.rand(2000, 3, generator=rng).repeat_interleave(10, 0) + 0.1 * x
    y = None if symmetric else x[::10].clone()
    torch.set_num_threads(1)
    one = evaluate(x, y, radius=0.5)
    for threads in (2, 3, 4):
        torch.set_num_threads(threads)
        many = evaluate(x, y, radius=0.5)
        assert torch.equal(one[1], many[1])
        torch.testing.assert_close(one[0], many[0], rtol=1e-6, atol=0)  # docs/kernels.md
        for a, b in zip(one[2:], many[2:], strict=True):
            # relative to the largest gradient: single entries are sums that cancel
            assert (a - b).abs().max() <= 1e-5 * a.abs().max()


@pytest.mark.parametrize("dim", [1, 2, 3, 5, 8, 17, 64])
@pytest.mark.parametrize("spread", [0.01, 0.35, 1.0])
@pytest.mark.usefixtures("needs_native")
def test_boxes_taken_whole_equal_pruned_ones(rng, dim, spread):
    """From every box within the radius (no tests below it) over some of them to none."""
    x = spread * torch.randn(700, dim, generator=rng) / dim**0.5
    y = spread * torch.randn(330, dim, generator=rng) / dim**0.5
    ids = torch.randint(-1, 30, (1030,), generator=rng)
    options = {"radius": 0.5, "x_instance": ids[:700], "y_instance": ids[700:]}
    for set_y, arguments in ((y, options), (None, {"radius": 0.5, "x_instance": ids[:700]})):
        fast = evaluate(x, set_y, **arguments)
        with native.forced_off():
            slow = evaluate(x, set_y, **arguments)
        assert torch.equal(fast[1], slow[1])
        for a, b in zip(fast[:1] + fast[2:], slow[:1] + slow[2:], strict=True):
            torch.testing.assert_close(a, b, rtol=1e-4, atol=2e-4)


@pytest.mark.usefixtures("needs_native")
def test_many_equal_coordinates(rng):
    """Selection and partition of the ordering where most values are ties, at all sizes."""
    for size in (16, 17, 31, 33, 64, 65, 257, 1025, 9000, 40_000):
        x = torch.randint(0, 3, (size, 3), generator=rng).float()
        x[:, 1] = 0.0
        y = x[:: max(1, size // 40)].clone()
        energy, active = ops.influence_potential(x, y, radius=1.5)
        with native.forced_off():
            expected, count = ops.influence_potential(x, y, radius=1.5)
        assert torch.equal(active, count)
        torch.testing.assert_close(energy, expected, rtol=1e-5, atol=0)


@pytest.mark.usefixtures("needs_native")
def test_value_only_equals_value_with_gradient(rng):
    x = torch.randn(2000, 5, generator=rng)
    energy, _ = ops.influence_potential(x, radius=1.0)
    with_gradient, _ = ops.influence_potential(x.requires_grad_(), radius=1.0)
    assert torch.equal(energy, with_gradient.detach())
