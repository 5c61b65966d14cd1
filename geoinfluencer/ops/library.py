"""The ``geoinfluencer::`` operator library: one definition per op, any device, any backend.

Each op is defined once with its schema; its implementation picks the native kernel for the device
and falls back to the pure-torch twin, so that ``torch.compile`` sees the same opaque op either way.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from geoinfluencer.ops import direct

NAMESPACE = "geoinfluencer"
_LIBRARY = torch.library.Library(NAMESPACE, "DEF")


def define(
    schema: str,
    implementation: Callable[..., Any],
    fake: Callable[..., Any],
    *,
    backward: Callable[..., Any] | None = None,
    setup_context: Callable[..., Any] | None = None,
) -> Callable[..., Any]:
    """Registers an op by its schema, e.g. ``knn(Tensor points, int k) -> Tensor``; returns what
    calls it."""
    short = schema.split("(")[0]
    name = f"{NAMESPACE}::{short}"
    _LIBRARY.define(schema, tags=(torch.Tag.pt2_compliant_tag,))
    _LIBRARY.impl(name, implementation, "CompositeExplicitAutograd")
    torch.library.register_fake(name, fake, lib=_LIBRARY)
    op: Callable[..., Any] = getattr(getattr(torch.ops, NAMESPACE), short).default
    if backward is None or setup_context is None:
        return op
    torch.library.register_autograd(name, backward, setup_context=setup_context, lib=_LIBRARY)
    return direct.shortcut(op, implementation, backward, setup_context)
