"""Follower and influencer embeddings -> instances, each node in at most one."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from geoinfluencer import ops
from geoinfluencer.condensation.instances import Instances
from geoinfluencer.errors import InputError


@torch.no_grad()
def condense(
    follower: Tensor,
    influencer: Tensor,
    *,
    radius: float,
    batch: Tensor | None = None,
    ptr: Tensor | None = None,
    min_followers: int = 1,
    suppression_radius: float | None = None,
    min_size: int = 1,
    min_share: float = 0.5,
    class_logits: Tensor | None = None,
    properties: Mapping[str, Tensor] | None = None,
) -> Instances:
    r"""Instances from the embeddings that
    :class:`~geoinfluencer.losses.InfluencerLoss` trains.

    1. A node whose influencer embedding has at least ``min_followers`` follower embeddings of its
       graph within ``radius`` is a candidate.
    2. Duplicates: from the most followed candidate down (ties: the smaller index) each kept one
       removes the candidates within ``suppression_radius`` of it in the influencer space.
    3. Each node joins the nearest kept influencer within ``radius`` of its follower, or is noise.
    4. Instances with fewer than ``min_size`` members, and those that lost more than
       ``1 - min_share`` of their followers to instances with more followers than they have
       (duplicates too far apart for 2), are dissolved at once; their members join the nearest of
       the remaining ones, as in 3.

    The confidence is the share of the followers that stayed, times how close they are:

    .. math::
        c_k = \frac{n_k}{|\{i : |f_i - h_k| \le r\}|}
              \Big(1 - \frac{1}{n_k} \sum_{i \in k} \frac{|f_i - h_k|^2}{r^2}\Big)

    and the class is that of the largest mean of the members' logits, weighted by
    :math:`1 - |f_i - h_k|^2 / r^2`.

    Args:
        follower, influencer: embeddings; half precision is raised to float32.
        radius: r, in units of the embedding; calibrate it with
            :func:`~geoinfluencer.condensation.calibrate_radius`.
        batch: graph of each node, ascending; or give ``ptr``. Neither: one graph.
        ptr: first node of each graph, and N.
        min_followers: followers within the radius that make a candidate.
        suppression_radius: default ``radius``.
        min_size: members that an instance needs.
        min_share: share of its followers, in [0, 1], that an instance must not lose to more
            followed ones; 0 turns the test off.
        class_logits: per node, for the class of the instances.
        properties: per node, of which each instance gets its influencer node's row.

    Shapes:
        follower, influencer (N, D), batch (N,), ptr (B+1,), class_logits (N, C),
        properties (N, ...).

    Raises:
        InputError: shapes do not fit, or a setting is out of range.
    """
    ptr = _check(follower, influencer, batch, ptr, radius, suppression_radius, min_share)
    for name, value in (("class_logits", class_logits), *(properties or {}).items()):
        if value is not None and value.shape[:1] != follower.shape[:1]:
            raise InputError(
                f"{name} has shape {tuple(value.shape)}; expected one row for each of the "
                f"{follower.shape[0]} nodes"
            )
    if class_logits is not None and class_logits.dim() != 2:
        raise InputError(f"class_logits has shape {tuple(class_logits.shape)}; expected (N, C)")
    if follower.dtype not in (torch.float32, torch.float64):
        follower = follower.float()
    influencer = influencer.to(follower.dtype)
    if suppression_radius is None:
        suppression_radius = radius

    followers = ops.radius_count(follower, influencer, radius, ptr=ptr, query_ptr=ptr)  # (N,)
    kept = (followers >= max(min_followers, 1)).nonzero()[:, 0]
    score = followers[kept].to(follower.dtype)
    first = ops.suppress(influencer[kept], score, suppression_radius, ptr=_sub_ptr(kept, ptr))
    kept = kept[first]
    row, near = _assign(follower, influencer, kept, radius, ptr)
    size = _sizes(row, kept.shape[0])
    enough = size >= max(min_size, 1)
    # only who has lost that many to anybody can have lost them to a more followed one
    doubtful = (enough & (size < min_share * followers[kept])).nonzero()[:, 0]
    if doubtful.shape[0]:
        lost = _lost(follower, influencer, kept, doubtful, followers, row, radius, ptr)
        enough[doubtful] = lost <= (1.0 - min_share) * followers[kept[doubtful]]
    if not bool(enough.all()):
        kept = kept[enough]
        row, near = _assign(follower, influencer, kept, radius, ptr)
        size = _sizes(row, kept.shape[0])

    count = kept.shape[0]
    member = (row >= 0).nonzero()[:, 0]
    owner, close = row[member], (1.0 - near[member] / radius**2).clamp(0.0, 1.0)
    summed = ops.segment_sum(close, owner, count)
    confidence = (summed / followers[kept].to(summed.dtype)).clamp(0.0, 1.0)
    label = None
    if class_logits is not None:
        # + tiny: a member exactly at the radius still counts where it is the only one
        weight = (close + torch.finfo(close.dtype).tiny)[:, None]
        logits = class_logits[member].to(close.dtype)
        label = ops.segment_sum(weight * logits, owner, count).argmax(1)
    graph = torch.bucketize(kept, ptr[1:], right=True)  # (K,)
    base = torch.searchsorted(graph, graph)  # first row of the graph of each row
    local = torch.full_like(row, -1)
    local[member] = owner - base[owner]
    return Instances(
        instance=local,
        ptr=ptr,
        influencer=kept,
        score=confidence,
        size=size,
        batch=graph,
        label=label,
        properties={name: value[kept] for name, value in (properties or {}).items()},
    )


def _assign(
    follower: Tensor, influencer: Tensor, kept: Tensor, radius: float, ptr: Tensor
) -> tuple[Tensor, Tensor]:
    """Row of the nearest kept influencer within the radius, else -1, and its squared distance."""
    points = influencer[kept]
    index, square = ops.knn(points, follower, k=1, ptr=_sub_ptr(kept, ptr), query_ptr=ptr)
    row, near = index[:, 0], square[:, 0]
    limit = torch.tensor(radius, dtype=near.dtype, device=near.device)  # as radius_count compares
    return torch.where(near <= limit * limit, row, torch.full_like(row, -1)), near


def _lost(
    follower: Tensor,
    influencer: Tensor,
    kept: Tensor,
    rows: Tensor,
    followers: Tensor,
    owner: Tensor,
    radius: float,
    ptr: Tensor,
) -> Tensor:
    """Followers of each of the given rows of ``kept`` that joined a more followed instance.

    Ties as in the suppression: of equally followed ones the first counts as more followed.

    Shapes:
        kept (K,), rows (R,), followers (N,), owner (N,) row of each node's instance -> (R,).
    """
    asked = kept[rows]
    start, node = ops.radius(
        follower, influencer[asked], radius, ptr=ptr, query_ptr=_sub_ptr(asked, ptr)
    )
    place = torch.arange(rows.shape[0], device=rows.device)
    query = torch.repeat_interleave(place, start.diff(), output_size=node.shape[0])
    rival, own = owner[node], rows[query]
    theirs, ours = followers[kept[rival]], followers[kept[own]]
    stronger = (theirs > ours) | ((theirs == ours) & (rival < own))
    return torch.bincount(query[stronger & (rival >= 0)], minlength=rows.shape[0])


def _sizes(row: Tensor, count: int) -> Tensor:
    return torch.bincount(row[row >= 0], minlength=count)


def _sub_ptr(kept: Tensor, ptr: Tensor) -> Tensor:
    """ptr (B+1,) of the ascending node subset ``kept`` (K,)."""
    return torch.searchsorted(kept, ptr)


def _check(
    follower: Tensor,
    influencer: Tensor,
    batch: Tensor | None,
    ptr: Tensor | None,
    radius: float,
    suppression_radius: float | None,
    min_share: float,
) -> Tensor:
    """Validate what every step relies on and return the ptr (B+1,)."""
    if follower.shape != influencer.shape or follower.dim() != 2:
        raise InputError(
            f"follower {tuple(follower.shape)} and influencer {tuple(influencer.shape)} "
            "must both be (N, D)"
        )
    if not radius > 0:
        raise InputError(f"radius is {radius}; it must be positive")
    if suppression_radius is not None and not suppression_radius >= 0:
        raise InputError(f"suppression_radius is {suppression_radius}; it must not be negative")
    if not 0.0 <= min_share <= 1.0:
        raise InputError(f"min_share is {min_share}; it must be between 0 and 1")
    return ops.resolve_ptr(batch, ptr, follower.shape[0], follower.device)
