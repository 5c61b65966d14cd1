"""What every query claims of each segment of nodes, and its gradient: for the losses."""

from __future__ import annotations

import torch
from torch import Tensor

from geoinfluencer.errors import InputError
from geoinfluencer.ops import checks, library, native, reference


def query_claims(
    logits: Tensor,  # (N, M)
    log_void: Tensor,  # (N,)
    segment: Tensor,  # (N,)
    num_segments: int,
    weight: Tensor | None = None,  # (N,)
) -> Tensor:
    r"""Probabilities of the queries summed over the nodes of each segment, without gradient.

    .. math:: S_s[m] = \sum_{i \in s} w_i p_i[m], \qquad p_i[m] = e^{x_{im} + \ln p_i[\text{void}]}

    Args:
        logits: x, float32 or float64; -inf in columns that are no query.
        log_void: ln p[void], as :func:`~geoinfluencer.ops.query_profiles` returns it.
        segment: of each node, 0 to S - 1.
        num_segments: S.
        weight: weights >= 0. (default: 1)

    Shapes:
        logits (N, M), log_void, segment and weight (N,) -> (S, M).

    Raises:
        InputError: shapes, dtypes or devices that do not fit, or a segment out of range (looked at
            on the CPU).

    On a GPU it runs as torch ops, and several (N, M) tensors exist for a moment.
    """
    checks.check_count("num_segments", num_segments, 0)
    segment, weight = _checked(logits, log_void, segment, weight)
    claims: Tensor = torch.ops.geoinfluencer.query_claims(
        logits.detach(), log_void.detach(), segment, num_segments, weight
    )
    return claims


def add_claims_gradient(
    gradient: Tensor,  # (N, M)
    grad_claims: Tensor,  # (S, M)
    logits: Tensor,  # (N, M)
    log_void: Tensor,  # (N,)
    segment: Tensor,  # (N,)
    weight: Tensor | None = None,  # (N,)
) -> None:
    """Adds the gradient of the logits for that of :func:`query_claims` to ``gradient``: in place,
    so that a loss with other gradients of its logits holds one table of them.

    Raises:
        InputError: shapes, dtypes or devices that do not fit.
    """
    segment, weight = _checked(logits, log_void, segment, weight)
    for name, value, rows in (
        ("gradient", gradient, logits.shape[0]), ("grad_claims", grad_claims, len(grad_claims))
    ):  # fmt: skip
        _check_table(name, value, (rows, logits.shape[1]), logits)
    torch.ops.geoinfluencer.add_claims_gradient(
        gradient, grad_claims, logits, log_void, segment, weight
    )


def _checked(
    logits: Tensor, log_void: Tensor, segment: Tensor, weight: Tensor | None
) -> tuple[Tensor, Tensor | None]:
    if logits.dim() != 2 or logits.dtype not in (torch.float32, torch.float64):
        raise InputError(f"logits must be float32 or float64 (N, M): {checks.describe(logits)}")
    _check_table("log_void", log_void, (logits.shape[0],), logits)
    ids = checks.check_ids("segment", segment, logits.shape[0], logits.device)
    assert ids is not None
    return ids, checks.check_weight("weight", weight, logits.shape[0], logits)


def _check_table(name: str, value: Tensor, shape: tuple[int, ...], like: Tensor) -> None:
    if value.shape != shape or value.dtype != like.dtype or value.device != like.device:
        raise InputError(
            f"{name} must be {like.dtype} of shape {shape} on {like.device}, as logits are: "
            f"{checks.describe(value)} on {value.device}"
        )


def _claims(
    logits: Tensor, log_void: Tensor, segment: Tensor, num_segments: int, weight: Tensor | None
) -> Tensor:
    kernels = native.cpu(logits, any_width=True)
    if kernels is None:
        _check_ids(segment, num_segments)
        return reference.query_claims(logits, log_void, segment, num_segments, weight)
    out = _empty(logits, log_void, segment, num_segments, weight)
    code = native.call(
        kernels, "geo_claims", logits.dtype, native.dense(logits), *logits.shape,
        native.dense(log_void), native.dense(segment), native.dense(weight), num_segments,
        native.threads(), out,
    )  # fmt: skip
    _check_range(code, num_segments)
    return out


def _add(
    gradient: Tensor,
    grad_claims: Tensor,
    logits: Tensor,
    log_void: Tensor,
    segment: Tensor,
    weight: Tensor | None,
) -> None:
    kernels = native.cpu(logits, any_width=True)
    if kernels is None or not gradient.is_contiguous():
        _check_ids(segment, grad_claims.shape[0])
        reference.add_claims_gradient(gradient, grad_claims, logits, log_void, segment, weight)
        return
    code = native.call(
        kernels, "geo_claims_grad", logits.dtype, native.dense(logits), *logits.shape,
        native.dense(log_void), native.dense(segment), native.dense(weight),
        grad_claims.shape[0], native.dense(grad_claims), native.threads(), gradient,
    )  # fmt: skip
    _check_range(code, grad_claims.shape[0])


def _check_ids(segment: Tensor, segments: int) -> None:
    if segment.device.type != "cpu" or segment.numel() == 0:  # a GPU would be waited for
        return
    if not 0 <= int(segment.min()) <= int(segment.max()) < segments:
        _check_range(native.ID_RANGE, segments)


def _check_range(code: int, segments: int) -> None:
    if code == native.ID_RANGE:
        raise InputError(f"segment must be 0 to num_segments - 1 = {segments - 1} in every row")


def _empty(
    logits: Tensor, log_void: Tensor, segment: Tensor, num_segments: int, weight: Tensor | None
) -> Tensor:
    return logits.new_empty(num_segments, logits.shape[1])


library.define(
    "query_claims(Tensor logits, Tensor log_void, Tensor segment, SymInt num_segments, "
    "Tensor? weight) -> Tensor",
    _claims,
    _empty,
)
library.define(
    "add_claims_gradient(Tensor(a!) gradient, Tensor grad_claims, Tensor logits, Tensor log_void, "
    "Tensor segment, Tensor? weight) -> ()",
    _add,
    lambda *_: None,
)
