"""The discriminative loss: pull to the mean of the instance, push the means apart."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from geoinfluencer import ops
from geoinfluencer.errors import InputError
from geoinfluencer.losses.inputs import Nodes, prepare_nodes
from geoinfluencer.losses.segments import instance_segments
from geoinfluencer.losses.terms import LossTerms


def discriminative_terms(
    nodes: Nodes, *, pull_margin: float, push_margin: float
) -> dict[str, Tensor]:
    """The three terms of :class:`DiscriminativeLoss`, mean over graphs, as a pure function.

    Args:
        nodes: of a tensor named ``x``.
        pull_margin, push_margin: as in the class.

    Shapes:
        three scalars.
    """
    x = nodes.embeddings["x"]
    graphs = nodes.ptr.shape[0] - 1
    segments = instance_segments(nodes.instance, nodes.ptr)
    slots, row = segments.compact()  # (K,), (N,)
    count = slots.shape[0]
    graph = segments.slot_graph[slots]  # (K,)
    member = (row >= 0).nonzero()[:, 0]
    owner, weight = row[member], nodes.weight[member]
    mass = ops.segment_sum(weight, owner, count)
    share = weight / torch.where(mass > 0, mass, torch.ones_like(mass))[owner]
    anchor = x.detach()[segments.first[slots]]  # (K, D): keeps the digits under a large offset
    near = x[member] - anchor[owner]
    offset = ops.segment_sum(share[:, None] * near, owner, count)
    centre = anchor + offset  # (K, D)
    alive = (mass > 0).to(x.dtype)
    instances = ops.segment_sum(alive, graph, graphs)  # (B,)
    per_graph = alive / instances.clamp(min=1)[graph]

    # vector_norm has gradient 0, not NaN, at a distance of 0
    distance = torch.linalg.vector_norm(near - ops.segment_gather(offset, owner), dim=-1)
    pull = share * (distance - pull_margin).clamp(min=0).square()
    pull = ops.segment_sum(pull, owner, count) * per_graph

    starts = torch.arange(graphs + 1, device=x.device)
    energy, _ = ops.influence_potential(
        centre,
        radius=2.0 * push_margin,
        power=2,
        x_ptr=torch.searchsorted(graph, starts),
        x_weight=alive,
    )
    pairs = 0.5 * instances * (instances - 1)  # unordered, as the op's
    push = energy / pairs.clamp(min=1)
    norm = torch.linalg.vector_norm(centre, dim=-1) * per_graph
    total = {"attraction": pull, "repulsion": push, "regularization": norm}
    return {name: value.sum() / max(graphs, 1) for name, value in total.items()}


class DiscriminativeLoss(nn.Module):
    r"""Discriminative loss after `"Semantic Instance Segmentation with a Discriminative Loss
    Function" (De Brabandere, Neven, Van Gool, 2017) <https://arxiv.org/abs/1708.02551>`_.

    With the means :math:`\mu_k` of the K instances of a graph:

    .. math::
        L_\text{attraction} &= \operatorname{mean}_k \operatorname{mean}_{i \in k}
            \max(0, |\mu_k - x_i| - \delta_v)^2 \\
        L_\text{repulsion} &= \frac{1}{K (K - 1)} \sum_{a \ne b}
            \max(0, 2 \delta_d - |\mu_a - \mu_b|)^2 \\
        L_\text{regularization} &= \operatorname{mean}_k |\mu_k|

    per graph, then mean over graphs. Background takes part in nothing; a graph with one instance
    has no repulsion, and keeps its other terms.

    Args:
        pull_margin (float): delta_v. (default: 0.5)
        push_margin (float): delta_d, half the distance wanted between means. (default: 1.5)
        attraction_weight, repulsion_weight (float): (default: 1.0 each)
        regularization_weight (float): (default: 0.001)
        check_finite (bool): look for NaN and infinity. (default: :obj:`True`)

    Shapes:
        - **x**: (N, D); **instance**: (N,) integer, -1 = background
        - **batch** (N,) ascending or **ptr** (B+1,), **node_weight** (N,), **ignore** (N,) bool
        - **output**: :class:`LossTerms` ``attraction``, ``repulsion``, ``regularization``

    Raises:
        InputError: shapes or types do not fit, or x is not finite.
    """

    def __init__(
        self,
        *,
        pull_margin: float = 0.5,
        push_margin: float = 1.5,
        attraction_weight: float = 1.0,
        repulsion_weight: float = 1.0,
        regularization_weight: float = 0.001,
        check_finite: bool = True,
    ) -> None:
        super().__init__()
        if not (pull_margin >= 0 and push_margin > 0):
            raise InputError(f"margins are {pull_margin} and {push_margin}; they must be positive")
        self.pull_margin = pull_margin
        self.push_margin = push_margin
        self.weights = {
            "attraction": attraction_weight,
            "repulsion": repulsion_weight,
            "regularization": regularization_weight,
        }
        self.check_finite = check_finite

    def forward(
        self,
        x: Tensor,
        instance: Tensor,
        batch: Tensor | None = None,
        *,
        ptr: Tensor | None = None,
        node_weight: Tensor | None = None,
        ignore: Tensor | None = None,
    ) -> LossTerms:
        """The three terms; shapes and meaning as the class says."""
        if x.dim() != 2:
            raise InputError(f"x {tuple(x.shape)} must be (N, D)")
        nodes = prepare_nodes(
            {"x": x},
            instance,
            batch,
            ptr=ptr,
            node_weight=node_weight,
            ignore=ignore,
            check_finite=self.check_finite,
        )
        terms = discriminative_terms(
            nodes, pull_margin=self.pull_margin, push_margin=self.push_margin
        )
        return LossTerms(terms, self.weights)

    def extra_repr(self) -> str:
        return f"margins=({self.pull_margin}, {self.push_margin})"
