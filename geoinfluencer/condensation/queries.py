"""Query logits -> instances, each node in at most one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

import torch
from torch import Tensor

from geoinfluencer import ops
from geoinfluencer.condensation.instances import Instances
from geoinfluencer.condensation.logit_pieces import (
    Activation,
    check_activation,
    check_queries,
)
from geoinfluencer.condensation.query_claims import claim_nodes
from geoinfluencer.errors import InputError

_MIN_SHARE = {"softmax": 0.0, "sigmoid": 0.5}


@torch.no_grad()
def condense_queries(
    logits: Tensor | Iterable[Tensor],
    query_ptr: Tensor,
    ptr: Tensor,
    *,
    activation: Activation = "softmax",
    quality_logits: Tensor | None = None,
    class_logits: Tensor | None = None,
    query_node: Tensor | None = None,
    min_size: int = 1,
    min_score: float = 0.0,
    min_quality: float = 0.0,
    min_iou: float = 0.0,
    min_share: float | None = None,
) -> Instances:
    r"""Instances from query logits x with an implicit void of logit 0.

    1. Queries whose quality :math:`s_m` is below ``min_quality`` take no part. :math:`s_m` is
       sigmoid(quality logit) times the probability of the likeliest class, each 1 where not given.
    2. A node joins the query with the largest :math:`x_{im}` ("softmax"), or the largest
       :math:`s_m p_{im}` ("sigmoid", as `Mask2Former (Cheng et al., CVPR 2022)
       <https://arxiv.org/abs/2112.01527>`_ decodes), if :math:`x_{im} > 0`: rather than nothing.
    3. Where the nodes of a query and its mask agree less than ``min_iou``, the query takes no part
       either, and step 2 is done again, once: its nodes may join another. How far they agree is

       .. math:: a_m = \frac{\sum_{i \to m} p_{im}}{|\{i \to m\}| + \sum_{i \not\to m} p_{im}}

       the IoU that the probabilities p themselves expect. It needs no learning, and tells what is
       an instance from what is a guess better than a quality learnt in a short training.
    4. Dissolved, its nodes noise, is a query with fewer than ``min_size`` nodes, one that keeps
       less than ``min_share`` of the nodes i with :math:`x_{im} > 0` to itself (others have the
       rest: a duplicate, or what lies under several), and one with a score below ``min_score``.

    :math:`p_{im}` is :math:`\operatorname{softmax}([x_i, 0])_m` or :math:`\sigma(x_{im})`. The
    score is :math:`s_m` times the mean of p over the nodes. The class is the query's likeliest. The
    node that stands for an instance is the one its query was made from, if that joined it, else the
    one with the largest probability.

    Args:
        logits: one tensor, or blocks of rows in order. For ``min_iou`` they are read twice: a list
            of blocks, say, but no generator.
        query_ptr: first query of each graph, and Q.
        ptr: first node of each graph, and N.
        activation: of the loss that trained the logits.
        quality_logits, class_logits: of the queries.
        query_node: node that each query was made from.
        min_size: nodes.
        min_score, min_quality, min_iou: in [0, 1].
        min_share: in [0, 1]; None: 0 for "softmax", 0.5 for "sigmoid", which without a share kept
            has no other way to be rid of duplicates.

    Shapes:
        logits (N, M), query_ptr and ptr (B+1,), quality_logits and query_node (Q,),
        class_logits (Q, C).

    Raises:
        InputError: shapes that do not fit, or a setting out of range.
    """
    check_activation(activation)
    min_share = _MIN_SHARE[activation] if min_share is None else min_share
    settings = {
        "min_score": min_score,
        "min_quality": min_quality,
        "min_iou": min_iou,
        "min_share": min_share,
    }
    for name, setting in settings.items():
        if not 0.0 <= setting <= 1.0:
            raise InputError(f"{name} is {setting}; it must be between 0 and 1")
    if min_iou > 0 and isinstance(logits, Iterator):
        raise InputError("min_iou reads the logits twice; give a list of blocks, not an iterator")
    queries = int(query_ptr[-1])
    check_queries(queries, quality_logits, class_logits, query_node)
    quality = _quality(queries, quality_logits, class_logits, query_ptr.device)
    able = quality >= min_quality
    claim = partial(claim_nodes, logits, query_ptr, ptr, activation=activation, quality=quality)
    claims = claim(able=able, with_mass=min_iou > 0)
    if min_iou > 0:
        agreeing = claims.agreement() >= min_iou
        if not agreeing[able].all():
            claims = claim(able=able & agreeing, with_mass=False)
    joined, probability = claims.joined, claims.probability
    size, total = claims.sizes()
    score = quality * (total / size.clamp(min=1)).to(quality.dtype)
    keep = (size >= max(min_size, 1)) & (score >= min_score) & (size >= min_share * claims.positive)
    member = (joined >= 0).nonzero()[:, 0]
    joined[member[~keep[joined[member]]]] = -1
    return _instances(joined, probability, keep, score, size, ptr, class_logits, query_node)


def _instances(
    joined: Tensor,
    probability: Tensor,
    keep: Tensor,
    score: Tensor,
    size: Tensor,
    ptr: Tensor,
    class_logits: Tensor | None,
    query_node: Tensor | None,
) -> Instances:
    """Kept queries in the order of the nodes that stand for them."""
    queries = keep.shape[0]
    member = (joined >= 0).nonzero()[:, 0]
    owner = joined[member]
    best = ops.segment_max(probability[member], owner, queries)
    is_best = probability[member] == best[owner]
    stands = torch.full_like(size, joined.shape[0])
    stands = stands.scatter_reduce(0, owner[is_best], member[is_best], "amin")
    if query_node is not None and queries:
        at_home = keep & (joined[query_node] == torch.arange(queries, device=joined.device))
        stands = torch.where(at_home, query_node, stands)
    kept = keep.nonzero()[:, 0]
    kept = kept[torch.argsort(stands[kept])]
    row = torch.full_like(size, -1)
    row[kept] = torch.arange(kept.shape[0], device=row.device)
    influencer = stands[kept]
    graph = torch.bucketize(influencer, ptr[1:], right=True)
    base = torch.searchsorted(graph, graph)  # first row of the graph of each row
    local = torch.full_like(joined, -1)
    local[member] = row[owner] - base[row[owner]]
    return Instances(
        instance=local,
        ptr=ptr,
        influencer=influencer,
        score=score[kept].clamp(0.0, 1.0),
        size=size[kept],
        batch=graph,
        label=None if class_logits is None else class_logits[kept].argmax(1),
    )


def _quality(
    queries: int,
    quality_logits: Tensor | None,
    class_logits: Tensor | None,
    device: torch.device,
) -> Tensor:
    quality = torch.ones(queries, device=device)
    if quality_logits is not None:
        quality = quality * quality_logits.float().sigmoid()
    if class_logits is not None:
        quality = quality * class_logits.float().softmax(1).amax(1)
    return quality
