"""Calls of an op past torch's dispatcher, where that would only ask autograd for its part.

The dispatcher unpacks and packs all arguments twice, for autograd and for the implementation: 50 to
90 us a call of the potential. Whoever wants to see ops still does: anything but plain tensors and
autograd (``torch.compile``, transforms, modes, tracers, subclasses, the profiler) gets the op.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import _C, Tensor

_PRIVATE = (
    "_dispatch_keys",
    "_dispatch_tls_local_include_set",
    "_dispatch_tls_local_exclude_set",
    "DispatchKey",
    "DispatchKeySet",
)
_USUAL = ("CPU", "CUDA", "AutogradCPU", "AutogradCUDA", "ADInplaceOrView", "BackendSelect")
_UNUSED = ("AutocastCPU", "AutocastCUDA")  # of every tensor; no op has a kernel for them


def shortcut(
    op: Callable[..., Any],
    implementation: Callable[..., Any],
    backward: Callable[..., Any],
    setup_context: Callable[..., Any],
) -> Callable[..., Any]:
    """What calls a differentiable op: itself, or its implementation as an autograd function.

    Without the private names of torch it is always the op.
    """
    if not all(hasattr(_C, name) for name in _PRIVATE):
        return op
    usual = _bits(*_USUAL, *_UNUSED)
    autograd = _bits("AutogradCPU") & ~_bits("CPU")

    class Direct(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, *inputs: Any) -> Any:
            output = implementation(*inputs)
            setup_context(ctx, inputs, output)
            return output

        @staticmethod
        def backward(ctx: Any, *grads: Any) -> Any:
            return backward(ctx, *grads)

    def call(*inputs: Any) -> Any:
        if torch.compiler.is_compiling() or _watched(inputs):
            return op(*inputs)
        differentiates = False
        keys = _C._dispatch_tls_local_include_set()
        for value in inputs:
            if isinstance(value, Tensor):
                keys |= _C._dispatch_keys(value)
                differentiates |= value.requires_grad
        if keys.raw_repr() & ~usual:
            return op(*inputs)
        if not (differentiates and torch.is_grad_enabled()):
            return implementation(*inputs)
        if _C._dispatch_tls_local_exclude_set().raw_repr() & autograd:
            return op(*inputs)  # inside of another op, whose autograd has been asked already
        return Direct.apply(*inputs)

    return call


def _watched(inputs: tuple[Any, ...]) -> bool:
    """Whether a subclass, a mode for functions or the profiler is to see the op."""
    return torch.overrides.has_torch_function(inputs) or torch.autograd._profiler_enabled()


def _bits(*names: str) -> int:
    """The dispatch keys as the bits of one number."""
    found = 0
    for name in names:
        found |= _C.DispatchKeySet(getattr(_C.DispatchKey, name)).raw_repr()
    return found
