"""The potential against a dense oracle and its twin: values, gradients, masks, hazards."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from geoinfluencer import ops
from geoinfluencer.ops import native, reference

# float32: sums of a few thousand terms of order 1; float64: only the order of additions differs
TOLERANCE = {
    torch.float32: {"rtol": 3e-5, "atol": 3e-4},
    torch.float64: {"rtol": 1e-10, "atol": 1e-10},
}


def dense(
    x: Tensor, y: Tensor | None, radius: float, power: int, same: Tensor | None = None
) -> Tensor:
    """The definition, with all distances at once; ``same`` marks pairs that do not count."""
    distance = torch.cdist(x, x if y is None else y, compute_mode="donot_use_mm_for_euclid_dist")
    hinge = (radius - distance).clamp_min(0) ** power
    if same is not None:
        hinge = hinge.masked_fill(same, 0.0)
    return hinge.sum() if y is not None else hinge.triu(1).sum()


def evaluate(x: Tensor, y: Tensor | None, **options) -> tuple[Tensor, ...]:
    """Energy, active and gradients, each graph weighted differently."""
    x = x.detach().clone().requires_grad_()
    y = None if y is None else y.detach().clone().requires_grad_()
    energy, active = ops.influence_potential(x, y, **options)
    (energy * torch.arange(1, len(energy) + 1)).sum().backward()
    grads = (x.grad,) if y is None else (x.grad, y.grad)
    return (energy.detach(), active, *grads)


@pytest.mark.parametrize("power", [1, 2])
@pytest.mark.parametrize("symmetric", [False, True])
@pytest.mark.parametrize("masked", [False, True])
def test_dense_oracle(backend, rng, power, symmetric, masked):
    x = torch.randn(70, 3, generator=rng, dtype=torch.float64).requires_grad_()
    y = None if symmetric else torch.randn(45, 3, generator=rng, dtype=torch.float64)
    ids_x = torch.randint(-1, 5, (70,), generator=rng)
    ids_y = ids_x if symmetric else torch.randint(-1, 5, (45,), generator=rng)
    options, same = {}, None
    if masked:
        options = {"x_instance": ids_x} | ({} if symmetric else {"y_instance": ids_y})
        same = (ids_x[:, None] == ids_y) & (ids_x >= 0)[:, None]
    energy, active = ops.influence_potential(x, y, radius=1.2, power=power, **options)
    expected = dense(x, y, 1.2, power, same)
    torch.testing.assert_close(energy[0], expected)
    close = torch.cdist(x, x if y is None else y) < 1.2
    if same is not None:
        close &= ~same
    assert active.item() == (close.triu(1) if symmetric else close).sum()
    (gradient,) = torch.autograd.grad(energy.sum(), x)
    (wanted,) = torch.autograd.grad(expected, x)
    torch.testing.assert_close(gradient, wanted)


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
        for a, b in zip(fast[:1] + fast[2:], slow[:1] + slow[2:], strict=True):
            torch.testing.assert_close(a, b, **TOLERANCE[dtype], msg=lambda m, t=trial: f"{t}: {m}")


def test_ops_equal_reference(make_case, backend):
    case = make_case(6, torch.float64)
    options = {"radius": case.radius, "x_ptr": case.x_ptr, "y_ptr": case.y_ptr}
    x, y = case.x.requires_grad_(), case.y.requires_grad_()
    energy, active = ops.influence_potential(x, y, **options)
    expected, count = reference.influence_potential(x, y, **options)
    torch.testing.assert_close(energy, expected)
    assert torch.equal(active, count)
    got = torch.autograd.grad(energy.sum(), (x, y))
    torch.testing.assert_close(got, torch.autograd.grad(expected.sum(), (x, y)))


@pytest.mark.parametrize("symmetric", [False, True])
@pytest.mark.parametrize("power", [1, 2])
def test_gradcheck(backend, rng, symmetric, power):
    x = torch.randn(14, 3, generator=rng, dtype=torch.float64).requires_grad_()
    y = torch.randn(11, 3, generator=rng, dtype=torch.float64).requires_grad_()
    options = {"radius": 1.1, "power": power, "x_ptr": torch.tensor([0, 6, 6, 14])}
    if symmetric:
        assert torch.autograd.gradcheck(lambda x: ops.influence_potential(x, **options)[0], (x,))
    else:
        options["y_ptr"] = torch.tensor([0, 4, 8, 11])
        assert torch.autograd.gradcheck(
            lambda x, y: ops.influence_potential(x, y, **options)[0], (x, y)
        )


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


def test_noise_repels_noise_and_itself(backend):
    x = torch.zeros(1, 2)
    ids = torch.tensor([-1])
    _, active = ops.influence_potential(x, x.clone(), radius=1.0, x_instance=ids, y_instance=ids)
    assert active.item() == 1
    ids = torch.tensor([3])
    _, active = ops.influence_potential(x, x.clone(), radius=1.0, x_instance=ids, y_instance=ids)
    assert active.item() == 0


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
    expected, _ = ops.influence_potential(x.detach().float(), radius=3.0)
    assert energy.dtype == torch.float32 and torch.equal(energy.detach(), expected)
    energy.sum().backward()
    assert x.grad.dtype == dtype and torch.isfinite(x.grad).all()


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
    assert energy[0].isnan() and energy[1].isfinite()
    energy.sum().backward()
    assert x.grad[7].isnan().all() and torch.isfinite(x.grad[20:]).all()


def test_weight_zero_takes_no_part(backend, rng):
    x = torch.randn(50, 3, generator=rng)
    weight = (torch.arange(50) % 3 != 0).float()
    kept = x[weight > 0]
    a, n = ops.influence_potential(x, radius=1.5, x_weight=weight)
    b, m = ops.influence_potential(kept, radius=1.5)
    torch.testing.assert_close(a, b)
    assert torch.equal(n, m)


def test_weights_receive_no_gradient(backend, rng):
    x = torch.randn(20, 3, generator=rng).requires_grad_()
    weight = torch.rand(20, generator=rng).requires_grad_()
    energy, _ = ops.influence_potential(x, radius=1.5, x_weight=weight)
    energy.sum().backward()
    assert x.grad is not None and weight.grad is None


def test_second_derivatives_are_refused(backend, rng):
    x = torch.randn(20, 3, generator=rng).requires_grad_()
    energy, _ = ops.influence_potential(x, radius=1.5)
    with pytest.raises(RuntimeError, match="differentiable once"):
        torch.autograd.grad(energy.sum(), x, create_graph=True)


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


def test_batched_equals_separate(backend, rng):
    x = torch.randn(130, 4, generator=rng, dtype=torch.float64)
    ptr = torch.tensor([0, 50, 50, 130])
    together, _ = ops.influence_potential(x, radius=2.0, x_ptr=ptr)
    for b in range(3):
        alone, _ = ops.influence_potential(x[ptr[b] : ptr[b + 1]], radius=2.0)
        torch.testing.assert_close(together[b], alone[0])


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
