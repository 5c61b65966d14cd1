"""Twin of the claims of queries, and their gradient: some rows at a time."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

_ELEMENTS = 2**16  # of a piece: it stays in the cache of a core


def query_claims(
    logits: Tensor, log_void: Tensor, segment: Tensor, segments: int, weight: Tensor | None
) -> Tensor:
    """(S, M) sums; see :func:`geoinfluencer.ops.claims.query_claims`."""
    sums = logits.new_zeros(segments, logits.shape[1])
    for part in _parts(logits):
        claim = (logits[part] + log_void[part, None]).exp_()
        if weight is not None:
            claim *= weight[part, None]
        sums.index_add_(0, segment[part], claim)
    return sums


def add_claims_gradient(
    gradient: Tensor,
    grad_claims: Tensor,
    logits: Tensor,
    log_void: Tensor,
    segment: Tensor,
    weight: Tensor | None,
) -> None:
    """Adds to the gradient (N, M) of the logits."""
    for part in _parts(logits):
        claim = (logits[part] + log_void[part, None]).exp_()
        slope = grad_claims.index_select(0, segment[part])
        slope -= torch.linalg.vecdot(claim, slope)[:, None]  # the slope of void is 0
        slope *= claim
        gradient[part] += slope if weight is None else slope * weight[part, None]


def _parts(logits: Tensor) -> Iterator[slice]:
    nodes, width = logits.shape
    step = nodes if logits.device.type != "cpu" else _ELEMENTS // max(1, width)
    step = max(1, step)
    return (slice(low, low + step) for low in range(0, nodes, step))
