"""Differentiable ops called past the dispatcher, and everything that is to see the op instead."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import pytest
import torch
from torch import Tensor
from torch._subclasses import FakeTensorMode
from torch.fx.experimental.proxy_tensor import make_fx
from torch.overrides import TorchFunctionMode

from geoinfluencer import ops
from geoinfluencer.ops import direct, library

X = torch.tensor([2.0, -1.0])
Cube = Callable[[Tensor], Tensor]


class Subclass(torch.Tensor):
    """Shares the dispatch keys of a tensor, and sees functions called on it."""


class Mode(TorchFunctionMode):
    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any | None = None
    ) -> Any:
        return func(*args, **(kwargs or {}))


def remember(ctx: Any, inputs: tuple[Tensor], output: Tensor) -> None:
    ctx.save_for_backward(inputs[0])


def slope(ctx: Any, grad: Tensor) -> Tensor:
    return 3 * ctx.saved_tensors[0] ** 2 * grad


class Calls:
    """x^3 as an op that counts its calls, and what calls it."""

    def __init__(self) -> None:
        self.of_op = 0
        self.cube = direct.shortcut(self._op, lambda x: x**3, slope, remember)

    def _op(self, x: Tensor) -> Tensor:
        self.of_op += 1
        return x**3


@pytest.fixture
def calls() -> Iterator[Calls]:
    yield Calls()


@pytest.mark.parametrize("grad", [True, False])
@pytest.mark.parametrize(
    "context",
    [nullcontext, torch.no_grad, lambda: torch.autocast("cpu"), torch.inference_mode],
    ids=["plain", "no_grad", "autocast", "inference"],
)
def test_plain_tensors_take_the_direct_way(
    context: Callable[[], AbstractContextManager[Any]], grad: bool, calls: Calls
) -> None:
    x = torch.nn.Parameter(X.clone()) if grad else X
    with context():
        y = calls.cube(x)
    assert y.tolist() == [8.0, -1.0] and calls.of_op == 0
    assert y.requires_grad == (grad and context not in (torch.no_grad, torch.inference_mode))
    if y.requires_grad:
        y.sum().backward()
        assert x.grad is not None and x.grad.tolist() == [12.0, 3.0]


def in_profiler(cube: Cube) -> None:
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]):
        cube(X)


def in_function_mode(cube: Cube) -> None:
    with Mode():
        cube(X)


def in_fake_mode(cube: Cube) -> None:
    with FakeTensorMode():
        cube(torch.empty(2))


def below_autograd(cube: Cube) -> None:
    with torch._C._AutoDispatchBelowAutograd():
        cube(X.clone().requires_grad_())


SEEN: dict[str, Callable[[Cube], object]] = {
    "meta": lambda cube: cube(torch.empty(2, device="meta")),
    "negative view": lambda cube: cube(torch._neg_view(X)),
    "sparse": lambda cube: cube(X.to_sparse().coalesce()),
    "subclass": lambda cube: cube(X.as_subclass(Subclass)),
    "function mode": in_function_mode,
    "fake tensors": in_fake_mode,
    "make_fx": lambda cube: make_fx(cube)(X),
    "vmap": lambda cube: torch.func.vmap(cube)(X),
    "grad": lambda cube: torch.func.grad(lambda x: cube(x).sum())(X),
    "trace": lambda cube: torch.jit.trace(cube, X),
    "profiler": in_profiler,
    "below autograd": below_autograd,
    "compile": lambda cube: torch.compile(cube, backend="eager", fullgraph=True)(X),
}


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
@pytest.mark.parametrize("name", list(SEEN))
def test_whoever_wants_to_see_the_op_does(name: str, calls: Calls) -> None:
    SEEN[name](calls.cube)
    assert calls.of_op > 0


def test_a_negative_view_is_read_as_what_it_shows() -> None:
    x = torch._neg_view(torch.tensor([[-0.3, -0.4]]))
    energy, active = ops.influence_potential(x, torch.tensor([[0.3, 0.4]]), radius=0.5)
    assert active.item() == 1 and energy.item() == pytest.approx(0.25)


def test_second_derivatives_pass_through(calls: Calls) -> None:
    x = X.clone().requires_grad_()
    (first,) = torch.autograd.grad(calls.cube(x).sum(), x, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), x)
    assert second.tolist() == [12.0, -6.0] and calls.of_op == 0


@pytest.mark.parametrize("private", [True, False])
def test_gradients_with_and_without_private_names_of_torch(
    private: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not private:
        monkeypatch.setattr(direct, "_PRIVATE", ("_no_such_name",))
    name = f"cubed_{'direct' if private else 'dispatched'}"
    call = library.define(
        f"{name}(Tensor x) -> Tensor",
        lambda x: x**3,
        torch.empty_like,
        backward=slope,
        setup_context=remember,
    )
    op = getattr(torch.ops.geoinfluencer, name)
    assert (call is op.default) != private
    for way in (call, op):
        x = X.clone().requires_grad_()
        way(x).sum().backward()
        assert x.grad is not None and x.grad.tolist() == [12.0, 3.0]
        assert not way(x.detach()).requires_grad
