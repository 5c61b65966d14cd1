"""Sigmoid masks under entropic optimal transport: the matching of `hungarian`, made soft."""

from __future__ import annotations

from torch import Tensor

from geoinfluencer.losses.mask_costs import mask_costs
from geoinfluencer.losses.mask_loss import MaskLoss, check_factors, check_positive
from geoinfluencer.losses.object_terms import claimed_share, class_term, object_term
from geoinfluencer.losses.query_targets import QueryTargets
from geoinfluencer.losses.transport import Scale, check_scale, sinkhorn_plan


class SinkhornLoss(MaskLoss):
    r"""The costs of :class:`~geoinfluencer.losses.HungarianLoss` under a soft assignment: entropic
    optimal transport (`Cuturi, NeurIPS 2013 <https://arxiv.org/abs/1306.0895>`_; for detection
    `"OTA" (Ge et al., CVPR 2021) <https://arxiv.org/abs/2103.14259>`_ and `"Unbalanced Optimal
    Transport" (De Plaen et al., CVPR 2023) <https://arxiv.org/abs/2307.02402>`_), with the
    unmatched queries on copies of one "no object".

    With the plan P of :func:`~geoinfluencer.losses.transport.sinkhorn_plan` on the weighted costs,
    held fixed (which is the gradient of the transport's own optimum with respect to the costs):

    .. math::
        L_\text{mask} = \operatorname{mean}_k \sum_m P_{km} \mathrm{bce}_{km}, \quad
        L_\text{dice} = \operatorname{mean}_k \sum_m P_{km} \mathrm{dice}_{km}, \quad
        L_\text{classification} = \operatorname{mean}_k \sum_m P_{km} (-\ln p_m[c_k])

    per graph, then mean over graphs; the existence of query m is taught :math:`\sum_k P_{km}`
    (:func:`~geoinfluencer.losses.object_terms.object_term`). The decode is that of the Hungarian
    loss, ``condense_queries(..., activation="sigmoid")``.

    Args:
        mask_weight, dice_weight, classification_weight (float): factors of the terms, and of the
            costs. (default: 5, 5, 2)
        quality_weight (float): factor of the existence term. (default: 2)
        no_object_weight (float): weight in it of what no instance claims. (default: 0.1)
        tau (float): temperature relative to the mean, or spread, of a graph's costs.
            (default: 0.05)
        iterations (int): scalings of both sides. (default: 20)
        relative_to (str): ``"mean"`` or ``"spread"``. The mean is the usual one, with ``tau`` of
            about 0.2, for costs that are distances. Costs of sigmoid masks are all nearly equal
            at the start, far from 0, and 0.2 of their mean makes the plan uniform.
            (default: ``"spread"``)
        max_nodes (int, optional): nodes to draw from a graph that has more, see
            :func:`~geoinfluencer.losses.node_sampling.sample_nodes`. (default: all)
        check_finite (bool): look for NaN and infinity in the inputs and in the costs.
            (default: :obj:`True`)

    Shapes:
        - inputs as :class:`~geoinfluencer.losses.mask_loss.MaskLoss` has them
        - **output**: :class:`LossTerms` ``mask``, ``dice``, ``classification``, ``quality``

    Raises:
        InputError: shapes or types do not fit, a tensor or a cost is not finite (named).
    """

    def __init__(
        self,
        *,
        mask_weight: float = 5.0,
        dice_weight: float = 5.0,
        classification_weight: float = 2.0,
        quality_weight: float = 2.0,
        no_object_weight: float = 0.1,
        tau: float = 0.05,
        iterations: int = 20,
        relative_to: Scale = "spread",
        max_nodes: int | None = None,
        check_finite: bool = True,
    ) -> None:
        factors = {
            "mask": mask_weight,
            "dice": dice_weight,
            "classification": classification_weight,
            "quality": quality_weight,
        }
        check_factors(no_object_weight=no_object_weight)
        check_positive(tau=tau, iterations=iterations)
        super().__init__(weights=factors, max_nodes=max_nodes, check_finite=check_finite)
        check_scale(relative_to)
        self.cost_weights = (mask_weight, dice_weight, classification_weight)
        self.no_object_weight = no_object_weight
        self.tau = tau
        self.iterations = iterations
        self.relative_to: Scale = relative_to

    def terms(self, targets: QueryTargets) -> dict[str, Tensor]:
        """The four terms; meaning as the class says."""
        costs = mask_costs(targets, check_finite=self.check_finite)
        plan = sinkhorn_plan(
            costs.pairs(*self.cost_weights).detach(),
            targets.row_ptr,
            targets.query_ptr.diff(),
            tau=self.tau,
            iterations=self.iterations,
            relative_to=self.relative_to,
        )
        # rounding may leave a query claimed by a little more than itself
        claimed = claimed_share(targets, plan).clamp(max=1)
        return {
            "mask": targets.mean_over_instances((plan * costs.bce).sum(1)),
            "dice": targets.mean_over_instances((plan * costs.dice).sum(1)),
            "classification": class_term(targets, plan),
            "quality": object_term(targets, claimed, self.no_object_weight),
        }

    def extra_repr(self) -> str:
        return f"tau={self.tau}, iterations={self.iterations}, relative_to={self.relative_to!r}"
