"""The powered product: geometric means of the cost over queries and over instances, to a power."""

from __future__ import annotations

import torch
from torch import Tensor

from geoinfluencer import ops
from geoinfluencer.losses.exclusive_sums import exclusive_dice, exclusive_sums
from geoinfluencer.losses.exclusive_terms import exclusive_terms
from geoinfluencer.losses.mask_loss import MaskLoss, check_positive
from geoinfluencer.losses.query_targets import QueryTargets


def log_geometric_means(
    cost: Tensor, targets: QueryTargets, *, floor: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Mean logarithm of each row over the queries, of each query over the rows; pulls of the rows.

    Args:
        cost: C >= 0.
        targets: which graph the rows belong to, and its queries.
        floor: added to each cost.

    Shapes:
        cost (K, M) -> (K,), (Q,), shares (K, M) of the queries in the gradient of each row.
    """
    valid = targets.exists[targets.row_graph]
    log_cost = torch.where(valid, (cost + floor).log(), 0)
    of_query = ops.segment_mean(log_cost, targets.row_graph, targets.num_graphs)
    of_query = of_query[targets.query_graph, targets.query_column]
    pull = torch.where(valid, 1 / (cost.detach() + floor), 0)
    pull = pull / torch.where(valid.any(1), pull.sum(1), 1)[:, None]
    return log_cost.sum(1) / valid.sum(1).clamp(min=1), of_query, pull


class GMProductLoss(MaskLoss):
    r"""The powered product GM^p after `InfluencerFormer (Murnane)
    <https://github.com/murnanedaniel/InfluencerFormer>`_: ONE good query pulls the geometric mean
    of an instance's costs down, in a single pass without weights.

    The cost C is the dice of the exclusive masks :math:`p_i = \operatorname{softmax}(x_{i1}, \dots,
    x_{iM}, 0)`, see :func:`~geoinfluencer.losses.exclusive_sums.exclusive_dice`:

    .. math::
        L_\text{coverage} = \operatorname{mean}_k \exp\left(\frac{p}{M} \sum_m \ln C_{km}\right),
        \qquad
        L_\text{precision} = \operatorname{mean}_m \exp\left(\frac{p}{K} \sum_k \ln C_{km}\right)

    per graph, then mean over graphs. The gradient of an instance's term is :math:`p \, GM^p / (M
    C_{km})`: the power weighs the instances that nothing covers yet, but among the queries the
    pull is uniform while their costs are, and thins as 1 / M. The cost must be bounded: with a
    cross entropy the mean also falls, or rises, by what the other queries cost, and free logits
    recover nothing; nor do they with sigmoid masks, which have no void to fill.

    Background, classes and quality as in the other losses on exclusive masks
    (:func:`~geoinfluencer.losses.exclusive_terms.exclusive_terms`), in proportion to :math:`1 /
    C_{km}`, the shares of that gradient. The source pads the instances with copies of "no object"
    to the number of queries; here void takes what no query should.

    Args:
        power (float): p. (default: 3.0)
        floor (float): added to C. (default: 1e-6)
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
        floor: float = 1e-6,
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
        check_positive(power=power, floor=floor)
        super().__init__(weights=factors, max_nodes=max_nodes, check_finite=check_finite)
        self.power = power
        self.floor = floor

    def terms(self, targets: QueryTargets) -> dict[str, Tensor]:
        """The five terms; meaning as the class says."""
        sums = exclusive_sums(targets, with_claims=True)
        cost = exclusive_dice(targets, sums)
        of_row, of_query, share = log_geometric_means(cost, targets, floor=self.floor)
        some = (targets.row_ptr.diff() > 0)[targets.query_graph]
        precision = torch.where(some, (self.power * of_query).exp(), 0)
        return {
            "coverage": targets.mean_over_instances((self.power * of_row).exp()),
            "precision": targets.mean_over_queries(precision),
            **exclusive_terms(targets, sums, share),
        }

    def extra_repr(self) -> str:
        return f"power={self.power}, floor={self.floor}"
