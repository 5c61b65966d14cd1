"""What tells a good instance from a bad one before the truth is known."""

from __future__ import annotations

import torch
from torch import Tensor

from geoinfluencer import ops
from geoinfluencer.condensation.instances import Instances

EMBEDDING_TRAITS = (
    "score", "size", "closeness", "core", "reach", "rival", "loose", "relative_size", "own",
    "sample_closeness",
)  # fmt: skip
QUERY_TRAITS = ("score", "size")
_FARTHEST = 6.0  # radii; who is alone has its rival there
_LEAST_MASS = 1e-3  # nodes may weigh nothing


@torch.no_grad()
def embedding_traits(
    follower: Tensor,
    influencer: Tensor,
    found: Instances,
    *,
    radius: float,
    mass: Tensor | None = None,
) -> Tensor:
    r"""Traits of instances of :func:`~geoinfluencer.condensation.condense`, in the order of
    ``EMBEDDING_TRAITS``.

    ==================== ==========================================================================
    ``score``            :math:`c_k`, the confidence of the condensation
    ``size``             log of the mass of the members
    ``closeness``        mean of :math:`1 - |f_i - h_k|^2 / r^2` over the members
    ``core``             followers within r / 2, over followers, :math:`|f_i - h_k| \le r`
    ``reach``            followers, over those within 2 r: 1 where a larger radius finds no more
    ``rival``            distance to the nearest other influencer, in radii, at most 6
    ``loose``            mass of nodes in no instance that are within 1.5 r, and farther from all
                         other influencers, over the mass of the members
    ``relative_size``    log of the mass over the median of the instances of the graph
    ``own``              distance of the influencer node's own follower, in radii, at most 6 (as is
                         what is no number)
    ``sample_closeness`` mean of the closeness over the members of all instances of the graph
    ==================== ==========================================================================

    Args:
        follower, influencer: embeddings that were condensed.
        found: what they were condensed to.
        radius: r of that.
        mass: of the nodes. (default: 1)

    Shapes:
        follower, influencer (N, D), mass (N,) -> (K, 10) float64.
    """
    follower = follower if follower.dtype == torch.float64 else follower.float()
    ptr, rows, graph = found.ptr, found.instance_ptr, found.batch
    place = influencer[found.influencer].to(follower.dtype)  # (K, D)
    member, owner = _members(found)
    square = (follower[member] - place[owner]).square().sum(1) / radius**2
    close = (1.0 - square).clamp(0.0, 1.0).double()
    of_instance = ops.segment_sum(close, owner, len(found))
    of_graph = ops.segment_sum(of_instance, graph, found.num_graphs)
    members = ops.segment_sum(found.size.double(), graph, found.num_graphs)

    def within(factor: float) -> Tensor:
        near = ops.radius_count(follower, place, factor * radius, ptr=ptr, query_ptr=rows)
        return near.double()

    def in_radii(square: Tensor) -> Tensor:
        distance = square.double().sqrt() / radius
        return distance.nan_to_num(nan=_FARTHEST).clamp(max=_FARTHEST)  # clamp keeps nan

    followers = torch.maximum(within(1.0), found.size)  # rounding may take one from the other
    total = _mass(found, member, owner, mass)
    columns = (
        found.score.double(),
        total.log(),
        of_instance / found.size,
        within(0.5) / followers,
        followers / torch.maximum(within(2.0), followers),
        in_radii(ops.knn(place, k=1, ptr=rows)[1][:, 0]),
        _loose(follower, place, found, radius, mass) / total,
        (total / _median(total, found)).log(),
        in_radii((follower[found.influencer] - place).square().sum(1)),
        (of_graph / members.clamp(min=1))[graph],
    )
    return torch.stack(columns, dim=1)


@torch.no_grad()
def query_traits(found: Instances, *, mass: Tensor | None = None) -> Tensor:
    """Traits of instances of queries, in the order of ``QUERY_TRAITS``: score, and log of the mass
    of the members.

    Args:
        found: of :func:`~geoinfluencer.condensation.condense_queries`.
        mass: of the nodes. (default: 1)

    Shapes:
        mass (N,) -> (K, 2) float64.
    """
    total = _mass(found, *_members(found), mass)
    return torch.stack([found.score.double(), total.log()], dim=1)


def _members(found: Instances) -> tuple[Tensor, Tensor]:
    """Nodes (P,) in an instance, and the row (P,) of it."""
    member = (found.instance >= 0).nonzero()[:, 0]
    graph = torch.bucketize(member, found.ptr[1:], right=True)
    return member, found.instance_ptr[graph] + found.instance[member]


def _mass(found: Instances, member: Tensor, owner: Tensor, mass: Tensor | None) -> Tensor:
    """(K,) mass of the members."""
    if mass is None:
        return found.size.double()
    own = mass.to(member.device)[member].double()
    return ops.segment_sum(own, owner, len(found)).clamp(min=_LEAST_MASS)


def _loose(
    follower: Tensor, place: Tensor, found: Instances, radius: float, mass: Tensor | None
) -> Tensor:
    """(K,) mass of the nodes in no instance that are nearest to this one, and not far from it."""
    none = (found.instance < 0).nonzero()[:, 0]
    ptr = torch.searchsorted(none, found.ptr)
    index, square = ops.knn(place, follower[none], k=1, ptr=found.instance_ptr, query_ptr=ptr)
    near = square[:, 0] <= (1.5 * radius) ** 2
    weight = torch.ones_like(none) if mass is None else mass.to(none.device)[none]
    return ops.segment_sum(weight[near].double(), index[near, 0], len(found))


def _median(value: Tensor, found: Instances) -> Tensor:
    """(K,) median of the values (K,) in the instance's graph, the lower one of two."""
    order = value.argsort()
    order = order[found.batch[order].argsort(stable=True)]
    rows = found.instance_ptr
    middle = rows[:-1] + (rows.diff() - 1).clamp(min=0) // 2
    return value[order[middle[found.batch]]]
