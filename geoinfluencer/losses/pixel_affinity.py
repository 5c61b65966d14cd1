"""Pixels must lean on segments of their own instance."""

from __future__ import annotations

import torch
from torch import Tensor

from geoinfluencer.errors import InputError


def pixel_affinity_loss(
    logits: Tensor,
    candidate_instance: Tensor,
    instance: Tensor,
    *,
    ignore: Tensor | None = None,
) -> Tensor:
    r"""Mean over pixels of minus the log of the probability that candidate segments of the pixel's
    own instance have together; background is an instance like the others.

    .. math::
        L = \operatorname{mean}_p \Big( -\ln \sum_{s:\, t_s = t_p} p_{ps} \Big), \qquad
        p_{ps} = \mathrm{softmax}_s \, l_{ps}

    Left out are pixels that no candidate is right for, since none can be chosen, and ignored ones;
    the mean of none is 0, attached.

    Args:
        logits: of the pixels for their candidates; -inf = not to be had.
        candidate_instance: true instance of each candidate segment, -1 = background.
        instance: true instance of each pixel, -1 = background, below = ignored.
        ignore: candidates whose segment is ignored; they take no part.

    Shapes:
        logits, candidate_instance, ignore (P, C), instance (P,) -> scalar.

    Raises:
        InputError: shapes do not fit.
    """
    rows = logits.shape[:1]
    if logits.dim() != 2 or candidate_instance.shape != logits.shape or instance.shape != rows:
        raise InputError(
            f"logits has shape {tuple(logits.shape)}, candidate_instance "
            f"{tuple(candidate_instance.shape)}, instance {tuple(instance.shape)}; "
            "expected (P, C), (P, C), (P,)"
        )
    if ignore is not None:
        logits = logits.masked_fill(ignore, -torch.inf)
    right = (candidate_instance == instance[:, None]) & torch.isfinite(logits)
    counted = right.any(1) & (instance >= -1)
    logits, right = logits[counted], right[counted]
    error = logits.logsumexp(1) - logits.masked_fill(~right, -torch.inf).logsumexp(1)
    return error.sum() / max(error.shape[0], 1)
