"""How strongly the nodes of an instance claim each query."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from geoinfluencer.errors import InputError
from geoinfluencer.ops import checks, library, profile_kernels
from geoinfluencer.ops.segment_ids import SegmentOrder


def query_profiles(
    logits: Tensor,  # (N, M)
    index: Tensor | SegmentOrder,  # (N,)
    num_segments: int,
    weight: Tensor | None = None,  # (N,)
) -> tuple[Tensor, Tensor]:
    r"""Mean log-probability of every query over the nodes of each instance.

    With :math:`p_i = \operatorname{softmax}(x_{i1}, \dots, x_{iM}, 0)`, the last being void:

    .. math::
        \ln g_s[m] = \sum_{i \in s} w_i \ln p_i[m] \Big/ \sum_{i \in s} w_i

    One pass over the logits forward and one backward; beside them only ln g (S, M) and two
    numbers of each row are kept. On a GPU it runs as torch ops, whose sums are not deterministic
    there, and several (N, M) tensors exist for a moment; nothing waits for the host.

    Args:
        logits: x; -inf in columns that are no query of the node's graph. Half precision is computed
            and returned in float32.
        index: segment of each node, below S; negative: in none.
        num_segments: S.
        weight: weights >= 0, without gradient; a node of weight 0 is in no segment. (default: 1)

    Shapes:
        logits (N, M), index and weight (N,) -> ln g (S, M), ln p[void] (N,).

    ln g is 0 where a segment is empty, and -inf, without gradient, where a column is -inf in one of
    its nodes. A row with NaN or +inf is NaN, and so are its segment and their gradients.
    Differentiable once.

    Raises:
        InputError: shapes, dtypes or devices that do not fit, or an id of S or more (looked at on
            the CPU).
    """
    if not isinstance(logits, Tensor) or logits.dim() != 2 or not logits.is_floating_point():
        raise InputError(f"logits must be floating (N, M), got {checks.describe(logits)}")
    if isinstance(index, SegmentOrder):
        index = index.index
    ids = checks.check_ids("index", index, logits.shape[0], logits.device)
    if not isinstance(num_segments, torch.SymInt):
        checks.check_count("num_segments", num_segments, 0)
    wide = logits.float() if logits.dtype.itemsize < 4 else logits
    weight = checks.check_weight("weight", weight, logits.shape[0], wide)
    profile, log_void, *_ = torch.ops.geoinfluencer.query_profiles(wide, ids, num_segments, weight)
    return profile, log_void


def _setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
    logits, index, _, weight = inputs
    profile, _, mass, level = output
    ctx.save_for_backward(logits, index, weight, profile, mass, level)
    ctx.mark_non_differentiable(mass, level)
    ctx.set_materialize_grads(False)


def _backward(ctx: Any, grad_profile: Tensor | None, grad_void: Tensor | None, *_: Any) -> Any:
    if grad_profile is None and grad_void is None:
        return None, None, None, None
    if torch.is_grad_enabled():  # a second derivative would silently be missing
        raise RuntimeError("query_profiles is differentiable once: not with create_graph=True")
    grad = torch.ops.geoinfluencer.query_profiles_gradient(
        grad_profile, grad_void, *ctx.saved_tensors
    )
    return grad, None, None, None


library.define(
    "query_profiles(Tensor logits, Tensor index, SymInt num_segments, Tensor? weight) "
    "-> (Tensor, Tensor, Tensor, Tensor)",
    profile_kernels.forward,
    profile_kernels.empty_outputs,
    backward=_backward,
    setup_context=_setup_context,
)
library.define(
    "query_profiles_gradient(Tensor? grad_profile, Tensor? grad_void, Tensor logits, Tensor index, "
    "Tensor? weight, Tensor profile, Tensor mass, Tensor level) -> Tensor",
    profile_kernels.gradient,
    profile_kernels.empty_gradient,
)
