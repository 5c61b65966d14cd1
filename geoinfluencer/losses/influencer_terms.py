"""The terms of the Influencer Loss as a pure function."""

from __future__ import annotations

import torch
from torch import Tensor

from geoinfluencer import ops
from geoinfluencer.losses.attraction import (
    Attraction,
    attraction_per_graph,
    instance_mean,
    mean_square_distance,
)
from geoinfluencer.losses.candidates import choose_influencers, subset_ptr
from geoinfluencer.losses.inputs import Nodes
from geoinfluencer.losses.repulsion import Normalizer, normalize_energy
from geoinfluencer.losses.segments import Segments, instance_segments


def influencer_loss_terms(
    nodes: Nodes,
    *,
    follower_margin: float,
    influencer_margin: float,
    repulsion_power: int,
    influencer_power: int,
    attraction: Attraction,
    sharpness: float,
    normalizer: Normalizer,
    influencers_per_instance: int | None = None,
) -> dict[str, Tensor]:
    """Attraction, repulsion and influencer repulsion, unweighted, mean over graphs.

    Args:
        nodes: what :func:`~geoinfluencer.losses.inputs.prepare_nodes` made of tensors named
            ``follower`` and ``influencer``.
        The rest as in :class:`~geoinfluencer.losses.InfluencerLoss`, which has the formulas.

    Shapes:
        three scalars.
    """
    follower, influencer = nodes.embeddings["follower"], nodes.embeddings["influencer"]
    graphs = nodes.ptr.shape[0] - 1
    segments = instance_segments(nodes.instance, nodes.ptr)
    slot_weight = _slot_weight(nodes, segments)
    weight = nodes.weight
    if nodes.instance_weight is not None:
        own = torch.where(nodes.instance >= 0, nodes.instance_weight, torch.ones_like(weight))
        weight = weight * own

    square = mean_square_distance(follower, influencer, segments, nodes.weight)
    s = square / follower_margin**2
    per_instance = instance_mean(
        s, segments, nodes.weight, attraction=attraction, sharpness=sharpness
    )
    attract = attraction_per_graph(per_instance, segments, slot_weight, graphs)

    y, y_ids, y_ptr, y_weight = influencer, nodes.instance, nodes.ptr, weight
    weighted = nodes.weighted
    if influencers_per_instance is not None:
        chosen, stands_for = choose_influencers(segments, s, influencers_per_instance)
        y, y_ids = influencer[chosen], nodes.instance[chosen]
        y_ptr, y_weight = subset_ptr(chosen, segments, graphs), weight[chosen] * stands_for
        weighted = True

    repel, repel_active = ops.influence_potential(
        follower,
        y,
        radius=follower_margin,
        power=repulsion_power,
        x_instance=nodes.instance,
        y_instance=y_ids,
        x_ptr=nodes.ptr,
        y_ptr=y_ptr,
        x_weight=weight if weighted else None,
        y_weight=y_weight if weighted else None,
    )
    crowd, crowd_active = ops.influence_potential(
        y,
        radius=influencer_margin,
        power=influencer_power,
        x_ptr=y_ptr,
        x_weight=y_weight if weighted else None,
    )
    if influencers_per_instance is not None:  # counted as if all acted, as the sums are
        stands = nodes.ptr.diff() / y_ptr.diff().clamp(min=1)
        repel_active, crowd_active = repel_active * stands, crowd_active * stands.square()
    repel = normalize_energy(
        repel, repel_active, segments, weight, normalizer=normalizer, others_only=True
    )
    crowd = normalize_energy(
        crowd, crowd_active, segments, weight, normalizer=normalizer, others_only=False
    )
    each = {"attraction": attract, "repulsion": repel, "influencer_repulsion": crowd}
    return {name: value.sum() / max(graphs, 1) for name, value in each.items()}


def _slot_weight(nodes: Nodes, segments: Segments) -> Tensor:
    """Weight (S,) of each instance in the mean over instances; 0 where no member has weight."""
    mass = ops.segment_sum(nodes.weight, segments.by_slot)
    alive = (mass > 0).to(mass.dtype)
    if nodes.instance_weight is None:
        return alive
    given = nodes.weight * nodes.instance_weight
    summed = ops.segment_sum(given, segments.by_slot)
    return summed / torch.where(mass > 0, mass, torch.ones_like(mass))
