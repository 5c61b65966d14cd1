from __future__ import annotations

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given
from torch import Tensor

from geoinfluencer.errors import InputError
from geoinfluencer.nn.query_selection import LearnedQueries, cover_instances, select_influencers


def by_definition(
    influence: Tensor, points: Tensor, ptr: Tensor, radius: float, least: float, few: int, most: int
) -> tuple[list[int], list[int]]:
    """One node after the other, graph after graph."""
    nodes, bounds = [], [0]
    for low, high in zip(ptr[:-1].tolist(), ptr[1:].tolist(), strict=True):
        taken: list[int] = []
        for i in sorted(range(low, high), key=lambda i: -influence[i].item()):
            if all(torch.dist(points[i], points[j]) > radius for j in taken):
                taken.append(i)
        gathered = dict.fromkeys(sorted(taken), 0.0)
        for i in range(low, high):
            gathered[min(taken, key=lambda j: torch.dist(points[i], points[j]).item())] += float(
                influence[i].sigmoid()
            )
        ranked = sorted(gathered, key=lambda i: -gathered[i])[:most]
        chosen = [i for place, i in enumerate(ranked) if gathered[i] >= least or place < few]
        nodes += sorted(chosen)
        bounds.append(len(nodes))
    return nodes, bounds


@given(
    sizes=st.lists(st.integers(0, 12), min_size=1, max_size=4),
    few=st.integers(0, 4),
    seed=st.integers(0, 99),
)
def test_nodes_are_chosen_as_defined(sizes: list[int], few: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    ptr = torch.tensor([0, *sizes]).cumsum(0)
    influence = torch.randn(sum(sizes), generator=generator)
    points = torch.rand(sum(sizes), 2, generator=generator)
    for most in (None, max(few, 2)):
        nodes, query_ptr = select_influencers(
            influence, points, ptr, radius=0.3, min_influence=0.6, min_queries=few, max_queries=most
        )
        expected = by_definition(influence, points, ptr, 0.3, 0.6, few, most or 99)
        assert (nodes.tolist(), query_ptr.tolist()) == expected


@pytest.mark.parametrize("objects", [3, 50, 500])
def test_a_scene_of_any_size_loses_no_object(objects: int) -> None:
    # as the embedding loss leaves them: the followers of an object gather, objects are a margin
    # apart, and it is more or less clear which of its ten nodes has influence
    generator = torch.Generator().manual_seed(0)
    place = torch.randn(objects, 8, generator=generator)
    place = place * 1.0 / torch.pdist(place).min()  # the nearest two are one margin apart
    owner = torch.arange(objects).repeat(10)
    points = place[owner] + 0.05 * torch.randn(10 * objects, 8, generator=generator)
    influence = torch.logit(0.06 + 0.9 * torch.rand(10 * objects, generator=generator))
    # noise has none
    owner = torch.cat([owner, torch.full((100,), -1)])
    points = torch.cat([points, 3 * torch.randn(100, 8, generator=generator)])
    influence = torch.cat([influence, torch.full((100,), -5.0)])
    order = torch.randperm(owner.shape[0], generator=generator)
    nodes, ptr = select_influencers(
        influence[order], points[order], torch.tensor([0, owner.shape[0]]), radius=0.5
    )
    assert sorted(owner[order][nodes].tolist()) == list(range(objects))
    assert ptr.tolist() == [0, objects]


def test_a_large_instance_is_found_though_none_of_its_nodes_stands_out() -> None:
    points = torch.cat([torch.zeros(2000, 3), torch.full((500, 3), 4.0)])
    influence = torch.cat([torch.full((2000,), 1 / 2000), torch.full((500,), 1e-6)]).logit()
    nodes, _ = select_influencers(influence, points, torch.tensor([0, 2500]), radius=0.5)
    assert len(nodes) == 1 and nodes[0] < 2000


@given(sizes=st.lists(st.integers(0, 12), min_size=1, max_size=4), seed=st.integers(0, 99))
def test_in_training_every_instance_has_a_query(sizes: list[int], seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    ptr = torch.tensor([0, *sizes]).cumsum(0)
    count = sum(sizes)
    instance = torch.randint(-1, 4, (count,), generator=generator)
    influence = torch.randn(count, generator=generator)
    ignore = torch.rand(count, generator=generator) < 0.2
    chosen = (torch.rand(count, generator=generator) < 0.2).nonzero()[:, 0]
    nodes, query_ptr = cover_instances(chosen, influence, instance, ptr, ignore=ignore)
    assert query_ptr.tolist() == [int((nodes < bound).sum()) for bound in ptr]
    expected = set(chosen.tolist())
    for low, high in zip(ptr[:-1].tolist(), ptr[1:].tolist(), strict=True):
        for k in range(4):
            members = [i for i in range(low, high) if instance[i] == k and not ignore[i]]
            if members and not expected & set(members):
                expected.add(max(members, key=lambda i: influence[i].item()))
    assert nodes.tolist() == sorted(expected)


def test_order_of_the_nodes_does_not_matter() -> None:
    influence, points = torch.randn(200), torch.rand(200, 3)
    ptr, order = torch.tensor([0, 200]), torch.randperm(200)
    nodes, _ = select_influencers(influence, points, ptr, radius=0.2)
    moved, _ = select_influencers(influence[order], points[order], ptr, radius=0.2)
    assert sorted(order[moved].tolist()) == nodes.tolist()


def test_settings_and_values_that_cannot_be() -> None:
    influence, points, ptr = torch.randn(4), torch.rand(4, 3), torch.tensor([0, 4])
    with pytest.raises(InputError, match="min_influence is -1"):
        select_influencers(influence, points, ptr, radius=1.0, min_influence=-1)
    with pytest.raises(InputError, match="min_queries is 5 and max_queries 4"):
        select_influencers(influence, points, ptr, radius=1.0, min_queries=5, max_queries=4)
    points[1, 1] = torch.nan
    with pytest.raises(InputError, match="holds NaN"):
        select_influencers(influence, points, ptr, radius=1.0)


def test_learned_queries_are_the_same_for_every_graph() -> None:
    learned = LearnedQueries(5, 8)
    state, ptr = learned(3)
    assert ptr.tolist() == [0, 5, 10, 15]
    assert torch.equal(state.view(3, 5, 8), learned.state.expand(3, 5, 8))
    assert learned(0)[0].shape == (0, 8)
    assert repr(learned) == "LearnedQueries(5, 8)"
    with pytest.raises(InputError, match="learned queries is 0"):
        LearnedQueries(0, 8)
