"""condense against a plain-Python reference, and where there is little to condense."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from geoinfluencer.condensation import condense
from geoinfluencer.errors import InputError
from geoinfluencer.losses import InfluencerLoss


def naive_condense(
    follower: Tensor,
    influencer: Tensor,
    radius: float,
    suppression_radius: float,
    min_followers: int,
    min_size: int,
    min_share: float,
) -> tuple[list[int], list[int], list[float]]:
    """Labels, influencer nodes and scores of one graph, as the docstring of condense says."""
    f, h = follower.tolist(), influencer.tolist()
    nodes = range(len(f))

    def square(a: list[float], b: list[float]) -> float:
        return sum((p - q) ** 2 for p, q in zip(a, b, strict=True))

    followers = [sum(square(f[i], h[j]) <= radius**2 for i in nodes) for j in nodes]
    order = sorted(nodes, key=lambda j: (-followers[j], j))
    kept: list[int] = []
    for j in order:
        near = any(square(h[j], h[k]) <= suppression_radius**2 for k in kept)
        if followers[j] >= max(min_followers, 1) and not near:
            kept.append(j)
    kept.sort()

    def join() -> list[int]:
        labels = []
        for i in nodes:
            best = min(kept, key=lambda j: (square(f[i], h[j]), j), default=None)
            inside = best is not None and square(f[i], h[best]) <= radius**2
            labels.append(kept.index(best) if inside else -1)
        return labels

    labels = join()
    sizes = [labels.count(k) for k in range(len(kept))]

    def lost(j: int) -> int:
        mine = [i for i in nodes if square(f[i], h[j]) <= radius**2]
        owners = [kept[labels[i]] for i in mine if labels[i] >= 0]
        return sum((-followers[k], k) < (-followers[j], j) for k in owners)

    kept = [
        j
        for j, size in zip(kept, sizes, strict=True)
        if size >= max(min_size, 1) and lost(j) <= (1 - min_share) * followers[j]
    ]
    labels = join()
    scores = []
    for k, j in enumerate(kept):
        near = [1 - square(f[i], h[j]) / radius**2 for i in nodes if labels[i] == k]
        scores.append(sum(near) / followers[j])
    return labels, kept, scores


def clusters(size: int, spread: float, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Followers around a few centres, a third of the influencers near one, the rest anywhere."""
    centre = 1.5 * torch.randn(4, 2, generator=generator, dtype=torch.float64)
    own = torch.randint(0, 4, (size,), generator=generator)
    follower = centre[own] + spread * torch.randn(size, 2, generator=generator).double()
    far = 4.0 * torch.randn(size, 2, generator=generator, dtype=torch.float64)
    near = centre[own] + spread * torch.randn(size, 2, generator=generator).double()
    chosen = torch.rand(size, 1, generator=generator) < 0.33
    return follower, torch.where(chosen, near, far)


@settings(max_examples=40)
@given(
    seed=st.integers(0, 10**6),
    sizes=st.lists(st.integers(0, 25), min_size=1, max_size=4),
    spread=st.sampled_from([0.0, 0.1, 0.5]),
    radius=st.sampled_from([0.3, 0.8]),
    suppression=st.sampled_from([0.0, 0.3, 1.2]),
    min_followers=st.integers(0, 3),
    min_size=st.integers(0, 3),
    min_share=st.sampled_from([0.0, 0.5, 1.0]),
)
def test_condense_equals_the_plain_reference(
    seed: int,
    sizes: list[int],
    spread: float,
    radius: float,
    suppression: float,
    min_followers: int,
    min_size: int,
    min_share: float,
) -> None:
    generator = torch.Generator().manual_seed(seed)
    graphs = [clusters(size, spread, generator) for size in sizes]
    follower, influencer = (torch.cat(parts) for parts in zip(*graphs, strict=True))
    ptr = torch.tensor([0, *torch.tensor(sizes).cumsum(0).tolist()])
    found = condense(
        follower,
        influencer,
        radius=radius,
        ptr=ptr,
        suppression_radius=suppression,
        min_followers=min_followers,
        min_size=min_size,
        min_share=min_share,
    )
    assert found.num_graphs == len(sizes)
    for part, (f, h) in zip(found.split(), graphs, strict=True):
        labels, kept, scores = naive_condense(
            f, h, radius, suppression, min_followers, min_size, min_share
        )
        assert part.instance.tolist() == labels
        assert part.influencer.tolist() == kept
        assert part.score.tolist() == pytest.approx(scores)
        assert part.size.tolist() == [labels.count(k) for k in range(len(kept))]
        assert bool(((part.score >= 0) & (part.score <= 1)).all())
        assert bool((part.size >= max(min_size, 1)).all())


@settings(max_examples=25)
@given(
    seed=st.integers(0, 10**6),
    count=st.integers(1, 12),
    size=st.integers(1, 9),
    noise=st.integers(0, 10),
)
def test_perfect_embeddings_have_no_loss_and_condense_to_the_truth(
    seed: int, count: int, size: int, noise: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    instance = torch.cat([torch.arange(count).repeat_interleave(size), torch.full((noise,), -1)])
    total = len(instance)
    # everything on its own place of a line with steps of 2
    follower = 2.0 * (torch.arange(total) + total).float()
    influencer = -2.0 * torch.arange(1, total + 1).float()
    representative = torch.arange(count) * size
    place = follower[representative]
    follower[: count * size] = place.repeat_interleave(size)
    influencer[representative] = place
    order = torch.randperm(total, generator=generator)
    f, h, truth = follower[order, None], influencer[order, None], instance[order]
    terms = InfluencerLoss()(f, h, truth)
    assert terms["repulsion"] == 0 and terms["influencer_repulsion"] == 0
    assert terms["attraction"] < 1e-4
    found = condense(f, h, radius=0.5)
    assert len(found) == count
    assert torch.equal(found.instance < 0, truth < 0)
    owner = truth[found.influencer][found.instance]
    assert torch.equal(owner[truth >= 0], truth[truth >= 0])
    assert bool((found.score == 1).all())


def test_nothing_to_condense() -> None:
    none = torch.zeros(0, 3)
    found = condense(none, none, radius=1.0, ptr=torch.tensor([0, 0, 0]))
    assert len(found) == 0 and found.num_graphs == 2 and len(found.instance) == 0
    assert len(condense(none, none, radius=1.0)) == 0
    follower = torch.rand(7, 3)
    noise = condense(
        follower,
        follower + 10.0,
        radius=1.0,
        ptr=torch.tensor([0, 0, 7]),
        class_logits=torch.rand(7, 2),
        properties={"size": torch.rand(7, 2)},
    )
    assert noise.instance.tolist() == [-1] * 7 and len(noise) == 0
    assert noise.label is not None and len(noise.label) == 0
    assert noise.properties["size"].shape == (0, 2)
    assert [len(part) for part in noise.split()] == [0, 0]


def test_duplicates_are_removed_and_their_members_stay_together() -> None:
    follower = torch.tensor([[0.0], [0.1], [0.2], [5.0]])
    influencer = torch.tensor([[0.0], [0.15], [0.3], [5.1]])  # three candidates for one instance
    found = condense(follower, influencer, radius=0.5)
    assert found.instance.tolist() == [0, 0, 0, 1]
    assert found.influencer.tolist() == [0, 3]
    apart = condense(follower, influencer, radius=0.5, suppression_radius=0.01, min_share=0.0)
    assert apart.instance.tolist() == [0, 1, 1, 2]  # each with the nearest of them


def test_weak_instances_give_their_members_back() -> None:
    """The stray influencer at .45 is beyond suppression, but loses three of its four followers."""
    follower = torch.tensor([[0.0], [0.05], [0.05], [0.1], [0.3]])
    influencer = torch.tensor([[0.0], [0.45], [9.0], [11.0], [13.0]])
    settings = {"radius": 0.5, "suppression_radius": 0.4}
    assert condense(follower, influencer, **settings).instance.tolist() == [0] * 5
    split = condense(follower, influencer, min_share=0.0, **settings)
    assert split.instance.tolist() == [0, 0, 0, 0, 1]
    sized = condense(follower, influencer, min_share=0.0, min_size=2, **settings)
    assert sized.instance.tolist() == [0] * 5


def test_equal_rivals_do_not_dissolve_each_other() -> None:
    """Three influencers around six followers of all three: the first of them stays."""
    angle = torch.arange(6.0) * torch.pi / 3
    circle = torch.stack([angle.cos(), angle.sin()], dim=1)
    follower, influencer = 0.1 * circle, 0.4 * circle
    influencer[1::2] += 50.0 * circle[1::2]
    found = condense(follower, influencer, radius=0.6, suppression_radius=0.1, min_share=1.0)
    assert found.influencer.tolist() == [0]
    assert found.instance.tolist() == [0] * 6


def test_class_is_the_closeness_weighted_vote_and_properties_are_the_influencers() -> None:
    follower = torch.tensor([[0.0], [0.4], [0.4], [7.0]])
    influencer = torch.tensor([[0.0], [20.0], [30.0], [7.0]])
    logits = torch.tensor([[2.0, 0.0], [0.0, 2.1], [0.0, 2.1], [0.0, 1.0]])
    energy = torch.tensor([5.0, 6.0, 7.0, 8.0])
    found = condense(
        follower, influencer, radius=0.5, class_logits=logits, properties={"energy": energy}
    )
    # weights 1, .36, .36: 2.0 against 1.512
    assert found.label is not None and found.label.tolist() == [0, 1]
    assert found.properties["energy"].tolist() == [5.0, 8.0]
    assert found.score.tolist() == pytest.approx([(1 + 0.36 + 0.36) / 3, 1.0])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_batch_vector_half_precision_and_gradients_are_fine(dtype: torch.dtype) -> None:
    f = torch.tensor([[0.0], [0.0], [0.0], [4.0]], dtype=dtype, requires_grad=True)
    found = condense(f, f, radius=0.5, batch=torch.tensor([0, 0, 2, 2]))
    assert found.instance.tolist() == [0, 0, 0, 1]
    assert found.batch.tolist() == [0, 2, 2]
    assert not found.score.requires_grad


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_follower_exactly_at_the_radius_joins(dtype: torch.dtype) -> None:
    """Every counted follower is a member, whichever way the square of the radius rounds."""
    for step in range(1, 200):
        radius = step / 100
        f = torch.tensor([[radius]], dtype=dtype)
        found = condense(
            torch.cat([f, -f]), torch.tensor([[0.0], [99.0]], dtype=dtype), radius=radius
        )
        assert found.instance.tolist() == [0, 0], radius


def test_bad_arguments_are_named() -> None:
    f = torch.rand(4, 2)
    for arguments, options, word in (
        ((f, f[:3]), {"radius": 1.0}, "influencer"),
        ((f, f), {"radius": 0.0}, "radius"),
        ((f, f), {"radius": 1.0, "suppression_radius": -1.0}, "suppression_radius"),
        ((f, f), {"radius": 1.0, "min_share": 2.0}, "min_share"),
        ((f, f), {"radius": 1.0, "class_logits": f[:2]}, "class_logits"),
        ((f, f), {"radius": 1.0, "class_logits": f[:, 0]}, r"class_logits has shape \(4,\)"),
        ((f, f), {"radius": 1.0, "properties": {"pt": f[0, 0]}}, "pt"),
        ((f, f), {"radius": 1.0, "properties": {"pt": f[:2]}}, "pt"),
        ((f, f), {"radius": 1.0, "batch": f[:, 0].long(), "ptr": torch.tensor([0, 4])}, "one of"),
    ):
        with pytest.raises(InputError, match=word):
            condense(*arguments, **options)
