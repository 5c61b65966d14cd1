from __future__ import annotations

from itertools import islice

import pytest
import torch

from geoinfluencer.training.fitting.loader import SeededAccess
from geoinfluencer.training.fitting.sampler import StepBatches, mixed_seed
from geoinfluencer.training.fitting.schedule import Clock, Horizon, learning_rate_factor


def take(count: int, **options: int) -> list[list[tuple[int, int]]]:
    return list(islice(StepBatches(10, 3, seed=1, **options), count))


def test_an_epoch_sees_every_sample_once() -> None:
    stream = [number for batch in take(20) for _, number in batch]
    for epoch in range(6):
        assert sorted(stream[10 * epoch : 10 * epoch + 10]) == list(range(10))
    assert stream[:10] != stream[10:20]


def test_a_later_start_is_a_later_part_of_the_same_stream() -> None:
    assert take(12)[7:] == take(5, start=7)


def test_processes_share_the_stream_out() -> None:
    alone = [place for batch in take(12) for place in batch]
    both = [take(6, rank=rank, world_size=2) for rank in range(2)]
    together = [place for pair in zip(*both, strict=True) for batch in pair for place in batch]
    assert together == alone


def test_seeds_are_stable_numbers() -> None:
    assert mixed_seed(1, 2) == mixed_seed(1, 2) != mixed_seed(12)


class Noisy(torch.utils.data.Dataset[torch.Tensor]):
    def __getitem__(self, index: int) -> torch.Tensor:
        return index + torch.rand(1)

    def __len__(self) -> int:
        return 4


def test_augmentation_depends_on_the_place_alone() -> None:
    access = SeededAccess(Noisy(), seed=3)
    first = access[(17, 2)]  # type: ignore[index]
    torch.rand(5)
    assert torch.equal(access[(17, 2)], first)  # type: ignore[index]
    assert not torch.equal(access[(18, 2)], first)  # type: ignore[index]


def test_augmentation_leaves_the_generator_alone() -> None:
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    SeededAccess(Noisy(), seed=3)[(0, 1)]  # type: ignore[index]
    assert torch.equal(torch.rand(1), expected)


def test_learning_rate_rises_then_falls() -> None:
    rates = [learning_rate_factor(p / 100, warmup=0.1, final=0.01) for p in range(101)]
    assert rates[:11] == sorted(rates[:11]) and rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[10] == pytest.approx(1.0) and rates[-1] == pytest.approx(0.01)
    assert all(0 < rate <= 1 for rate in rates)
    assert learning_rate_factor(0.0, warmup=0.0, final=0.1) == pytest.approx(1.0)


def test_progress_is_whichever_limit_is_nearer() -> None:
    assert Horizon(100, None).progress(25, 1e9) == 0.25
    assert Horizon(None, 2.0).progress(10**9, 60.0) == 0.5
    assert Horizon(100, 2.0).progress(75, 60.0) == 0.75
    assert Horizon(100, 2.0).progress(10, 600.0) == 1.0
    assert Horizon(100, None).seconds_left(50, 0.0, done_here=10, spent_here=5.0) == 25.0
    assert Horizon(None, 2.0).seconds_left(50, 90.0, done_here=10, spent_here=5.0) == 30.0


def test_clock_counts_only_while_it_runs() -> None:
    now = [0.0]
    clock = Clock(earlier=5.0, now=lambda: now[0])
    now[0] = 7.0
    assert clock.elapsed == 5.0
    clock.start()
    now[0] = 9.0
    assert clock.elapsed == 7.0
    clock.stop()
    now[0] = 99.0
    assert clock.elapsed == 7.0
