"""Time and memory of the attraction term, forward and backward, in a fresh process.

python benchmarks/attraction.py [--points 10000] [--per-instance 1000] [--dim 8] [--threads 1]

Prints one JSON object: `ms` is the median of the repeats, `peak_mb` what the peak resident memory
rises by over the moment before the first call (inputs and library already in memory).
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import time
from pathlib import Path

import torch
from torch import Tensor

from geoinfluencer.losses.attraction import (
    attraction_per_graph,
    instance_mean,
    mean_square_distance,
)
from geoinfluencer.losses.segments import instance_segments


def attraction(follower: Tensor, influencer: Tensor, instance: Tensor, ptr: Tensor) -> Tensor:
    """The term as the loss computes it, segments included."""
    segments = instance_segments(instance, ptr)
    weight = torch.ones_like(follower[:, 0])
    s = mean_square_distance(follower, influencer, segments, weight)
    mean = instance_mean(s, segments, weight, attraction="power", sharpness=2.0)
    return attraction_per_graph(mean, segments, torch.ones_like(mean), 1).sum()


def problem(points: int, per_instance: int, dim: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Random embeddings in shuffled instances of equal size."""
    follower = torch.randn(points, dim, requires_grad=True)
    influencer = torch.randn(points, dim, requires_grad=True)
    instance = (torch.arange(points) // per_instance)[torch.randperm(points)]
    return follower, influencer, instance, torch.tensor([0, points])


def peak_mb() -> float:
    """Highest resident memory of this process since it was last reset."""
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def reset_peak() -> None:
    """Linux forgets the imports' peak when asked to; elsewhere the figure is a lower bound."""
    clear = Path("/proc/self/clear_refs")
    if clear.exists():
        clear.write_text("5")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--points", type=int, default=10_000)
    parser.add_argument("--per-instance", type=int, default=1000)
    parser.add_argument("--dim", type=int, default=8)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=20)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    attraction(*problem(64, 8, options.dim)).backward()  # lazy initialisation of torch itself
    inputs = problem(options.points, options.per_instance, options.dim)
    reset_peak()
    before, times = peak_mb(), []
    for _ in range(options.repeats):
        start = time.perf_counter()
        attraction(*inputs).backward()
        times.append(1000 * (time.perf_counter() - start))
    print(
        json.dumps(
            {
                "points": options.points,
                "per_instance": options.per_instance,
                "dim": options.dim,
                "threads": options.threads,
                "ms": round(statistics.median(times), 2),
                "peak_mb": round(peak_mb() - before, 2),
            }
        )
    )


if __name__ == "__main__":
    main()
