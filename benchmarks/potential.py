"""Times the hinge potential, forward and backward, beside every peer that is installed.

    python benchmarks/potential.py --out runs/bench [--points 100000] [--threads 1] [--peers ...]

Cases: N points in N / 10 instances, one member of each is its representative; N x N / 10 pairs of
different instances within radius 1, power 2. Results are compared before anything is timed; runs of
the contestants alternate; medians, ratios and added peak memory go to the screen and to JSON.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import math
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from geoinfluencer import ops

Contestant = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]
CASES = ((3, "clustered"), (8, "clustered"), (3, "random"), (8, "random"), (3, "ball"), (8, "ball"))
DENSE_LIMIT = 200_000_000  # pairs beyond which a peer that lists them all is left out


def make_points(points: int, dim: int, kind: str) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """x (N, D), y (K, D) and their instance ids, shuffled, from a fixed seed."""
    rng = torch.Generator().manual_seed(0)
    instances = points // 10
    ids = torch.arange(instances).repeat_interleave(10)
    x = torch.randn(points, dim, generator=rng)
    if kind == "clustered":  # a unit ball holds about one other representative
        ball = math.pi ** (dim / 2) / math.gamma(dim / 2 + 1)
        side = (instances * ball) ** (1 / dim)
        x = torch.rand(instances, dim, generator=rng)[ids] * side + 0.1 * x
    elif kind == "ball":  # early training: every pair is active
        x = 0.05 * x
    y, y_ids = x[::10].clone(), ids[::10].clone()
    order = torch.randperm(points, generator=rng)
    return x[order], y, ids[order], y_ids


def ours(x: Tensor, y: Tensor, x_ids: Tensor, y_ids: Tensor) -> Tensor:
    """The op of this package."""
    energy, _ = ops.influence_potential(x, y, radius=1.0, x_instance=x_ids, y_instance=y_ids)
    return energy.sum()


def hinge_of_pairs(x: Tensor, y: Tensor, rows: Tensor, cols: Tensor) -> Tensor:
    """What a user writes after a neighbour search: gather, distance, hinge."""
    distance = (x[rows] - y[cols]).norm(dim=1)
    return (1.0 - distance).clamp_min(0).square().sum()


def scipy_gather(x: Tensor, y: Tensor, x_ids: Tensor, y_ids: Tensor) -> Tensor:
    """SciPy's cKDTree, then gather."""
    from scipy.spatial import cKDTree

    trees = cKDTree(x.detach().numpy()), cKDTree(y.detach().numpy())
    pairs = trees[0].sparse_distance_matrix(trees[1], 1.0, output_type="ndarray")
    rows, cols = torch.from_numpy(pairs["i"].copy()), torch.from_numpy(pairs["j"].copy())
    other = x_ids[rows] != y_ids[cols]
    return hinge_of_pairs(x, y, rows[other], cols[other])


def torch_cluster_gather(x: Tensor, y: Tensor, x_ids: Tensor, y_ids: Tensor) -> Tensor:
    """torch_cluster.radius, then gather."""
    from torch_cluster import radius

    cols, rows = radius(x.detach(), y.detach(), 1.0, max_num_neighbors=x.shape[0])
    other = x_ids[rows] != y_ids[cols]
    return hinge_of_pairs(x, y, rows[other], cols[other])


def dense(x: Tensor, y: Tensor, x_ids: Tensor, y_ids: Tensor) -> Tensor:
    """All distances at once."""
    hinge = (1.0 - torch.cdist(x, y)).clamp_min(0).square()
    return (hinge * (x_ids[:, None] != y_ids)).sum()


PEERS: dict[str, tuple[str, Contestant]] = {
    "torch_cluster": ("torch_cluster", torch_cluster_gather),
    "scipy": ("scipy", scipy_gather),
    "dense": ("torch", dense),
}


def installed(module: str) -> bool:
    """Whether a peer can be imported."""
    try:
        __import__(module)
    except ImportError:
        return False
    return True


def step(contestant: Contestant, case: tuple[Tensor, ...]) -> tuple[float, Tensor, Tensor]:
    """Seconds of one forward and backward, the value and the gradient of x."""
    x, y, x_ids, y_ids = case
    x, y = x.clone().requires_grad_(), y.clone().requires_grad_()
    start = time.perf_counter()
    value = contestant(x, y, x_ids, y_ids)
    value.backward()
    seconds = time.perf_counter() - start
    assert x.grad is not None
    return seconds, value.detach(), x.grad


def peak_memory(contestant: Contestant, case: tuple[Tensor, ...]) -> float:
    """MB that one step adds to the resident set at its peak (Linux; NaN elsewhere)."""
    status, clear = Path("/proc/self/status"), Path("/proc/self/clear_refs")

    def read(field: str) -> float:
        line = next(row for row in status.read_text().splitlines() if row.startswith(field))
        return int(line.split()[1]) / 1024

    if not clear.exists():
        return math.nan
    ctypes.CDLL(None).malloc_trim(0)  # else what earlier steps returned is used again, unseen
    clear.write_text("5")  # forgets the peak so far
    before = read("VmRSS")
    step(contestant, case)
    return read("VmHWM") - before


def run_case(points: int, dim: int, kind: str, peers: list[str], repeats: int) -> dict[str, Any]:
    """Compares, then times, the contestants on one case."""
    case = make_points(points, dim, kind)
    contestants: dict[str, Contestant] = {"geoinfluencer": ours}
    _, active = ops.influence_potential(
        case[0], case[1], radius=1.0, x_instance=case[2], y_instance=case[3]
    )
    for name in peers:
        module, contestant = PEERS[name]
        listed = points * (points // 10) if name == "dense" else int(active)
        if installed(module) and listed <= (DENSE_LIMIT if name == "dense" else DENSE_LIMIT // 8):
            contestants[name] = contestant
    _, value, gradient = step(ours, case)
    for name, contestant in contestants.items():
        _, other, other_gradient = step(contestant, case)
        torch.testing.assert_close(other, value, rtol=1e-4, atol=1e-3, msg=f"{name} differs")
        torch.testing.assert_close(other_gradient, gradient, rtol=1e-3, atol=1e-3)
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(repeats):
        for name, contestant in contestants.items():
            seconds[name].append(step(contestant, case)[0])
    rows = {
        name: {
            "median_ms": 1e3 * statistics.median(times),
            "min_ms": 1e3 * min(times),
            "peak_mb": peak_memory(contestants[name], case),
        }
        for name, times in seconds.items()
    }
    ours_ms = rows["geoinfluencer"]["median_ms"]
    for row in rows.values():
        row["times_ours"] = row["median_ms"] / ours_ms
    return {"points": points, "dim": dim, "kind": kind, "active": int(active), "results": rows}


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=100_000)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--peers", nargs="*", default=list(PEERS), choices=list(PEERS))
    parser.add_argument("--kinds", nargs="*", default=["clustered", "random", "ball"])
    parser.add_argument("--out", type=Path, help="folder for potential.json")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    cases = []
    print(
        f"{'case':<24}{'contestant':<16}{'median ms':>10}{'min ms':>10}{'x ours':>8}{'peak MB':>9}"
    )
    for dim, kind in CASES:
        if kind not in arguments.kinds:
            continue
        case = run_case(arguments.points, dim, kind, arguments.peers, arguments.repeats)
        cases.append(case)
        for name, row in case["results"].items():
            print(
                f"{arguments.points:>7} D{dim:<2}{kind:<12} {name:<16}{row['median_ms']:>10.2f}"
                f"{row['min_ms']:>10.2f}{row['times_ours']:>8.1f}{row['peak_mb']:>9.1f}",
                flush=True,
            )
    if arguments.out:
        arguments.out.mkdir(parents=True, exist_ok=True)
        report = {
            "machine": platform.processor() or platform.machine(),
            "threads": arguments.threads,
            "backend": ops.backend()["influence_potential"],
            "torch": torch.__version__,
            "cases": cases,
        }
        target = arguments.out / "potential.json"
        partial = target.with_suffix(".json.part")
        partial.write_text(json.dumps(report, indent=2))
        partial.replace(target)
        print(f"wrote {target}")


if __name__ == "__main__":
    main()
