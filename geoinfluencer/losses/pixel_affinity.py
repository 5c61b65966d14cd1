"""Pixels must know whether they are of an instance, and lean on segments of it."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from geoinfluencer.errors import InputError


def pixel_affinity_loss(
    logits: Tensor,
    inside: Tensor,
    candidate_instance: Tensor,
    instance: Tensor,
    *,
    ignore: Tensor | None = None,
) -> Tensor:
    r"""Mean over pixels of minus the log of the probability of what they are: background, or of
    an instance and of those candidate segments that are of it.

    .. math::
        L &= \operatorname{mean}_p \big( -\ln P_p(t_p) \big), \\
        P_p(t) &= \sigma(g_p) \sum_{s:\, t_s = t} p_{ps}, \qquad P_p(-1) = 1 - \sigma(g_p)

    where :math:`p_{ps}` is the softmax of :math:`l_{ps}` over the candidates that are of an
    instance. Pixels that no candidate is right for learn that they are inside alone; ignored ones
    are left out; the mean of none is 0, attached.

    Args:
        logits: l, of the pixels for their candidates; -inf = not to be had.
        inside: g, of being in any instance.
        candidate_instance: true instance of each candidate segment, -1 = background.
        instance: true instance of each pixel, -1 = background, below = ignored.
        ignore: candidates whose segment is ignored; they take no part.

    Shapes:
        logits, candidate_instance, ignore (P, C), inside, instance (P,) -> scalar.

    Raises:
        InputError: shapes do not fit.
    """
    rows = logits.shape[:1]
    if (
        logits.dim() != 2
        or candidate_instance.shape != logits.shape
        or instance.shape != rows
        or inside.shape != rows
    ):
        raise InputError(
            f"logits has shape {tuple(logits.shape)}, inside {tuple(inside.shape)}, "
            f"candidate_instance {tuple(candidate_instance.shape)}, instance "
            f"{tuple(instance.shape)}; expected (P, C), (P,), (P, C), (P,)"
        )
    counted = instance >= -1
    within = instance[counted] >= 0
    error = binary_cross_entropy_with_logits(
        inside[counted], within.to(inside.dtype), reduction="sum"
    )
    logits = logits.masked_fill(candidate_instance < 0, -torch.inf)
    if ignore is not None:
        logits = logits.masked_fill(ignore, -torch.inf)
    right = (candidate_instance == instance[:, None]) & torch.isfinite(logits)
    choosing = right.any(1) & (instance >= 0)
    logits, right = logits[choosing], right[choosing]
    chosen = logits.logsumexp(1) - logits.masked_fill(~right, -torch.inf).logsumexp(1)
    return (error + chosen.sum()) / max(int(counted.sum()), 1)
