"""Influencer Loss on embeddings: followers gather at one representative of their instance."""

from __future__ import annotations

from torch import Tensor, nn

from geoinfluencer.errors import InputError
from geoinfluencer.losses.attraction import ATTRACTIONS, Attraction
from geoinfluencer.losses.influencer_terms import influencer_loss_terms
from geoinfluencer.losses.inputs import prepare_nodes
from geoinfluencer.losses.repulsion import NORMALIZERS, Normalizer
from geoinfluencer.losses.terms import LossTerms


class InfluencerLoss(nn.Module):
    r"""Influencer Loss after `"Influencer Loss" (Murnane, EPJ Web Conf. 295, 09016, 2024)
    <https://doi.org/10.1051/epjconf/202429509016>`_: every node has a follower embedding f and an
    influencer embedding h; the followers of an instance gather at ONE of its influencers.

    With :math:`s_j = \frac{1}{n_k} \sum_{i \in k} |f_i - h_j|^2 / m_F^2`:

    .. math::
        L_\text{attraction} &= \operatorname{mean}_k P_k(s_j, j \in k) \\
        L_\text{repulsion} &= \frac{1}{Z_F} \sum_{(i, j):\, k_i \ne k_j}
            \max(0, m_F - |f_i - h_j|)^2 \\
        L_\text{influencer repulsion} &= \frac{1}{Z_I} \sum_{i < j} \max(0, m_I - |h_i - h_j|)

    per graph, then mean over graphs. P is small as soon as one influencer of the instance is
    good, see :func:`~geoinfluencer.losses.attraction.instance_mean`; the last term runs over ALL
    pairs, those of one instance too, which leaves one influencer per instance where the followers
    are. Attraction is exact in O(N), the repulsions never list their pairs.

    At the optimum the followers of an instance coincide with one influencer, all other
    influencers are at least :math:`m_I` from it and from each other, and instances are at least
    :math:`m_F` apart: both repulsions are 0, attraction is :math:`(n^{1/p} - 1) 10^{-6}`
    ("power"), :math:`10^{-6/n}` ("geometric"), at most :math:`\ln(n) / p` ("softmin").

    Args:
        follower_margin (float): m_F, in units of the embedding. (default: 1.0)
        influencer_margin (float): m_I, in units of the embedding. (default: 1.0)
        attraction_weight, repulsion_weight, influencer_repulsion_weight (float): factors of the
            terms in the total. (default: 1.0, 2.0, 2.0)
        repulsion_power (int): 1 or 2. (default: 2)
        influencer_power (int): 1 or 2. (default: 1)
        attraction (str): the mean P: ``"power"``, ``"geometric"`` (the published one, whose pull
            thins as 1/n) or ``"softmin"``. (default: ``"power"``)
        sharpness (float): p of "power" and "softmin". Free embeddings of 10 to 200 instances
            in 4 or 8 dimensions condense with p = 2; with p = 1 or the geometric mean now and
            then an instance stays without an influencer. In 2 dimensions 50 instances block each
            other's way with any p. (default: 2.0)
        normalizer (str): what Z is, see
            :func:`~geoinfluencer.losses.repulsion.normalize_energy`. "nodes" grows with the crowd:
            66,000 nodes in one ball repel 10^5 times as hard as they attract, "balanced" does
            not; "pairs" (the published mean) fades as instances get more; "active" gives the last
            pair the weight of all. (default: ``"balanced"``)
        influencers_per_instance (int, optional): let only this many best and as many drawn
            influencers of each instance repel, see
            :func:`~geoinfluencer.losses.candidates.choose_influencers`. (default: all)
        check_finite (bool): look for NaN and infinity; one synchronisation with a GPU per call.
            (default: :obj:`True`)

    Shapes:
        - **follower**, **influencer**: (N, D), any float type (half is raised to float32)
        - **instance**: (N,) integer, -1 = background: it repels and is repelled (its own
          influencer included) but attracts nothing
        - **batch** (N,) ascending or **ptr** (B+1,): graph membership *(optional)*
        - **node_weight** (N,): as if the node were there so many times; multiplies once per node
          of a pair *(optional)*
        - **instance_weight** (N,): weight of each node's instance: in the mean over instances and
          once per node of a pair; not read for background *(optional)*
        - **ignore** (N,) bool: the node takes part in nothing *(optional)*
        - **output**: :class:`LossTerms` ``attraction``, ``repulsion``, ``influencer_repulsion``

    Raises:
        InputError: shapes or types do not fit, or an embedding is not finite (named).
    """

    def __init__(
        self,
        *,
        follower_margin: float = 1.0,
        influencer_margin: float = 1.0,
        attraction_weight: float = 1.0,
        repulsion_weight: float = 2.0,
        influencer_repulsion_weight: float = 2.0,
        repulsion_power: int = 2,
        influencer_power: int = 1,
        attraction: Attraction = "power",
        sharpness: float = 2.0,
        normalizer: Normalizer = "balanced",
        influencers_per_instance: int | None = None,
        check_finite: bool = True,
    ) -> None:
        super().__init__()
        positive = {"follower_margin": follower_margin, "influencer_margin": influencer_margin}
        positive["sharpness"] = sharpness
        for name, value in positive.items():
            if not value > 0:
                raise InputError(f"{name} is {value}; it must be positive")
        if attraction not in ATTRACTIONS:
            raise InputError(f"attraction {attraction!r} is none of {', '.join(ATTRACTIONS)}")
        if normalizer not in NORMALIZERS:
            raise InputError(f"normalizer {normalizer!r} is none of {', '.join(NORMALIZERS)}")
        for name, power in (
            ("repulsion_power", repulsion_power),
            ("influencer_power", influencer_power),
        ):
            if power not in (1, 2):
                raise InputError(f"{name} is {power}; it must be 1 or 2")
        if influencers_per_instance is not None and influencers_per_instance < 1:
            raise InputError(
                f"influencers_per_instance is {influencers_per_instance}; "
                "it must be at least 1, or None for all"
            )
        self.follower_margin = follower_margin
        self.influencer_margin = influencer_margin
        self.weights = {
            "attraction": attraction_weight,
            "repulsion": repulsion_weight,
            "influencer_repulsion": influencer_repulsion_weight,
        }
        self.repulsion_power = repulsion_power
        self.influencer_power = influencer_power
        self.attraction: Attraction = attraction
        self.sharpness = sharpness
        self.normalizer: Normalizer = normalizer
        self.influencers_per_instance = influencers_per_instance
        self.check_finite = check_finite

    def forward(
        self,
        follower: Tensor,
        influencer: Tensor,
        instance: Tensor,
        batch: Tensor | None = None,
        *,
        ptr: Tensor | None = None,
        node_weight: Tensor | None = None,
        instance_weight: Tensor | None = None,
        ignore: Tensor | None = None,
    ) -> LossTerms:
        """The three terms; shapes and meaning as the class says."""
        if follower.shape != influencer.shape or follower.dim() != 2:
            raise InputError(
                f"follower {tuple(follower.shape)} and influencer {tuple(influencer.shape)} "
                "must both be (N, D)"
            )
        nodes = prepare_nodes(
            {"follower": follower, "influencer": influencer},
            instance,
            batch,
            ptr=ptr,
            node_weight=node_weight,
            instance_weight=instance_weight,
            ignore=ignore,
            check_finite=self.check_finite,
        )
        terms = influencer_loss_terms(
            nodes,
            follower_margin=self.follower_margin,
            influencer_margin=self.influencer_margin,
            repulsion_power=self.repulsion_power,
            influencer_power=self.influencer_power,
            attraction=self.attraction,
            sharpness=self.sharpness,
            normalizer=self.normalizer,
            influencers_per_instance=self.influencers_per_instance,
        )
        return LossTerms(terms, self.weights)

    def extra_repr(self) -> str:
        return (
            f"margins=({self.follower_margin}, {self.influencer_margin}), "
            f"attraction={self.attraction!r}, normalizer={self.normalizer!r}"
        )
