"""Mask Influencer Loss: every instance finds one query of its own, without matching."""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor

from geoinfluencer.errors import InputError
from geoinfluencer.losses.exclusive_sums import exclusive_sums
from geoinfluencer.losses.exclusive_terms import OVERLAP_WEIGHT, exclusive_terms, overlap_factor
from geoinfluencer.losses.instance_coupling import couple_instances
from geoinfluencer.losses.mask_loss import MaskLoss, check_positive
from geoinfluencer.losses.mask_terms import (
    annealed_attraction,
    coupled_attraction,
    instance_mean,
    log_privacy,
)
from geoinfluencer.losses.query_targets import QueryTargets
from geoinfluencer.losses.temperature import Drive, TemperatureSchedule

Coupling = Literal["capacity", "none"]
COUPLINGS: tuple[str, ...] = get_args(Coupling)
TEMPERATURE: dict[str, float] = {"capacity": 0.02, "none": 0.5}


class MaskInfluencerLoss(MaskLoss):
    r"""Influencer Loss on the masks of queries, after the embedding loss of `"Influencer Loss"
    (Murnane, EPJ Web Conf. 295, 09016, 2024) <https://doi.org/10.1051/epjconf/202429509016>`_.

    Every node belongs to one query or to void, :math:`p_i = \operatorname{softmax}(x_{i1}, \dots,
    x_{iM}, 0)`; instance k claims query m as its nodes do in geometric mean:
    :math:`C_{km} = \ln g_k[m] = \operatorname{mean}_{i \in k} \ln p_i[m]`.

    .. math::
        L_\text{attraction} &= \operatorname{mean}_k A_k \\
        L_\text{background} &= \operatorname{mean}_{i \in \text{background}}
            (-\ln p_i[\text{void}]) \\
        L_\text{overlap} &= \operatorname{mean}_k \sum_m w_{km} \Big(1 -
            \frac{2 \sum_{i \in k} p_i[m]}{n_k + \sum_i p_i[m]}\Big)

    per graph, then mean over graphs. The geometric mean minds the worst nodes of an instance, the
    overlap (dice) the instance as a whole. With ``coupling="capacity"``

    .. math:: A_k = -\sum_m w_{km} C_{km}, \qquad
        w = \arg\min_{w \ge 0,\ \sum_m w_{km} = 1,\ \sum_k w_{km} \le 1}
            \langle w, -C \rangle - T H(w)

    no query stands for more than one instance. With ``coupling="none"`` instances are weighed
    one by one, and what others claim counts against a query:

    .. math:: A_k = -T \operatorname{logsumexp}_m \frac{C_{km} + \gamma P_{km}}{T}, \qquad
        P_{km} = \sum_{l \ne k} \ln(1 - q_l[m])

    with q the normalised g, void included. All terms are at least 0, and go to 0 only where every
    instance sits on a query of its own and the background on void (docs/losses.md).

    Args:
        coupling (str): ``"capacity"`` or ``"none"``. (default: ``"capacity"``)
        temperature (float, optional): T of "none"; upper bound of the last T of "capacity", which
            else follows the spread of C. Below 1: at 1 an instance may be spread over private
            queries for nothing. "capacity" wants it far lower: queries made from nodes of one
            instance are nearly alike, and at 0.5 the instance stays shared among them. (default:
            0.02 of "capacity", 0.5 of "none")
        tau, tau_start (float): last and first T of "capacity", relative to the mean distance
            of C from the best of its row. (default: 0.03, 0.3)
        iterations (int): of "capacity", at most, at each T. Few are needed where queries are
            plenty; with hardly more queries than instances 20 leave some claimed twice, and free
            logits then need 10 times the steps. (default: 100)
        privacy (float): gamma of "none". (default: 2.0)
        temperature_start (float, optional): T of "none" at the first step, from which it falls to
            ``temperature``. (default: no schedule)
        temperature_steps (int): length of the schedule, in calls in training mode: with L
            supervised layers of a decoder there are L in a step. (default: 1000)
        temperature_drive (str): ``"steps"`` or ``"loss"``, see
            :class:`~geoinfluencer.losses.temperature.TemperatureSchedule`. (default: "steps")
        attraction_weight, background_weight, classification_weight, quality_weight (float):
            factors of the terms in the total. (default: 1.0 each)
        overlap_weight (float): that of the overlap. (default: 3.0)
        max_nodes (int, optional): nodes of a graph to draw where it has more, some of each
            instance, see :func:`~geoinfluencer.losses.node_sampling.sample_nodes`. (default: all)
        check_finite (bool): look for NaN and infinity. (default: :obj:`True`)

    Shapes:
        - inputs as :class:`~geoinfluencer.losses.mask_loss.MaskLoss` has them
        - **output**: :class:`LossTerms` ``attraction``, ``overlap`` (unless its factor is 0),
          ``background``, ``classification``
          (cross entropy of the coupled queries against the class of most nodes of the instance;
          0 without ``class_logits`` and ``y``), ``quality`` (binary cross entropy against the IoU
          of what a query claims with the instance coupled to it, 0 for a query that none is
          coupled to; 0 without ``quality_logits``)

    Where a graph has fewer queries than instances, "capacity" serves as many instances as it has
    queries, and holds the rest to void.

    Time is O(N M), memory beyond that of the logits and their gradient O(K M + N).

    Raises:
        InputError: shapes or types do not fit, or logits are not finite (named).
    """

    def __init__(
        self,
        *,
        coupling: Coupling = "capacity",
        temperature: float | None = None,
        tau: float = 0.03,
        tau_start: float = 0.3,
        iterations: int = 100,
        privacy: float = 2.0,
        temperature_start: float | None = None,
        temperature_steps: int = 1000,
        temperature_drive: Drive = "steps",
        attraction_weight: float = 1.0,
        overlap_weight: float = OVERLAP_WEIGHT,
        background_weight: float = 1.0,
        classification_weight: float = 1.0,
        quality_weight: float = 1.0,
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
        if coupling not in COUPLINGS:
            raise InputError(f"coupling {coupling!r} is none of {', '.join(COUPLINGS)}")
        temperature = TEMPERATURE[coupling] if temperature is None else temperature
        if iterations < 1:
            raise InputError(f"iterations is {iterations}; it must be at least 1")
        check_positive(tau=tau, tau_start=tau_start, temperature=temperature, privacy=privacy)
        super().__init__(weights=factors, max_nodes=max_nodes, check_finite=check_finite)
        self.coupling: Coupling = coupling
        self.temperature = temperature
        self.tau, self.tau_start, self.iterations = tau, tau_start, iterations
        self.privacy = privacy
        self.schedule: TemperatureSchedule | None = None
        if temperature_start is not None:
            self.schedule = TemperatureSchedule(
                temperature_start, temperature, temperature_steps, temperature_drive
            )

    def terms(self, targets: QueryTargets) -> dict[str, Tensor]:
        """The terms; in training mode a temperature schedule takes a step."""
        with_overlap = "overlap" in self.weights
        sums = exclusive_sums(targets, with_claims=with_overlap)
        profile = sums.log_profile
        attraction, share = self.attraction(profile, instance_mean(sums.log_void, targets), targets)
        if self.schedule is not None and self.training:
            self.schedule.advance(lack_of_queries(profile.detach(), targets))
        return {
            "attraction": targets.mean_over_instances(attraction),
            **exclusive_terms(targets, sums, share, with_overlap=with_overlap),
        }

    def attraction(
        self, log_profile: Tensor, log_void: Tensor, targets: QueryTargets
    ) -> tuple[Tensor, Tensor]:
        """A (K,), and without gradient how far each query stands for each instance (K, M)."""
        if self.coupling == "capacity":
            share = couple_instances(
                log_profile.detach(),
                targets,
                tau=self.tau,
                tau_start=self.tau_start,
                max_temperature=self.temperature,
                iterations=self.iterations,
            )
            return coupled_attraction(log_profile, log_void, share), share
        temperature = self.temperature if self.schedule is None else self.schedule.value.clone()
        claim = log_profile + self.privacy * log_privacy(log_profile, log_void, targets)
        return annealed_attraction(claim, temperature), coupled_share(claim, temperature)

    def extra_repr(self) -> str:
        return f"coupling={self.coupling!r}, temperature={self.temperature}"


@torch.no_grad()
def coupled_share(claim: Tensor, temperature: Tensor | float) -> Tensor:
    """Softmax over the queries, (K, M) -> (K, M); 0 in rows without a query."""
    return (claim / temperature).softmax(1).nan_to_num(0.0)


def lack_of_queries(log_profile: Tensor, targets: QueryTargets) -> Tensor:
    """Mean distance of the instances from their best query, relative to a uniform guess: ()."""
    if not log_profile.numel():
        return log_profile.new_zeros(())
    uniform = torch.log1p(targets.query_ptr.diff().to(log_profile.dtype))[targets.row_graph]
    best = -log_profile.amax(1)
    return targets.mean_over_instances(torch.where(uniform > 0, best / uniform, 0))
