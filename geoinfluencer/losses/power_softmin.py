"""Power-SoftMin (PM3): soft minima of the cost over queries and over instances, to a power."""

from __future__ import annotations

import torch
from torch import Tensor

from geoinfluencer import ops
from geoinfluencer.losses.exclusive_sums import exclusive_sums
from geoinfluencer.losses.exclusive_terms import exclusive_terms, mean_cost, relative_cost
from geoinfluencer.losses.mask_loss import MaskLoss, check_positive
from geoinfluencer.losses.query_targets import QueryTargets


def soft_minima(
    cost: Tensor, temperature: Tensor, targets: QueryTargets
) -> tuple[Tensor, Tensor, Tensor]:
    """Soft minimum of each row over the queries, of each query over the rows; the rows' weights.

    Args:
        cost: C, 0 in columns that are no query.
        temperature: T of each graph, positive, no gradient.
        targets: which graph the rows belong to, and its queries.

    Shapes:
        cost (K, M), temperature (B,) -> (K,), (Q,), (K, M).
    """
    scaled = -cost / temperature[targets.row_graph, None]
    valid = targets.exists[targets.row_graph]
    some = valid.any(1, keepdim=True)  # a graph without queries has rows of -inf alone
    closeness = torch.where(valid | ~some, scaled, -torch.inf)
    of_row = torch.where(some, closeness.softmax(1), 0)
    of_query = ops.segment_softmax(scaled, targets.row_graph, targets.num_graphs)
    precision = ops.segment_sum(of_query * cost, targets.row_graph, targets.num_graphs)
    precision = precision[targets.query_graph, targets.query_column]
    return (of_row * cost).sum(1), precision, of_row.detach()


class PowerSoftMinLoss(MaskLoss):
    r"""Power-SoftMin, PM3 at p = 3, after `InfluencerFormer (Murnane)
    <https://github.com/murnanedaniel/InfluencerFormer>`_: one independent softmin each way, which
    is one iteration of Sinkhorn without its coupling.

    The cost is the cross entropy of exclusive masks, :math:`C_{km} = -\ln g_k[m] / \ln(M + 1)` with
    :math:`\ln g_k[m] = \operatorname{mean}_{i \in k} \ln p_i[m]` as in
    :class:`~geoinfluencer.losses.MaskInfluencerLoss`. With the soft minimum
    :math:`\mathrm{sm}_j C_j = \sum_j \operatorname{softmax}_j(-C_j / T) \, C_j`:

    .. math::
        L_\text{coverage} = \operatorname{mean}_k \left(\mathrm{sm}_m C_{km}\right)^p, \qquad
        L_\text{precision} = \operatorname{mean}_m \left(\mathrm{sm}_k C_{km}\right)^p

    per graph, then mean over graphs, with :math:`T = \tau \operatorname{mean}(C)`. The soft minimum
    is not monotone: entries above it by more than T are pushed away. Every instance chooses for
    itself, so nothing but the other side's pull keeps two from choosing one query.

    Background, classes and quality as in the other losses on exclusive masks
    (:func:`~geoinfluencer.losses.exclusive_terms.exclusive_terms`), by the coverage's weights. The
    source's costs are distances of boxes; on sigmoid masks (cross entropy and dice), whose costs
    are nearly equal at the start, it recovers next to nothing from free logits.

    Args:
        power (float): p. (default: 3.0)
        tau (float): temperature relative to the mean cost of a graph. (default: 0.1)
        coverage_weight, precision_weight, background_weight, classification_weight,
            quality_weight (float): factors of the terms. (default: 1.0 each)
        max_nodes (int, optional): nodes to draw from a graph that has more, see
            :func:`~geoinfluencer.losses.node_sampling.sample_nodes`. (default: all)
        check_finite (bool): look for NaN and infinity. (default: :obj:`True`)

    Shapes:
        - inputs as :class:`~geoinfluencer.losses.mask_loss.MaskLoss` has them
        - **output**: :class:`LossTerms` ``coverage``, ``precision``, ``background``,
          ``classification``, ``quality``

    Raises:
        InputError: shapes or types do not fit, or a tensor is not finite (named).
    """

    def __init__(
        self,
        *,
        power: float = 3.0,
        tau: float = 0.1,
        coverage_weight: float = 1.0,
        precision_weight: float = 1.0,
        background_weight: float = 1.0,
        classification_weight: float = 1.0,
        quality_weight: float = 1.0,
        max_nodes: int | None = None,
        check_finite: bool = True,
    ) -> None:
        factors = {
            "coverage": coverage_weight,
            "precision": precision_weight,
            "background": background_weight,
            "classification": classification_weight,
            "quality": quality_weight,
        }
        check_positive(power=power, tau=tau)
        super().__init__(weights=factors, max_nodes=max_nodes, check_finite=check_finite)
        self.power = power
        self.tau = tau

    def terms(self, targets: QueryTargets) -> dict[str, Tensor]:
        """The five terms; meaning as the class says."""
        sums = exclusive_sums(targets, with_claims=False)
        cost = relative_cost(sums.log_profile, targets)
        floor = torch.finfo(cost.dtype).eps
        temperature = (self.tau * mean_cost(cost, targets)).clamp(min=floor)
        coverage, precision, share = soft_minima(cost, temperature, targets)
        return {
            "coverage": targets.mean_over_instances(coverage**self.power),
            "precision": targets.mean_over_queries(precision**self.power),
            **exclusive_terms(targets, sums, share),
        }

    def extra_repr(self) -> str:
        return f"power={self.power}, tau={self.tau}"
