"""Every known fault of earlier implementations of the loss, each as a test."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from geoinfluencer.errors import InputError
from geoinfluencer.losses import InfluencerLoss

ATTRACTIONS = ("geometric", "power", "softmin")


def finite_gradients(loss: InfluencerLoss, *arguments: Tensor, **options: Tensor) -> list[Tensor]:
    """Backward of the total; the embeddings' gradients, which must exist and be finite."""
    follower, influencer = (value.clone().requires_grad_() for value in arguments[:2])
    total = loss(follower, influencer, *arguments[2:], **options).total
    assert total.shape == () and torch.isfinite(total)
    assert total.requires_grad
    total.backward()
    gradients = [follower.grad, influencer.grad]
    assert all(g is not None and bool(torch.isfinite(g).all()) for g in gradients)
    return [g for g in gradients if g is not None]


@pytest.mark.parametrize("attraction", ATTRACTIONS)
@pytest.mark.parametrize("distance", [0.0, 1e-30, 1e-4, 0.5])
def test_singletons_have_finite_gradients(attraction: str, distance: float) -> None:
    """ln 0: each node alone in its instance, its follower on or near its own influencer."""
    follower = 10.0 * torch.arange(6.0)[:, None].repeat(1, 3)
    influencer = follower.clone()
    influencer[:, 0] += distance
    gradients = finite_gradients(
        InfluencerLoss(attraction=attraction), follower, influencer, torch.arange(6)
    )
    if distance >= 1e-4:
        assert bool((gradients[0][:, 0] < 0).all())  # the follower is drawn to its influencer


@pytest.mark.parametrize("attraction", ATTRACTIONS)
def test_perfect_instance_has_finite_gradients(attraction: str) -> None:
    """All members' followers and influencers on one point: s = 0 for every j."""
    point = torch.zeros(5, 4)
    finite_gradients(
        InfluencerLoss(attraction=attraction), point, point, torch.zeros(5, dtype=torch.int64)
    )


def test_coincident_influencers_separate() -> None:
    follower = torch.zeros(4, 2)
    influencer = torch.zeros(4, 2, requires_grad=True)
    optimizer = torch.optim.SGD([influencer], lr=0.1)
    loss = InfluencerLoss(attraction_weight=0.0)
    for _ in range(60):
        optimizer.zero_grad()
        loss(follower, influencer, torch.zeros(4, dtype=torch.int64)).total.backward()
        optimizer.step()
    distances = torch.pdist(influencer.detach())
    assert distances.min() > 0.9


def test_coincident_instances_separate() -> None:
    """Followers and influencers of two instances all on one point are driven apart."""
    embeddings = torch.zeros(2, 6, 2, requires_grad=True)
    instance = torch.tensor([0, 0, 0, 1, 1, 1])
    optimizer = torch.optim.Adam([embeddings], lr=0.02)
    loss = InfluencerLoss()
    for _ in range(150):
        optimizer.zero_grad()
        loss(embeddings[0], embeddings[1], instance).total.backward()
        optimizer.step()
    centres = embeddings.detach()[0].view(2, 3, 2).mean(1)
    assert torch.dist(centres[0], centres[1]) > 0.7


def test_all_background_repels_only() -> None:
    generator = torch.Generator().manual_seed(0)
    follower = torch.rand(20, 3, generator=generator)
    influencer = torch.rand(20, 3, generator=generator)
    instance = torch.full((20,), -1)
    terms = InfluencerLoss()(follower, influencer, instance)
    assert terms["attraction"] == 0 and terms["repulsion"] > 0
    finite_gradients(InfluencerLoss(), follower, influencer, instance)


def test_background_is_kept_off_its_own_influencer() -> None:
    point, ids = torch.zeros(1, 2), torch.tensor([-1])
    assert InfluencerLoss()(point, point, ids)["repulsion"] == 1.0
    assert InfluencerLoss()(point, point, torch.tensor([0]))["repulsion"] == 0.0


@pytest.mark.parametrize("normalizer", ["balanced", "nodes", "active", "pairs"])
@pytest.mark.parametrize("attraction", ATTRACTIONS)
def test_empty_single_and_pairless_graphs_give_an_attached_zero(
    normalizer: str, attraction: str
) -> None:
    loss = InfluencerLoss(normalizer=normalizer, attraction=attraction)
    none = torch.zeros(0, 3)
    no_ids = torch.zeros(0, dtype=torch.int64)
    for options in (
        {},
        {"batch": no_ids},
        {"ptr": torch.tensor([0])},
        {"ptr": torch.tensor([0, 0, 0])},
    ):
        finite_gradients(loss, none, none, no_ids, **options)
    one = torch.zeros(1, 3)
    finite_gradients(loss, one, one, torch.zeros(1, dtype=torch.int64))
    assert loss(one, one, torch.zeros(1, dtype=torch.int64)).total == pytest.approx(0, abs=1e-6)
    far = 50.0 * torch.arange(4.0)[:, None].repeat(1, 2)  # no pair within any margin
    finite_gradients(loss, far, far, torch.arange(4))
    everything = torch.ones(4, dtype=torch.bool)
    finite_gradients(loss, far, far, torch.arange(4), ignore=everything)


def test_empty_graphs_count_in_the_mean() -> None:
    follower, influencer = torch.rand(6, 2), torch.rand(6, 2)
    instance = torch.tensor([0, 0, 1, 1, 2, -1])
    loss = InfluencerLoss()
    alone = loss(follower, influencer, instance).total
    between = loss(follower, influencer, instance, ptr=torch.tensor([0, 0, 6, 6])).total
    torch.testing.assert_close(between, alone / 3)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("name", ["follower", "influencer"])
def test_values_that_are_not_finite_are_an_error_naming_the_tensor(name: str, bad: float) -> None:
    tensors = {"follower": torch.rand(5, 2), "influencer": torch.rand(5, 2)}
    tensors[name][3] = bad
    instance = torch.tensor([0, 0, 1, 1, -1])
    with pytest.raises(InputError, match=f"^{name} has 2 of 10 values"):
        InfluencerLoss()(**tensors, instance=instance)
    unchecked = InfluencerLoss(check_finite=False)(**tensors, instance=instance)
    assert not torch.isfinite(unchecked.total)  # never silently a number


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("scale", [1.0, 300.0])
def test_half_precision_is_computed_in_float32(dtype: torch.dtype, scale: float) -> None:
    """At scale 300 squares overflow float16, at 1 the small ones underflow."""
    follower = (scale * torch.rand(30, 4)).to(dtype)
    influencer = (scale * torch.rand(30, 4)).to(dtype)
    instance = torch.randint(-1, 4, (30,))
    loss = InfluencerLoss()
    half = loss(follower, influencer, instance)
    full = loss(follower.float(), influencer.float(), instance)
    for name, value in half.items():
        assert value.dtype == torch.float32
        torch.testing.assert_close(value, full[name])
    finite_gradients(loss, follower, influencer, instance)


def test_autocast_changes_nothing() -> None:
    follower, influencer = torch.rand(30, 4), torch.rand(30, 4)
    instance = torch.randint(-1, 4, (30,))
    loss = InfluencerLoss()
    plain = loss(follower, influencer, instance).total
    with torch.autocast("cpu", dtype=torch.bfloat16):
        cast = loss(follower, influencer, instance).total
    assert cast.dtype == torch.float32
    torch.testing.assert_close(cast, plain)


def test_ids_of_two_graphs_are_never_merged() -> None:
    """Two perfect graphs with the same id at different places: merged, attraction would be 25."""
    follower = torch.zeros(8, 2)
    follower[4:] = 10.0
    influencer = follower.clone()
    for graph in (0, 4):
        influencer[graph + 1 : graph + 4, 0] += 20.0 * torch.arange(1.0, 4.0)
    instance = torch.zeros(8, dtype=torch.int64)
    batch = torch.arange(8) // 4
    assert InfluencerLoss()(follower, influencer, instance, batch).total < 1e-5
    assert InfluencerLoss()(follower, influencer, instance).total > 1.0


def test_active_normaliser_is_not_diluted_by_pairs_beyond_the_margin() -> None:
    follower, influencer = torch.rand(10, 2), torch.rand(10, 2)
    instance = torch.arange(10) % 2
    far = 100.0 * torch.arange(1.0, 91.0)[:, None].repeat(1, 2)
    ids = torch.cat([instance, torch.arange(2, 92)])
    values = {}
    for normalizer in ("active", "pairs"):
        loss = InfluencerLoss(normalizer=normalizer)
        few = loss(follower, influencer, instance)["influencer_repulsion"]
        many = loss(torch.cat([follower, far]), torch.cat([influencer, far]), ids)
        values[normalizer] = (many["influencer_repulsion"] / few).item()
    assert values["active"] == pytest.approx(1.0)
    assert values["pairs"] < 0.02


def test_repulsion_is_not_truncated_in_a_crowd() -> None:
    """1,000 neighbours within the margin all count (a radius graph stops at some maximum)."""
    crowd = 1e-3 * torch.rand(1000, 3)
    terms = InfluencerLoss(normalizer="pairs")(crowd, crowd, torch.arange(1000))
    assert terms["repulsion"].item() == pytest.approx(1.0, abs=5e-3)
    assert terms["influencer_repulsion"].item() == pytest.approx(1.0, abs=5e-3)


def test_a_large_common_offset_costs_no_digits() -> None:
    follower, influencer = torch.rand(50, 4), torch.rand(50, 4)
    # steps of 1/128 are exact in float32 at 8,192 too
    follower, influencer = ((128 * value).round() / 128 for value in (follower, influencer))
    instance = torch.arange(50) % 5
    loss = InfluencerLoss()
    here = loss(follower, influencer, instance)
    there = loss(follower + 8192.0, influencer + 8192.0, instance)
    for name, value in here.items():
        torch.testing.assert_close(there[name], value, rtol=1e-5, atol=1e-6)


@pytest.mark.cuda
def test_no_synchronisation_with_the_device_in_attraction() -> None:
    from geoinfluencer.losses.attraction import (
        attraction_per_graph,
        instance_mean,
        mean_square_distance,
    )
    from geoinfluencer.losses.segments import instance_segments

    follower = torch.rand(100, 4, device="cuda", requires_grad=True)
    instance = torch.arange(100, device="cuda") % 7
    ptr = torch.tensor([0, 40, 100], device="cuda")
    weight = torch.ones(100, device="cuda")
    torch.cuda.set_sync_debug_mode("error")
    try:
        segments = instance_segments(instance, ptr)
        s = mean_square_distance(follower, follower, segments, weight)
        mean = instance_mean(s, segments, weight, attraction="power", sharpness=2.0)
        total = attraction_per_graph(mean, segments, weight, 2).sum()
        total.backward()
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert torch.isfinite(total)


@pytest.mark.parametrize(
    "ptr", [torch.tensor([0, 3]), torch.tensor([0, 5, 2, 6]), torch.tensor([0.0, 6.0])]
)
def test_bad_ptr_is_named(ptr: Tensor) -> None:
    f, h = torch.rand(2, 6, 2)
    with pytest.raises(InputError, match="ptr"):
        InfluencerLoss()(f, h, torch.zeros(6, dtype=torch.int64), ptr=ptr)


@pytest.mark.parametrize("name", ["node_weight", "instance_weight"])
def test_negative_weights_are_named(name: str) -> None:
    f, h = torch.rand(2, 6, 2)
    weight = torch.tensor([1.0, 1, -1, 1, -2, 1])
    with pytest.raises(InputError, match=f"{name} has 2 negative"):
        InfluencerLoss()(f, h, torch.zeros(6, dtype=torch.int64), **{name: weight})
