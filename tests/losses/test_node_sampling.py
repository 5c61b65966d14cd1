"""Draws of nodes: no instance lost, sums unbiased."""

from __future__ import annotations

import pytest
import torch

from geoinfluencer.errors import InputError
from geoinfluencer.losses.node_sampling import sample_nodes


def scene() -> tuple[torch.Tensor, torch.Tensor]:
    """A graph of 10,000 nodes with instances of 2, 50 and 3,000, and one of 30 nodes."""
    big = torch.full((10_000,), -1)
    big[:2], big[100:150], big[2000:5000] = 7, 3, 0
    return torch.cat([big, torch.arange(30) % 3]), torch.tensor([0, 10_000, 10_030])


def test_every_stratum_stays_and_small_graphs_are_left_alone() -> None:
    instance, ptr = scene()
    drawn = sample_nodes(instance, ptr, 400)
    assert drawn is not None
    kept, factor, new_ptr = drawn
    assert bool((kept.diff() > 0).all())
    assert 300 <= int(new_ptr[1]) <= 400 and int(new_ptr[2] - new_ptr[1]) == 30
    size = {value: int((instance[kept[: new_ptr[1]]] == value).sum()) for value in (-1, 0, 3, 7)}
    assert size[7] == 2 and size[3] == 50 and size[0] > 90 and size[-1] > 150
    assert bool((factor[int(new_ptr[1]) :] == 1).all())


def test_no_draw_where_every_graph_is_small_enough() -> None:
    instance, ptr = scene()
    assert sample_nodes(instance, ptr, 10_000) is None


def test_factors_give_the_size_of_each_stratum() -> None:
    instance, ptr = scene()
    drawn = sample_nodes(instance, ptr, 200)
    assert drawn is not None
    kept, factor, new_ptr = drawn
    first = slice(0, int(new_ptr[1]))
    for value in (-1, 0, 3, 7):
        mine = instance[kept[first]] == value
        expected = int((instance[:10_000] == value).sum())
        assert float(factor[first][mine].sum()) == pytest.approx(expected, rel=1e-12)


def test_weighted_sums_are_unbiased() -> None:
    instance, ptr = torch.arange(300) % 3 - 1, torch.tensor([0, 300])
    value = torch.randn(300, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    generator = torch.Generator().manual_seed(2)
    sums = []
    for _ in range(2000):
        drawn = sample_nodes(instance, ptr, 60, generator=generator)
        assert drawn is not None
        kept, factor, _ = drawn
        sums.append((value[kept] * factor * (instance[kept] == 0)).sum())
    found = torch.stack(sums)
    truth = value[instance == 0].sum()
    assert float((found.mean() - truth).abs()) < 4 * float(found.std()) / 2000**0.5
    assert float(found.std()) > 1  # it is a draw


def test_ignored_nodes_are_never_drawn_and_take_no_place() -> None:
    instance = torch.cat([torch.full((5000,), -1), torch.zeros(100, dtype=torch.int64)])
    counts = torch.cat([torch.zeros(5000), torch.ones(100)]).bool()
    drawn = sample_nodes(instance, torch.tensor([0, 5100]), 200, counts=counts)
    assert drawn is not None
    assert torch.equal(drawn[0], torch.arange(5000, 5100))
    assert bool((drawn[1] == 1).all())


def test_more_strata_than_places_keeps_one_node_of_each() -> None:
    instance = torch.arange(1000) // 10
    drawn = sample_nodes(instance, torch.tensor([0, 1000]), 20)
    assert drawn is not None
    assert torch.equal(instance[drawn[0]], torch.arange(100))


def test_a_draw_of_nothing_is_refused() -> None:
    with pytest.raises(InputError, match="max_nodes is 0"):
        sample_nodes(torch.zeros(3, dtype=torch.int64), torch.tensor([0, 3]), 0)
