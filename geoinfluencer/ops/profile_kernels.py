"""What computes the query profiles: the kernels of the CPU or the twin."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from geoinfluencer.errors import InputError
from geoinfluencer.ops import native, reference


def forward(
    logits: Tensor, index: Tensor, num_segments: int, weight: Tensor | None
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Profiles (S, M), log-probability of void (N,), mass (S,) and levels (N, 2)."""
    kernels = native.cpu(logits, any_width=True)
    if kernels is None:
        _check_range(index, num_segments)
        return reference.query_profiles(logits, index, num_segments, weight)
    out = empty_outputs(logits, index, num_segments, weight)
    rows = (native.dense(logits), *logits.shape, native.dense(index), native.dense(weight))
    rest = (num_segments, native.threads(), *out)
    code = native.call(kernels, "geo_profiles", logits.dtype, *rows, *rest)
    if code == native.ID_RANGE:
        _check_range(index, num_segments)
    return out


def gradient(
    grad_profile: Tensor | None,
    grad_void: Tensor | None,
    logits: Tensor,
    index: Tensor,
    weight: Tensor | None,
    profile: Tensor,
    mass: Tensor,
    level: Tensor,
) -> Tensor:
    """Gradient (N, M) of the logits from those of profiles and void, either of which may miss."""
    forward = (logits, index, weight, profile, mass, level)
    kernels = native.cpu(logits, any_width=True)
    if kernels is None:
        return reference.query_profiles_gradient(grad_profile, grad_void, *forward)
    out = empty_gradient(grad_profile, grad_void, logits)
    rows = (native.dense(logits), *logits.shape, native.dense(index), native.dense(weight))
    outputs = (profile.shape[0], native.dense(profile), native.dense(mass), native.dense(level))
    grads = (native.dense(grad_profile), native.dense(grad_void), native.threads(), out)
    native.call(kernels, "geo_profiles_grad", logits.dtype, *rows, *outputs, *grads)
    return out


def empty_outputs(
    logits: Tensor, index: Tensor, num_segments: int, weight: Tensor | None
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """What :func:`forward` fills."""
    size, width = logits.shape
    profile, mass = logits.new_empty(num_segments, width), logits.new_empty(num_segments)
    return profile, logits.new_empty(size), mass, logits.new_empty(size, 2)


def empty_gradient(
    grad_profile: Tensor | None, grad_void: Tensor | None, logits: Tensor, *_: Any
) -> Tensor:
    """What :func:`gradient` fills."""
    return logits.new_empty(logits.shape)


def _check_range(index: Tensor, segments: int) -> None:
    if index.device.type != "cpu" or index.numel() == 0:  # a GPU would be waited for
        return
    high = int(index.max())
    if high >= segments:
        raise InputError(f"index must be below num_segments = {segments}, got {high}")
