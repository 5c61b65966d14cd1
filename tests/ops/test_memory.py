"""Scratch memory that the CPU kernels keep between calls."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import threading

import pytest
import torch

from geoinfluencer import ops

pytestmark = pytest.mark.usefixtures("needs_native")


def energy(points: torch.Tensor) -> tuple[float, torch.Tensor]:
    leaf = points.clone().requires_grad_()
    value = ops.influence_potential(leaf, radius=0.3)[0].sum()
    value.backward()
    assert leaf.grad is not None
    return float(value.detach()), leaf.grad


def test_memory_taken_again_changes_nothing() -> None:
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


# in a process of its own, whose allocator holds nothing of other tests
MEASURE = """
import ctypes
import torch
from pathlib import Path
from geoinfluencer import ops

def resident():
    ctypes.CDLL(None).malloc_trim(0)
    rows = Path("/proc/self/status").read_text().splitlines()
    return int(next(row for row in rows if row.startswith("VmRSS")).split()[1]) / 1024

torch.set_num_threads(1)
sets = [torch.randn(900_000 + 150_000 * step, 6) for step in range(6)]
for points in sets[:1]:
    ops.radius_count(points, None, 0.01)
ops.release_memory()
before = resident()
for points in sets:  # every size is another one
    ops.radius_count(points, None, 0.01)
kept = resident() - before
ops.release_memory()
print(kept, resident() - before)
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="needs glibc")
@pytest.mark.skipif("asan" in os.environ.get("LD_PRELOAD", ""), reason="nothing is kept under ASan")
def test_what_is_kept_is_bounded_and_can_be_given_back() -> None:
    done = subprocess.run(
        [sys.executable, "-c", MEASURE], check=True, capture_output=True, text=True
    )
    kept, left = map(float, done.stdout.split())
    assert 64 < kept < 256 + 16
    assert left < 16


def test_threads_do_not_share_memory_in_use() -> None:
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
