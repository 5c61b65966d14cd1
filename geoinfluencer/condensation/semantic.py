"""Query logits and classes of the queries -> classes of nodes."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor
from torch.nn.functional import pad

from geoinfluencer.condensation.logit_pieces import (
    Activation,
    check_activation,
    check_queries,
    logit_pieces,
)


@torch.no_grad()
def semantic_labels(
    logits: Tensor | Iterable[Tensor],
    query_ptr: Tensor,
    ptr: Tensor,
    class_logits: Tensor,
    *,
    activation: Activation = "softmax",
    quality_logits: Tensor | None = None,
) -> Tensor:
    r"""Class of each node from all queries at once; -1 = void.

    .. math:: c_i = \operatorname{argmax}_c \sum_m p_{im} \operatorname{softmax}(z_m)_c

    "softmax": p over queries and void, which wins where it is larger than every class. "sigmoid":
    :math:`p_{im} = \sigma(\text{quality}_m) \sigma(x_{im})` (as `Mask2Former
    <https://arxiv.org/abs/2112.01527>`_); void where no :math:`x_{im} > 0`.

    Args:
        logits, query_ptr, ptr, activation, quality_logits, class_logits: as of
            :func:`~geoinfluencer.condensation.condense_queries`; the class logits are z.

    Shapes:
        logits (N, M), query_ptr and ptr (B+1,), class_logits (Q, C), quality_logits (Q,) -> (N,)
        int64.

    Raises:
        InputError: shapes that do not fit, or an unknown activation.
    """
    check_activation(activation)
    queries = int(query_ptr[-1])
    check_queries(queries, quality_logits, class_logits, None)
    likely = class_logits.float().softmax(1)  # (Q, C)
    if activation == "sigmoid" and quality_logits is not None:
        likely = likely * quality_logits.float().sigmoid()[:, None]
    label = torch.full((int(ptr[-1]),), -1, dtype=torch.int64, device=ptr.device)
    bounds = query_ptr.tolist()
    for graph, low, high, x in logit_pieces(logits, query_ptr, ptr):
        first, last = bounds[graph], bounds[graph + 1]
        if first == last or not likely.shape[1]:
            continue
        if activation == "softmax":
            p = pad(x, (1, 0)).softmax(1)
            top, column = (p[:, 1:].to(likely.dtype) @ likely[first:last]).max(1)
            wins = top > p[:, 0]
        else:
            column = (x.sigmoid().to(likely.dtype) @ likely[first:last]).argmax(1)
            wins = (x > 0).any(1)
        label[low:high] = torch.where(wins, column, -1)
    return label
