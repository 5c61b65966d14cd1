"""What a node's influence score learns: does its influencer stand where its instance gathers."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from geoinfluencer import ops
from geoinfluencer.errors import InputError
from geoinfluencer.losses.graph_means import mean_of_graphs
from geoinfluencer.losses.inputs import prepare_nodes
from geoinfluencer.losses.segments import instance_segments
from geoinfluencer.losses.terms import LossTerms


@torch.no_grad()
def influence_target(
    follower: Tensor, influencer: Tensor, instance: Tensor, ptr: Tensor, *, margin: float = 1.0
) -> Tensor:
    r"""How near a node's influencer is to the mean follower of its instance, in (0, 1].

    .. math:: t_i = \exp \left( - \frac{|h_i - \bar f_{k(i)}|^2}{2 (m / 2)^2} \right),
              \qquad 0 \text{ for background}

    Args:
        follower, influencer: f and h.
        instance: id of each node, negative = background.
        ptr: first node of each graph, and N.
        margin: m of the embedding loss, in units of the embedding.

    Shapes:
        follower, influencer (N, D), instance (N,), ptr (B+1,) -> (N,) without gradient.
    """
    segments = instance_segments(instance, ptr)
    centre = ops.segment_mean(follower.detach(), segments.by_slot)
    square = (influencer.detach() - ops.segment_gather(centre, segments.by_slot)).square().sum(1)
    near = torch.exp(-2.0 * square / margin**2)
    return torch.where(instance >= 0, near, torch.zeros_like(near))


class InfluenceLoss(nn.Module):
    r"""Binary cross-entropy of the influence score, as the seed map of `"Instance Segmentation by
    Jointly Optimizing Spatial Embeddings and Clustering Bandwidth" (Neven et al., CVPR 2019)
    <https://arxiv.org/abs/1906.11109>`_.

    .. math:: L = \operatorname{mean}_i \; \mathrm{BCE}(\sigma(s_i), t_i) - H(t_i)

    per graph, then mean over graphs, with t of :func:`influence_target`. The entropy H of the soft
    targets is taken off, so that 0 is reached; it has no gradient. Only the score learns: the
    embeddings are not moved.

    Args:
        margin (float): m of the embedding loss, in units of the embedding. (default: 1.0)
        weight (float): of the term in the total. (default: 1.0)
        check_finite (bool): look for NaN and infinity. (default: :obj:`True`)

    Shapes:
        - **influence**: (N,) logits; **follower**, **influencer**: (N, D)
        - **instance**: (N,) integer, negative = background
        - **batch** (N,) ascending or **ptr** (B+1,), **node_weight** (N,), **ignore** (N,) bool
        - **output**: :class:`LossTerms` ``influence``

    Raises:
        InputError: shapes or types do not fit, values are not finite, or a margin of 0.
    """

    def __init__(
        self, *, margin: float = 1.0, weight: float = 1.0, check_finite: bool = True
    ) -> None:
        super().__init__()
        if not margin > 0:
            raise InputError(f"margin is {margin}; it must be positive")
        self.margin = margin
        self.weight = weight
        self.check_finite = check_finite

    def forward(
        self,
        influence: Tensor,
        follower: Tensor,
        influencer: Tensor,
        instance: Tensor,
        batch: Tensor | None = None,
        *,
        ptr: Tensor | None = None,
        node_weight: Tensor | None = None,
        ignore: Tensor | None = None,
    ) -> LossTerms:
        """The term; shapes and meaning as the class says."""
        if influence.dim() != 1:
            raise InputError(f"influence has shape {tuple(influence.shape)}; expected (N,)")
        if follower.dim() != 2 or follower.shape != influencer.shape:
            raise InputError(
                f"follower {tuple(follower.shape)} and influencer {tuple(influencer.shape)} "
                "must both be (N, D)"
            )
        tensors = {"influence": influence, "follower": follower, "influencer": influencer}
        nodes = prepare_nodes(
            tensors,
            instance,
            batch,
            ptr=ptr,
            node_weight=node_weight,
            ignore=ignore,
            check_finite=self.check_finite,
        )
        given = nodes.embeddings
        target = influence_target(
            given["follower"], given["influencer"], nodes.instance, nodes.ptr, margin=self.margin
        ).to(given["influence"].dtype)
        excess = binary_cross_entropy_with_logits(given["influence"], target, reduction="none")
        excess = excess - _entropy(target)
        return LossTerms(
            {"influence": mean_of_graphs(excess, nodes.weight, nodes.ptr)},
            {"influence": self.weight},
        )

    def extra_repr(self) -> str:
        return f"margin={self.margin}"


def _entropy(p: Tensor) -> Tensor:
    """Of a coin with probability p, in nats."""
    return -(torch.xlogy(p, p) + torch.xlogy(1 - p, 1 - p))
