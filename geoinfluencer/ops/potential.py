"""The graph-sparse hinge potential between two sets of points, value and gradient in one pass."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from geoinfluencer.errors import InputError
from geoinfluencer.ops import checks, library, native, potential_kernels, reference


def influence_potential(
    x: Tensor,  # (N, D)
    y: Tensor | None = None,  # (M, D)
    *,
    radius: float,
    power: int = 2,
    x_instance: Tensor | None = None,  # (N,)
    y_instance: Tensor | None = None,  # (M,)
    x_ptr: Tensor | None = None,  # (B + 1,)
    y_ptr: Tensor | None = None,  # (B + 1,)
    x_weight: Tensor | None = None,  # (N,)
    y_weight: Tensor | None = None,  # (M,)
) -> tuple[Tensor, Tensor]:
    r"""Sum of hinge potentials over the pairs of two point sets that lie within a radius (the
    repulsions of Murnane, EPJ Web Conf. 295, 09016, 2024), exact, in O(N) memory.

    .. math::
        E_b = \sum_{i \in x_b} \sum_{j \in y_b} w_i v_j \max(0, r - |x_i - y_j|)^p

    ``y=None`` is the symmetric form: every unordered pair of ``x`` once, no self pairs. With
    instance ids only pairs of DIFFERENT ids count, and -1 (any negative id) differs from
    everything, itself included; so in the two-set form a node of id -1 also meets its own row in
    ``y``. Pairs at zero distance have no direction: they are pushed apart along an axis chosen by
    the two indices, oppositely, so that coincident points separate.

    Args:
        x: points, float32 or float64 (half and bfloat16 are computed and returned in float32).
        y: second set, or ``None``.
        radius: hinge radius, in the units of the points.
        power: 1 or 2.
        x_instance, y_instance: integer ids; give both (``x_instance`` alone when symmetric) for
            "other instances only", none for all pairs.
        x_ptr, y_ptr: first row of each graph and the total; pairs never cross graphs.
        x_weight, y_weight: weights; they receive NO gradient. A point of weight zero takes part in
            no pair. In the symmetric form ``x_weight`` serves both sides.

    Shapes:
        x (N, D), y (M, D), ids and weights (N,) and (M,), ptr (B + 1,) ->
        energy (B,), active (B,) int64: the pairs that count with a distance below the radius.

    A point that is not finite makes its graph's energy and its own gradient NaN. Differentiable
    once in ``x`` and ``y``; the gradient is computed in the forward pass, and only when needed.

    Raises:
        InputError: shapes, dtypes, devices or values that do not fit; it names the argument.
    """
    x = checks.check_points("x", x)
    radius = checks.check_radius("radius", radius, x)
    checks.check_count("power", power, 1, 2)
    if y is None:
        for name, value in (("y_instance", y_instance), ("y_ptr", y_ptr), ("y_weight", y_weight)):
            if value is not None:
                raise InputError(f"{name} was given without y: the symmetric form takes x's only")
    else:
        y = checks.check_points("y", y, like=x)
        checks.check_same_dtype("y", y, x)
        if (x_instance is None) != (y_instance is None):
            missing = "x_instance" if x_instance is None else "y_instance"
            raise InputError(f"{missing} is missing: give both instance ids, or neither")
        y_instance = checks.check_ids("y_instance", y_instance, y.shape[0], y.device)
        y_ptr = checks.check_ptr("y_ptr", y_ptr, y.device)
        y_weight = checks.check_weight("y_weight", y_weight, y.shape[0], y)
    x_instance = checks.check_ids("x_instance", x_instance, x.shape[0], x.device)
    x_ptr = checks.check_ptr("x_ptr", x_ptr, x.device)
    if y is not None:
        checks.check_pair_of_ptr("x_ptr", x_ptr, "y_ptr", y_ptr)
    x_weight = checks.check_weight("x_weight", x_weight, x.shape[0], x)
    need_grad = torch.is_grad_enabled() and (x.requires_grad or (y is not None and y.requires_grad))
    energy, active, _, _ = torch.ops.geoinfluencer.influence_potential(
        x, y, radius, power, x_instance, y_instance, x_ptr, y_ptr, x_weight, y_weight, need_grad
    )
    return energy, active


def _fake(x: Tensor, y: Tensor | None, *rest: Any) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    return potential_kernels.empty_outputs(x, y, x_ptr=rest[4], need_grad=rest[8])


def _setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
    _, _, grad_x, grad_y = output
    y, x_ptr, y_ptr, need_grad = inputs[1], inputs[6], inputs[7], inputs[10]
    ctx.symmetric = y is None
    ctx.need_grad = need_grad
    ctx.alone = not _hooks_are_set()
    ctx.save_for_backward(grad_x, grad_y, x_ptr, y_ptr)
    ctx.mark_non_differentiable(grad_x, grad_y)
    ctx.set_materialize_grads(False)


def _backward(ctx: Any, grad_energy: Tensor | None, *_: Any) -> tuple[Any, ...]:
    if grad_energy is None:
        return (None,) * 11
    if torch.is_grad_enabled():  # a second derivative would silently miss these terms
        raise RuntimeError("influence_potential is differentiable once: not with create_graph=True")
    if not ctx.need_grad:
        raise RuntimeError("influence_potential: the op was called with need_grad=False")
    grad_x, grad_y, x_ptr, y_ptr = ctx.saved_tensors
    in_place = ctx.alone and _last_pass()
    out_x = _scaled(grad_x, grad_energy, x_ptr, in_place) if ctx.needs_input_grad[0] else None
    out_y = None
    if not ctx.symmetric and ctx.needs_input_grad[1]:
        out_y = _scaled(grad_y, grad_energy, y_ptr, in_place)
    return out_x, out_y, *([None] * 9)


def _scaled(rows: Tensor, factor: Tensor, ptr: Tensor | None, in_place: bool) -> Tensor:
    out = rows if in_place and type(rows) is Tensor else native.empty_like(rows)
    return reference.scale_by_graph(rows, factor, ptr, out=out)


# A gradient that was computed in the forward pass is scaled where it lies, which saves its memory
# once more, if nobody else may ask for it: no second backward pass, no hook that took it in.
# Without these two private functions of torch it is always copied.


def _hooks_are_set() -> bool:
    """Whether what is saved now goes to somebody's ``saved_tensors_hooks``."""
    hooks = getattr(torch._C._autograd, "_top_saved_tensors_default_hooks", None)
    return hooks is None or hooks(False) is not None


def _last_pass() -> bool:
    """Whether this backward pass lets go of what was saved (no ``retain_graph``)."""
    if torch.compiler.is_compiling():
        return False
    keeps = getattr(torch._C._autograd, "_get_current_graph_task_keep_graph", None)
    return keeps is not None and not keeps()


library.define(
    "influence_potential(Tensor x, Tensor? y, float radius, int power, Tensor? x_instance, "
    "Tensor? y_instance, Tensor? x_ptr, Tensor? y_ptr, Tensor? x_weight, Tensor? y_weight, "
    "bool need_grad) -> (Tensor, Tensor, Tensor, Tensor)",
    potential_kernels.forward,
    _fake,
    backward=_backward,
    setup_context=_setup_context,
)
