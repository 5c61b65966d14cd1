"""Sums of hinge potentials over pairs of nodes, with an explicit normaliser."""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor

from geoinfluencer import ops
from geoinfluencer.errors import InputError
from geoinfluencer.losses.segments import Segments

Normalizer = Literal["balanced", "nodes", "active", "pairs"]
NORMALIZERS: tuple[str, ...] = get_args(Normalizer)


def pair_weights(
    segments: Segments, weight: Tensor, num_graphs: int, *, others_only: bool
) -> Tensor:
    r"""Sum of the weights of the pairs that a repulsion runs over, per graph.

    Of other instances only (ordered pairs, as follower and influencer are two points), with the
    background's pairs all counted, or all unordered pairs without self pairs:

    .. math::
        W^2 - \sum_k W_k^2 \qquad\text{or}\qquad \tfrac12 \Big(W^2 - \sum_i w_i^2\Big)

    Shapes:
        weight (N,) -> (B,).
    """
    total = ops.segment_sum(weight, segments.by_graph)
    if others_only:
        mass = ops.segment_sum(weight, segments.by_slot)
        mass = torch.where(segments.is_instance, mass, torch.zeros_like(mass))
        same = ops.segment_sum(mass.square(), segments.slot_graph, num_graphs)
        return total.square() - same
    itself = ops.segment_sum(weight.square(), segments.by_graph)
    return 0.5 * (total.square() - itself)


def normalize_energy(
    energy: Tensor,
    active: Tensor,
    segments: Segments,
    weight: Tensor,
    *,
    normalizer: Normalizer,
    others_only: bool,
) -> Tensor:
    """Divide each graph's sum over pairs by what ``normalizer`` says.

    Args:
        energy: sum over pairs of weight x hinge.
        active: number of pairs within the margin, not weighted; it is scaled by the square of the
            mean node weight, so that a common factor on all weights acts as that many copies.
        segments, weight: all nodes that take part, and their weights.
        normalizer: ``"nodes"`` the sum of the node weights (their number when there are none),
            ``"active"`` the number of pairs within the margin, ``"balanced"`` the larger of these
            two, ``"pairs"`` the summed weight of all pairs, those beyond the margin included (the
            published mean).
        others_only: whether the pairs are those of different instances.

    Shapes:
        energy, active (B,), weight (N,) -> (B,); 0 where there is nothing to divide by.
    """
    graphs = energy.shape[0]
    nodes = ops.segment_sum(weight, segments.by_graph)
    count = ops.segment_sum((weight > 0).to(weight.dtype), segments.by_graph)
    pairs = active.to(energy.dtype) * (nodes / count.clamp_min(1)).square()
    if normalizer == "balanced":
        norm = torch.maximum(pairs, nodes)
    elif normalizer == "nodes":
        norm = nodes
    elif normalizer == "active":
        norm = pairs
    elif normalizer == "pairs":
        norm = pair_weights(segments, weight, graphs, others_only=others_only)
    else:
        raise InputError(f"normalizer {normalizer!r} is none of {', '.join(NORMALIZERS)}")
    return energy / torch.where(norm > 0, norm, torch.ones_like(norm))
