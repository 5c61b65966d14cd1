"""The potential against a dense oracle and the public twin: values, gradients, masks, weights."""

from __future__ import annotations

import pytest
import torch
import torch._dynamo.compiled_autograd as compiled_autograd
from torch import Tensor

from geoinfluencer import ops
from geoinfluencer.ops import native, reference


def dense(
    x: Tensor, y: Tensor | None, radius: float, power: int, same: Tensor | None = None
) -> Tensor:
    """The definition, with all distances at once; ``same`` marks pairs that do not count."""
    distance = torch.cdist(x, x if y is None else y, compute_mode="donot_use_mm_for_euclid_dist")
    hinge = (radius - distance).clamp_min(0) ** power
    if same is not None:
        hinge = hinge.masked_fill(same, 0.0)
    return hinge.sum() if y is not None else hinge.triu(1).sum()


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


def test_ops_equal_reference(make_case, backend):
    case = make_case(11, torch.float64)
    options = {"radius": case.radius, "x_ptr": case.x_ptr, "y_ptr": case.y_ptr}
    x, y = case.x.requires_grad_(), case.y.requires_grad_()
    energy, active = ops.influence_potential(x, y, **options)
    expected, count = reference.influence_potential(x, y, **options)
    torch.testing.assert_close(energy, expected)
    assert torch.equal(active, count) and active.sum() > 100
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


def test_noise_repels_noise_and_itself(backend):
    x = torch.zeros(1, 2)
    ids = torch.tensor([-1])
    _, active = ops.influence_potential(x, x.clone(), radius=1.0, x_instance=ids, y_instance=ids)
    assert active.item() == 1
    ids = torch.tensor([3])
    _, active = ops.influence_potential(x, x.clone(), radius=1.0, x_instance=ids, y_instance=ids)
    assert active.item() == 0


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


def test_a_graph_that_is_kept_gives_its_gradient_again(backend, rng):
    x = torch.randn(60, 3, generator=rng).requires_grad_()
    ptr = torch.tensor([0, 25, 60])
    (fresh,) = torch.autograd.grad(ops.influence_potential(x, radius=1.5, x_ptr=ptr)[0].sum(), x)
    energy, _ = ops.influence_potential(x, radius=1.5, x_ptr=ptr)
    factor = torch.tensor([2.0, -3.0])
    found = [torch.autograd.grad(energy, x, factor, retain_graph=True)[0] for _ in range(2)]
    (last,) = torch.autograd.grad(energy, x, factor)  # may take the place of what was kept
    expected = fresh * factor.repeat_interleave(ptr.diff())[:, None]
    for gradient in (*found, last):
        torch.testing.assert_close(gradient, expected)
    assert len({gradient.data_ptr() for gradient in (fresh, *found, last)}) == 4
    with pytest.raises(RuntimeError, match="second time"):
        torch.autograd.grad(energy, x, factor)


def test_the_gradient_takes_no_second_memory(rng):
    if native.cpu(torch.zeros(1, 3)) is None:
        pytest.skip("the twin has memory of its own")
    x = torch.randn(1000, 3, generator=rng).requires_grad_()
    energy, _, kept, _ = torch.ops.geoinfluencer.influence_potential(
        x, None, 1.0, 2, None, None, None, None, None, None, True
    )
    address = kept.data_ptr()
    del kept
    energy.sum().backward()
    assert x.grad.data_ptr() == address


def test_what_hooks_have_saved_stays_as_it_is(rng):
    """Here a store that keeps equal tensors once: the two losses share their gradient's."""
    x = torch.randn(80, 3, generator=rng)
    stored: dict[bytes, Tensor] = {}

    def pack(tensor: Tensor) -> bytes:
        key = tensor.detach().numpy().tobytes()
        stored.setdefault(key, tensor.detach())
        return key

    def gradient() -> Tensor:
        leaf = x.clone().requires_grad_()
        losses = [ops.influence_potential(leaf, radius=1.0)[0] for _ in range(2)]
        (2 * losses[0] + 5 * losses[1]).sum().backward()
        return leaf.grad

    with torch.autograd.graph.saved_tensors_hooks(pack, stored.__getitem__):
        hooked = gradient()
    torch.testing.assert_close(hooked, gradient())


def test_compiled_autograd_traces_it(rng):
    x = torch.randn(80, 3, generator=rng).requires_grad_()
    (expected,) = torch.autograd.grad(3 * ops.influence_potential(x, radius=1.0)[0].sum(), x)
    energy = ops.influence_potential(x, radius=1.0)[0]
    with compiled_autograd._enable(torch.compile(backend="eager", fullgraph=True)):
        energy.sum().mul(3).backward()
    torch.testing.assert_close(x.grad, expected)


def test_batched_equals_separate(backend, rng):
    x = torch.randn(130, 4, generator=rng, dtype=torch.float64)
    ptr = torch.tensor([0, 50, 50, 130])
    together, _ = ops.influence_potential(x, radius=2.0, x_ptr=ptr)
    for b in range(3):
        alone, _ = ops.influence_potential(x[ptr[b] : ptr[b + 1]], radius=2.0)
        torch.testing.assert_close(together[b], alone[0])
