"""Attraction of an instance's followers to its influencers in O(N), by moments."""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor

from geoinfluencer import ops
from geoinfluencer.errors import InputError
from geoinfluencer.losses.segments import Segments

Attraction = Literal["geometric", "power", "softmin"]
ATTRACTIONS: tuple[str, ...] = get_args(Attraction)

#: Added to s before its logarithm, in units of the squared margin: distances below a thousandth
#: of the margin no longer count, and the gradient stays finite at s = 0.
EPSILON = 1e-6


def mean_square_distance(
    follower: Tensor, influencer: Tensor, segments: Segments, weight: Tensor
) -> Tensor:
    r"""Mean squared distance from each influencer to the followers of its own instance.

    .. math::
        q_j = \frac{\sum_{i \in k} w_i |f_i - h_j|^2}{\sum_{i \in k} w_i}
            = |h_j - \mu_k|^2 + \mathrm{Var}_k

    Everything is taken relative to one follower of the instance first, so that a large common
    offset costs no digits.

    Args:
        follower, influencer: embeddings, float32 or float64.
        segments: slots of the instances (background has one too).
        weight: non-negative weight of each follower.

    Shapes:
        follower, influencer (N, D), weight (N,) -> (N,).
    """
    slot = segments.by_slot
    anchor = ops.segment_gather(follower.detach()[segments.first], slot)  # (N, D)
    near_f, near_h = follower - anchor, influencer - anchor
    mass = ops.segment_sum(weight, slot)  # (S,)
    share = weight / ops.segment_gather(torch.where(mass > 0, mass, torch.ones_like(mass)), slot)
    mean = ops.segment_sum(share[:, None] * near_f, slot)  # (S, D)
    centre = ops.segment_gather(mean, slot)  # (N, D)
    spread = share * (near_f - centre).square().sum(-1)
    variance = ops.segment_sum(spread, slot)  # (S,)
    return (near_h - centre).square().sum(-1) + ops.segment_gather(variance, slot)


def instance_mean(
    s: Tensor,
    segments: Segments,
    weight: Tensor,
    *,
    attraction: Attraction,
    sharpness: float,
    epsilon: float = EPSILON,
) -> Tensor:
    r"""One number per instance that is small as soon as ONE of its influencers is good.

    With weights :math:`v_j = w_j / \sum_{j \in k} w_j` and sharpness :math:`p`:

    .. math::
        \text{geometric} &: P_k = \exp \sum_j v_j \ln(s_j + \epsilon) - \epsilon \\
        \text{power} &: P_k = \Big(\sum_j v_j (s_j + \epsilon)^{-p}\Big)^{-1/p} - \epsilon \\
        \text{softmin} &: P_k = -\tfrac1p \ln \sum_j v_j e^{-p s_j}

    All three are s itself for a single member. The pull of a geometric mean thins as 1/n: with one
    s = 0 among n - 1 ones it is :math:`\epsilon^{1/n}` (.25 at n = 10, .99 at n = 1000), the
    power mean about :math:`n^{1/p} \epsilon`, the softmin at most :math:`\ln(n) / p`.

    Shapes:
        s, weight (N,) -> (S,); 0 for slots without weight and for the background.
    """
    slot = segments.by_slot
    mass = ops.segment_sum(weight, slot)
    alive = segments.is_instance & (mass > 0)
    one = torch.ones_like(mass)
    share = weight / ops.segment_gather(torch.where(mass > 0, mass, one), slot)
    if attraction == "geometric":
        mean_log = ops.segment_sum(share * torch.log(s + epsilon), slot)
        return torch.where(alive, torch.exp(mean_log) - epsilon, torch.zeros_like(mass))
    if attraction == "power":
        level = torch.log(s + epsilon)
    elif attraction == "softmin":
        level = s
    else:
        raise InputError(f"attraction {attraction!r} is none of {', '.join(ATTRACTIONS)}")
    # smallest level of the members that count: keeps the exponentials in range, has no gradient
    counts = alive[segments.index] & (weight > 0)
    level = torch.where(counts, level, torch.zeros_like(level))
    known = torch.where(counts, level.detach(), torch.full_like(level, torch.inf))
    floor = ops.segment_min(known, slot)
    floor = torch.where(alive, floor, torch.zeros_like(floor))
    excess = torch.where(counts, level - ops.segment_gather(floor, slot), torch.zeros_like(level))
    summed = ops.segment_sum(share * torch.exp(-sharpness * excess), slot)
    lowest = floor - torch.log(torch.where(alive, summed, one)) / sharpness
    value = torch.exp(lowest) - epsilon if attraction == "power" else lowest
    return torch.where(alive, value, torch.zeros_like(value))


def attraction_per_graph(
    per_instance: Tensor, segments: Segments, weight: Tensor, num_graphs: int
) -> Tensor:
    """Weighted mean of the instances of each graph, (S,) and (S,) -> (B,); 0 without any."""
    weight = torch.where(segments.is_instance, weight, torch.zeros_like(weight))
    total = ops.segment_sum(weight * per_instance, segments.slot_graph, num_graphs)
    mass = ops.segment_sum(weight, segments.slot_graph, num_graphs)
    return total / torch.where(mass > 0, mass, torch.ones_like(mass))
