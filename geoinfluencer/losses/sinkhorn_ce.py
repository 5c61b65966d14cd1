"""Sinkhorn's plan on the profiles of exclusive masks: as `hungarian-ce`, but transported."""

from __future__ import annotations

import torch
from torch import Tensor

from geoinfluencer.losses.exclusive_sums import exclusive_sums
from geoinfluencer.losses.exclusive_terms import OVERLAP_WEIGHT, exclusive_terms, overlap_factor
from geoinfluencer.losses.mask_loss import MaskLoss, check_positive
from geoinfluencer.losses.query_targets import QueryTargets
from geoinfluencer.losses.transport import Scale, check_scale, sinkhorn_plan


class SinkhornCELoss(MaskLoss):
    r"""Entropic optimal transport (`Cuturi, NeurIPS 2013 <https://arxiv.org/abs/1306.0895>`_) on
    the cross entropy of exclusive masks, at ONE temperature and with copies of "no object".

    The costs are those of :class:`~geoinfluencer.losses.HungarianCELoss`, :math:`C_{km} = -\ln
    g_k[m]`, the plan P is :func:`~geoinfluencer.losses.transport.sinkhorn_plan`, held fixed:

    .. math:: L_\text{attraction} = \operatorname{mean}_k \sum_m P_{km} C_{km}

    per graph, then mean over graphs; overlap, background, classes and quality as
    :func:`~geoinfluencer.losses.exclusive_terms.exclusive_terms` has them. It differs from
    :class:`~geoinfluencer.losses.MaskInfluencerLoss` in the dustbin, and in that T does not fall
    during the iterations.

    Args:
        attraction_weight, background_weight, classification_weight, quality_weight (float):
            factors of the terms. (default: 1.0 each)
        overlap_weight (float): that of the overlap. (default: 3.0)
        tau (float): temperature relative to the spread, or mean, of a graph's costs.
            (default: 0.05)
        iterations (int): scalings of both sides. (default: 20)
        relative_to (str): ``"mean"`` or ``"spread"``. (default: ``"spread"``)
        max_nodes (int, optional): nodes to draw from a graph that has more, see
            :func:`~geoinfluencer.losses.node_sampling.sample_nodes`. (default: all)
        check_finite (bool): look for NaN and infinity. (default: :obj:`True`)

    Shapes:
        - inputs as :class:`~geoinfluencer.losses.mask_loss.MaskLoss` has them
        - **output**: :class:`LossTerms` ``attraction``, ``overlap`` (unless its factor is 0),
          ``background``, ``classification``, ``quality``

    Raises:
        InputError: shapes or types do not fit, or a tensor is not finite (named).
    """

    def __init__(
        self,
        *,
        attraction_weight: float = 1.0,
        overlap_weight: float = OVERLAP_WEIGHT,
        background_weight: float = 1.0,
        classification_weight: float = 1.0,
        quality_weight: float = 1.0,
        tau: float = 0.05,
        iterations: int = 20,
        relative_to: Scale = "spread",
        max_nodes: int | None = None,
        check_finite: bool = True,
    ) -> None:
        factors = {
            "attraction": attraction_weight,
            **overlap_factor(overlap_weight),
            "background": background_weight,
            "classification": classification_weight,
            "quality": quality_weight,
        }
        check_positive(tau=tau, iterations=iterations)
        check_scale(relative_to)
        super().__init__(weights=factors, max_nodes=max_nodes, check_finite=check_finite)
        self.tau = tau
        self.iterations = iterations
        self.relative_to: Scale = relative_to

    def terms(self, targets: QueryTargets) -> dict[str, Tensor]:
        """The terms; meaning as the class says."""
        with_overlap = "overlap" in self.weights
        sums = exclusive_sums(targets, with_claims=with_overlap)
        valid = targets.exists[targets.row_graph]
        cost = torch.where(valid, -sums.log_profile, 0)
        plan = sinkhorn_plan(
            cost.detach(),
            targets.row_ptr,
            targets.query_ptr.diff(),
            tau=self.tau,
            iterations=self.iterations,
            relative_to=self.relative_to,
        )
        return {
            "attraction": targets.mean_over_instances((plan * cost).sum(1)),
            **exclusive_terms(targets, sums, plan, with_overlap=with_overlap),
        }

    def extra_repr(self) -> str:
        return f"tau={self.tau}, iterations={self.iterations}, relative_to={self.relative_to!r}"
