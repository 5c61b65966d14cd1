"""Traits of instances by hand, and over batches."""

from __future__ import annotations

import math

import pytest
import torch

from geoinfluencer.condensation import condense
from geoinfluencer.condensation.traits import (
    EMBEDDING_TRAITS,
    QUERY_TRAITS,
    embedding_traits,
    query_traits,
)


def test_by_hand() -> None:
    """Two instances on a line, at 0 and 3, radius 1; one follower at 1.4 is in neither."""
    follower = torch.tensor([[0.0], [0.6], [1.4], [3.0], [3.4]])
    influencer = torch.tensor([[0.0], [9.0], [20.0], [3.0], [30.0]])
    mass = torch.tensor([1.0, 3.0, 5.0, 2.0, 2.0])
    found = condense(follower, influencer, radius=1.0)
    assert found.instance.tolist() == [0, 0, -1, 1, 1]
    traits = embedding_traits(follower, influencer, found, radius=1.0, mass=mass)
    assert traits.dtype == torch.float64
    table = {name: traits[:, i].tolist() for i, name in enumerate(EMBEDDING_TRAITS)}
    first, second = 1 - 0.36 / 2, 1 - 0.16 / 2
    assert table["score"] == pytest.approx([first, second])
    assert table["size"] == pytest.approx([math.log(4)] * 2)
    assert table["closeness"] == pytest.approx([first, second])
    assert table["core"] == [0.5, 1]  # within half a radius
    assert table["reach"] == pytest.approx([2 / 3, 2 / 3])  # 1.4 is within 2 of both
    assert table["rival"] == pytest.approx([3, 3])
    assert table["loose"] == pytest.approx([5 / 4, 0])  # within 1.5 of 0 alone
    assert table["relative_size"] == pytest.approx([0, 0])
    assert table["own"] == pytest.approx([0, 0])
    assert table["sample_closeness"] == pytest.approx([(first + second) / 2] * 2)
    assert query_traits(found, mass=mass)[:, 1].tolist() == table["size"]
    sizes = query_traits(found)
    assert sizes.shape == (2, len(QUERY_TRAITS)) and sizes[:, 1].exp().tolist() == [2, 2]


def test_a_batch_has_the_traits_of_its_graphs() -> None:
    generator = torch.Generator().manual_seed(0)
    follower = torch.randn(60, 2, generator=generator)
    influencer = torch.randn(60, 2, generator=generator)
    mass = torch.rand(60, generator=generator)
    ptr = torch.tensor([0, 25, 25, 60])  # one of them empty
    found = condense(follower, influencer, radius=0.6, ptr=ptr)
    traits = embedding_traits(follower, influencer, found, radius=0.6, mass=mass)
    assert len(found) > 5
    parts, own = [], found.split()
    for graph, (low, high) in enumerate([(0, 25), (25, 25), (25, 60)]):
        part = slice(low, high)
        parts.append(
            embedding_traits(
                follower[part], influencer[part], own[graph], radius=0.6, mass=mass[part]
            )
        )
    torch.testing.assert_close(traits, torch.cat(parts))
    torch.testing.assert_close(query_traits(found, mass=mass), traits[:, [0, 1]], check_dtype=False)


@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=pytest.mark.cuda)])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_has_the_traits_of_its_values(dtype: torch.dtype, device: str) -> None:
    generator = torch.Generator().manual_seed(0)
    follower = torch.randn(60, 2, generator=generator).to(dtype)
    influencer = torch.randn(60, 2, generator=generator).to(dtype)
    mass = torch.rand(60, generator=generator)
    ptr = torch.tensor([0, 25, 60])
    exact = condense(follower.float(), influencer.float(), radius=0.6, ptr=ptr)
    wanted = embedding_traits(follower.float(), influencer.float(), exact, radius=0.6, mass=mass)
    moved = follower.to(device), influencer.to(device)
    found = condense(*moved, radius=0.6, ptr=ptr.to(device))
    assert torch.equal(found.instance.cpu(), exact.instance) and len(found) > 5
    traits = embedding_traits(*moved, found, radius=0.6, mass=mass)
    assert traits.device == moved[0].device and traits.dtype == torch.float64
    torch.testing.assert_close(traits.cpu(), wanted, rtol=1e-5, atol=1e-6)
    sizes = query_traits(found, mass=mass.to(dtype))
    weighed = query_traits(exact, mass=mass.to(dtype).float())
    torch.testing.assert_close(sizes.cpu(), weighed, rtol=1e-5, atol=1e-6)


def test_a_follower_that_is_no_number_is_far() -> None:
    follower = torch.tensor([[math.nan], [0.1], [3.0]])
    influencer = torch.tensor([[0.0], [9.0], [3.0]])
    found = condense(follower, influencer, radius=1.0)
    assert found.influencer.tolist() == [0, 2] and found.instance.tolist() == [-1, 0, 1]
    traits = embedding_traits(follower, influencer, found, radius=1.0)
    assert traits.isfinite().all()
    assert traits[:, EMBEDDING_TRAITS.index("own")].tolist() == [6, 0]


def test_alone_and_nobody() -> None:
    point = torch.zeros(3, 2)
    alone = condense(point, point, radius=0.5)
    traits = embedding_traits(point, point, alone, radius=0.5)
    assert traits[0].tolist() == pytest.approx([1, math.log(3), 1, 1, 1, 6, 0, 0, 0, 1])
    nobody = condense(point, point + 9, radius=0.5)
    assert embedding_traits(point, point + 9, nobody, radius=0.5).shape == (0, 10)
    assert query_traits(nobody).shape == (0, 2)


def test_sizes_are_relative_to_the_lower_median_and_own_followers_may_be_elsewhere() -> None:
    """Sizes 1, 2 and 4, then 1 and 3 in a second graph; the first node follows the second one."""
    place = torch.tensor([0.0] + [10.0] * 2 + [20.0] * 4 + [0.0] + [9.0] * 3)[:, None]
    ptr = torch.tensor([0, 7, 11])
    found = condense(place, place, radius=1.0, ptr=ptr)
    assert found.size.tolist() == [1, 2, 4, 1, 3]
    column = EMBEDDING_TRAITS.index("relative_size")
    relative = embedding_traits(place, place, found, radius=1.0)[:, column].exp()
    assert relative.tolist() == pytest.approx([0.5, 1, 2, 1, 3])
    follower, influencer = torch.tensor([[0.9], [0.0]]), torch.tensor([[0.0], [5.0]])
    pair = condense(follower, influencer, radius=1.0)
    own = embedding_traits(follower, influencer, pair, radius=1.0)[:, EMBEDDING_TRAITS.index("own")]
    assert own.tolist() == pytest.approx([0.9])
