"""Scratch memory that the CPU kernels keep between calls."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
import torch

from geoinfluencer import ops
from geoinfluencer.ops import native

STATUS = Path("/proc/self/status")


def resident_mb() -> float:
    line = next(row for row in STATUS.read_text().splitlines() if row.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def energy(points: torch.Tensor) -> tuple[float, torch.Tensor]:
    leaf = points.clone().requires_grad_()
    value = ops.influence_potential(leaf, radius=0.3)[0].sum()
    value.backward()
    assert leaf.grad is not None
    return float(value.detach()), leaf.grad


@pytest.fixture
def native_only() -> None:
    if native.cpu(torch.zeros(1, 1)) is None:
        pytest.skip("the native library is not in use")


def test_memory_taken_again_changes_nothing(native_only: None) -> None:
    rng = torch.Generator().manual_seed(0)
    sets = [torch.randn(n, d, generator=rng) for n in (50, 3000, 20_000) for d in (2, 5)]
    ops.release_memory()
    fresh = [energy(points) for points in sets]
    for points, (value, gradient) in zip(sets, fresh, strict=True):
        again = energy(points)  # in memory that calls of other sizes have left dirty
        assert again[0] == value
        assert torch.equal(again[1], gradient)
        near = ops.knn(points, k=3)[0]
        ops.release_memory()
        assert torch.equal(ops.knn(points, k=3)[0], near)


@pytest.mark.skipif(not STATUS.exists(), reason="needs /proc")
def test_what_is_kept_is_bounded_and_can_be_given_back(native_only: None) -> None:
    rng = torch.Generator().manual_seed(0)
    energy(torch.randn(1000, 3, generator=rng))
    ops.release_memory()
    before = resident_mb()
    for step in range(12):  # every size is another one: none fits the one before
        ops.radius_count(torch.randn(150_000 + 40_000 * step, 6, generator=rng), None, 0.05)
    assert resident_mb() - before < 64 + 60  # what is kept, and the allocator's own slack
    ops.release_memory()
    assert resident_mb() - before < 60


def test_threads_do_not_share_memory_in_use(native_only: None) -> None:
    rng = torch.Generator().manual_seed(0)
    sets = [torch.randn(4000 + 500 * i, 3, generator=rng) for i in range(4)]
    expected = [energy(points) for points in sets]
    wrong: list[int] = []

    def work(i: int) -> None:
        for _ in range(10):
            value, gradient = energy(sets[i])
            if value != expected[i][0] or not torch.equal(gradient, expected[i][1]):
                wrong.append(i)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
