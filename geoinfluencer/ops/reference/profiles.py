"""Twin of the query profiles, and their gradient."""

from __future__ import annotations

import torch
from torch import Tensor


def query_profiles(
    logits: Tensor,  # (N, M)
    index: Tensor,  # (N,), negative: in no segment
    segments: int,
    weight: Tensor | None = None,  # (N,)
) -> tuple[Tensor, Tensor, Tensor, Tensor]:  # (S, M), (N,), (S,), (N, 2)
    """Mean log-probability of every query over the rows of each segment, log-probability of void
    of each row, the sum of each segment's weights, and for the gradient -ln p[void] in two parts
    that do not round each other: the largest logit, void included, and what is above it."""
    wide = torch.nn.functional.pad(logits, (0, 1))  # the last is void
    log_p = wide.log_softmax(1)
    level = torch.stack((wide.amax(1), -log_p.amax(1)), 1).detach()
    kept, rows, weight = _members(logits, index, segments, weight)
    mass = weight.new_zeros(segments + 1).index_add(0, rows, weight)
    share = weight / torch.where(mass == 0, 1, mass)[rows]
    # -inf times a share of 0 would be NaN; such rows go to the slot that is dropped
    entries = torch.where(kept[:, None], share[:, None] * log_p[:, :-1], 0)
    profile = logits.new_zeros(segments + 1, logits.shape[1]).index_add(0, rows, entries)
    profile = profile.masked_fill(profile == -torch.inf, -torch.inf)  # no gradient from there
    return profile[:segments], log_p[:, -1].clone(), mass[:segments], level


def query_profiles_gradient(
    grad_profile: Tensor | None,  # (S, M)
    grad_void: Tensor | None,  # (N,)
    logits: Tensor,  # (N, M)
    index: Tensor,  # (N,)
    weight: Tensor | None,  # (N,)
    profile: Tensor,  # (S, M)
    mass: Tensor,  # (S,)
    level: Tensor,  # (N, 2)
) -> Tensor:  # (N, M)
    """Gradient of the logits from those of the outputs, without a graph."""
    total = torch.zeros_like(level[:, 0]) if grad_void is None else grad_void
    own = torch.zeros_like(logits[:1])
    if grad_profile is not None:
        _, rows, weight = _members(logits, index, profile.shape[0], weight)
        live = (profile != -torch.inf) & (mass != 0)[:, None]
        slope = torch.where(live, grad_profile / mass[:, None], 0)
        own = torch.nn.functional.pad(slope, (0, 0, 0, 1))[rows] * weight[:, None]
        total = total + own.sum(1)
    return own - (logits - level[:, :1] - level[:, 1:]).exp() * total[:, None]


def _members(
    logits: Tensor, index: Tensor, segments: int, weight: Tensor | None
) -> tuple[Tensor, Tensor, Tensor]:
    """Whether each row counts, the segment it counts in (S: none) and by how much, each (N,)."""
    weight = logits.new_ones(index.shape[0]) if weight is None else weight
    kept = (index >= 0) & (weight != 0)
    return kept, torch.where(kept, index, segments), torch.where(kept, weight, 0)
