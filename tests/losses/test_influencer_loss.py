"""InfluencerLoss against plain loops and dense formulas, and what its arguments mean."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import Tensor

from geoinfluencer.errors import InputError
from geoinfluencer.losses import InfluencerLoss, LossTerms

TERMS = ("attraction", "repulsion", "influencer_repulsion")


def naive_terms(
    follower: Tensor,
    influencer: Tensor,
    instance: Tensor,
    weight: Tensor,
    normalizer: str,
    sharpness: float,
) -> dict[str, float]:
    """One graph, margins 1 and .8, power mean, in loops over Python numbers."""
    f, h, ids = follower.tolist(), influencer.tolist(), instance.tolist()
    w = weight.tolist()
    size = len(ids)

    def distance(a: list[float], b: list[float]) -> float:
        return sum((p - q) ** 2 for p, q in zip(a, b, strict=True)) ** 0.5

    attraction = []
    for k in sorted(set(ids) - {-1}):
        members = [i for i in range(size) if ids[i] == k]
        mass = sum(w[i] for i in members)
        s = [sum(w[i] * distance(f[i], h[j]) ** 2 for i in members) / mass for j in members]
        mean = sum(w[j] * (sj + 1e-6) ** -sharpness for j, sj in zip(members, s, strict=True))
        attraction.append((mean / mass) ** (-1 / sharpness) - 1e-6)

    def repulsion(pairs: list[tuple[int, int]], a: list, b: list, margin: float, power: int):
        hinge = [w[i] * w[j] * max(0.0, margin - distance(a[i], b[j])) ** power for i, j in pairs]
        active = sum(distance(a[i], b[j]) < margin for i, j in pairs)
        active *= (sum(w) / len(w)) ** 2  # in units of the mean pair
        norm = {
            "nodes": sum(w),
            "active": active,
            "balanced": max(active, sum(w)),
            "pairs": sum(w[i] * w[j] for i, j in pairs),
        }[normalizer]
        return sum(hinge) / norm

    every = list(itertools.product(range(size), repeat=2))
    others = [(i, j) for i, j in every if ids[i] != ids[j] or ids[i] == -1]
    unordered = [(i, j) for i, j in every if i < j]
    return {
        "attraction": sum(attraction) / len(attraction),
        "repulsion": repulsion(others, f, h, 1.0, 2),
        "influencer_repulsion": repulsion(unordered, h, h, 0.8, 1),
    }


def sample(size: int = 40, dim: int = 3, seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """Random float64 embeddings, six instances and some background."""
    generator = torch.Generator().manual_seed(seed)
    follower = torch.randn(size, dim, generator=generator, dtype=torch.float64)
    influencer = torch.randn(size, dim, generator=generator, dtype=torch.float64)
    instance = torch.randint(-1, 6, (size,), generator=generator)
    return follower, influencer, instance


@pytest.mark.parametrize("normalizer", ["balanced", "nodes", "active", "pairs"])
@pytest.mark.parametrize("sharpness", [1.0, 2.5])
@pytest.mark.parametrize("weighted", [False, True])
def test_terms_equal_plain_loops(normalizer: str, sharpness: float, weighted: bool) -> None:
    follower, influencer, instance = sample()
    weight = torch.rand(40, dtype=torch.float64) + 0.1 if weighted else None
    loss = InfluencerLoss(
        influencer_margin=0.8, sharpness=sharpness, normalizer=normalizer, attraction="power"
    )
    terms = loss(follower, influencer, instance, node_weight=weight)
    ones = torch.ones(40, dtype=torch.float64)
    expected = naive_terms(
        follower, influencer, instance, ones if weight is None else weight, normalizer, sharpness
    )
    assert tuple(terms) == TERMS
    for name in TERMS:
        assert terms[name].item() == pytest.approx(expected[name], rel=1e-9), name


def test_total_is_the_weighted_sum_of_unweighted_terms() -> None:
    arguments = sample()
    plain = InfluencerLoss(repulsion_weight=1.0, influencer_repulsion_weight=1.0)(*arguments)
    heavy = InfluencerLoss(
        attraction_weight=2.0, repulsion_weight=0.5, influencer_repulsion_weight=0.0
    )(*arguments)
    for name in TERMS:
        assert torch.equal(plain[name], heavy[name])
    assert torch.isclose(heavy.total, 2 * plain["attraction"] + 0.5 * plain["repulsion"])
    assert torch.isclose(plain.total, sum(plain.values(), torch.zeros(())).double())


@pytest.mark.parametrize(
    ("attraction", "normalizer"),
    [("geometric", "nodes"), ("power", "balanced"), ("softmin", "pairs")],
)
def test_gradcheck_of_the_whole_loss(attraction: str, normalizer: str) -> None:
    follower, influencer, instance = sample(size=9, dim=2, seed=3)
    weight = torch.rand(9, dtype=torch.float64) + 0.1
    loss = InfluencerLoss(attraction=attraction, normalizer=normalizer)
    ptr = torch.tensor([0, 3, 3, 9])

    def total(f: Tensor, h: Tensor) -> Tensor:
        return loss(f, h, instance, ptr=ptr, node_weight=weight).total

    assert torch.autograd.gradcheck(total, (follower.requires_grad_(), influencer.requires_grad_()))


@pytest.mark.parametrize("normalizer", ["balanced", "nodes", "active", "pairs"])
def test_order_of_nodes_and_names_of_instances_do_not_matter(normalizer: str) -> None:
    follower, influencer, instance = sample()
    loss = InfluencerLoss(normalizer=normalizer)
    order = torch.randperm(40)
    names = torch.tensor([10**15, 7, 3, 999, 12, 5, -1])  # any int64; row 6 is index -1
    first = loss(follower, influencer, instance)
    second = loss(follower[order], influencer[order], names[instance][order])
    for name in TERMS:
        torch.testing.assert_close(first[name], second[name])


def test_batch_is_the_mean_of_separate_graphs_and_ids_repeat() -> None:
    one, two = sample(seed=1), sample(size=25, seed=2)  # both have ids 0..5
    loss = InfluencerLoss()
    both = [torch.cat(pair) for pair in zip(one, two, strict=True)]
    batch = torch.repeat_interleave(torch.arange(2), torch.tensor([40, 25]))
    apart = loss(*one), loss(*two)
    for together in (loss(*both, batch), loss(*both, ptr=torch.tensor([0, 40, 65]))):
        for name in TERMS:
            torch.testing.assert_close(together[name], (apart[0][name] + apart[1][name]) / 2)


def test_a_node_of_weight_two_is_two_nodes() -> None:
    """Weights enter once per node: attraction, repulsion and both normalisers follow."""
    follower, influencer, instance = sample()
    weight = torch.ones(40, dtype=torch.float64)
    weight[[3, 10, 30]] = 2.0
    copies = torch.cat([torch.arange(40), torch.tensor([3, 10, 30])])
    for normalizer in ("nodes", "pairs"):
        loss = InfluencerLoss(normalizer=normalizer)
        weighted = loss(follower, influencer, instance, node_weight=weight)
        copied = loss(follower[copies], influencer[copies], instance[copies])
        for name in ("attraction", "repulsion"):
            torch.testing.assert_close(weighted[name], copied[name])


def test_weight_zero_is_as_if_the_node_were_not_there() -> None:
    follower, influencer, instance = sample()
    absent = torch.rand(40) < 0.3
    absent[instance == 2] = True  # an instance without any weight leaves the mean over instances
    loss = InfluencerLoss()
    weighted = loss(follower, influencer, instance, node_weight=(~absent).double())
    removed = loss(follower[~absent], influencer[~absent], instance[~absent])
    for name in TERMS:
        torch.testing.assert_close(weighted[name], removed[name])


def test_instance_weight_is_the_share_in_the_mean_and_a_factor_of_pairs() -> None:
    follower, influencer, instance = sample()
    loss = InfluencerLoss()
    only = (instance == 1).double()  # background's own entry is not read
    term = loss(follower, influencer, instance, instance_weight=only)
    alone = loss(follower, influencer, torch.where(instance == 1, 1, -1))
    torch.testing.assert_close(term["attraction"], alone["attraction"])
    kept = (instance == 1) | (instance == -1)
    reduced = loss(follower[kept], influencer[kept], instance[kept])
    for name in TERMS:
        torch.testing.assert_close(term[name], reduced[name])


def test_ignored_nodes_neither_attract_nor_repel_but_background_repels() -> None:
    follower, influencer, instance = sample()
    ignore = torch.rand(40) < 0.25
    loss = InfluencerLoss(normalizer="nodes")
    batch = (torch.arange(40) >= 22).long()
    ignored = loss(follower, influencer, instance, batch, ignore=ignore)
    removed = loss(follower[~ignore], influencer[~ignore], instance[~ignore], batch[~ignore])
    background = loss(follower, influencer, torch.where(ignore, -1, instance), batch)
    for name in TERMS:
        torch.testing.assert_close(ignored[name], removed[name])
    torch.testing.assert_close(background["attraction"], removed["attraction"])
    assert background["repulsion"] > removed["repulsion"]
    assert background["influencer_repulsion"] > removed["influencer_repulsion"]


def test_perfect_embeddings_have_zero_terms() -> None:
    instance = torch.arange(5).repeat_interleave(8)
    centre = 3.0 * torch.arange(5.0)[:, None] * torch.ones(1, 2)
    follower = centre[instance]
    influencer = torch.stack([100.0 + 2.0 * torch.arange(40.0), torch.zeros(40)], dim=1)
    influencer[::8] = centre  # one representative each, the others far apart
    for sharpness in (1.0, 2.0, 4.0):
        terms = InfluencerLoss(attraction="power", sharpness=sharpness)(
            follower, influencer, instance
        )
        assert terms["repulsion"] == 0 and terms["influencer_repulsion"] == 0
        assert terms["attraction"].item() == pytest.approx((8 ** (1 / sharpness) - 1) * 1e-6)


def test_bad_arguments_are_named() -> None:
    follower, influencer, instance = sample()
    loss = InfluencerLoss()
    for arguments, word in (
        ((follower, influencer[:, :2], instance), "influencer"),
        ((follower[:10], influencer[:10], instance), "follower has shape"),
        ((follower, influencer, instance.double()), "instance has dtype"),
    ):
        with pytest.raises(InputError, match=word):
            loss(*arguments)
    with pytest.raises(InputError, match="ignore has shape"):
        loss(follower, influencer, instance, ignore=torch.zeros(3, dtype=torch.bool))
    with pytest.raises(InputError, match="give one of them"):
        loss(follower, influencer, instance, instance * 0, ptr=torch.tensor([0, 40]))
    for setting in (
        {"follower_margin": 0.0},
        {"influencer_power": 3},
        {"attraction": "mean"},
        {"normalizer": "none"},
        {"sharpness": -1.0},
        {"influencers_per_instance": 0},
    ):
        with pytest.raises(InputError, match=next(iter(setting))):
            InfluencerLoss(**setting)


def test_loss_terms_know_their_weights() -> None:
    terms = LossTerms({"a": torch.tensor(2.0), "b": torch.tensor(3.0)}, {"b": 10.0})
    assert terms.weights == {"a": 1.0, "b": 10.0}
    assert terms.total == 32.0
    assert repr(terms) == "LossTerms(a=2, b=3)"
    assert set(terms.detached()) == {"a", "b", "total"}
    with pytest.raises(InputError, match="unknown terms"):
        LossTerms({"a": torch.tensor(2.0)}, {"c": 1.0})


@pytest.mark.parametrize("normalizer", ["nodes", "active", "balanced", "pairs"])
def test_doubled_weights_act_like_two_copies_of_every_node(normalizer: str) -> None:
    generator = torch.Generator().manual_seed(5)
    f, h = torch.randn(2, 60, 3, generator=generator)
    instance = torch.arange(60) // 6 - 1  # the first six are background
    loss = InfluencerLoss(normalizer=normalizer)
    weighted = loss(f, h, instance, node_weight=torch.full((60,), 2.0))
    copied = loss(f.repeat(2, 1), h.repeat(2, 1), instance.repeat(2))
    torch.testing.assert_close(weighted["attraction"], copied["attraction"], atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(weighted["repulsion"], copied["repulsion"], atol=1e-5, rtol=1e-4)
    # copies of a node crowd each other (two coincide), a weight does not crowd itself: the term
    # is compared up to those N pairs at distance 0
    assert weighted["influencer_repulsion"] <= copied["influencer_repulsion"]


@pytest.mark.parametrize("normalizer", ["active", "pairs"])
def test_means_over_pairs_do_not_change_with_the_scale_of_the_weights(normalizer: str) -> None:
    generator = torch.Generator().manual_seed(6)
    f, h = torch.randn(2, 60, 3, generator=generator)
    instance = torch.arange(60) // 6
    loss = InfluencerLoss(normalizer=normalizer)
    plain = loss(f, h, instance)
    for weight in (1e-4, 0.1, 3.0):
        scaled = loss(f, h, instance, instance_weight=torch.full((60,), weight))
        for name in ("repulsion", "influencer_repulsion"):
            torch.testing.assert_close(scaled[name], plain[name], atol=1e-6, rtol=1e-4)
