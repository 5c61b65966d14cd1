"""The hinge potential between N points and their N / 10 representatives, other instances only."""

from __future__ import annotations

import functools
from collections.abc import Callable

import torch
from torch import Tensor

from geoinfluencer import ops
from geoinfluencer.bench.cases import Case, make_points
from geoinfluencer.bench.contest import Contestant, Problem, Task
from geoinfluencer.bench.equality import compare_tensors
from geoinfluencer.bench.peers import OURS

RADIUS = 1.0
TREE_WORK = 30  # building and walking a tree costs about as much as listing so many pairs a point


def problem(case: Case, device: torch.device) -> Problem:
    """Points, representatives, and how many pairs lie within the radius."""
    points = make_points(case, device)
    tensors = {"x": points.x, "y": points.y, "x_ids": points.ids, "y_ids": points.y_ids}
    counts = ops.radius_count(points.x, points.y, RADIUS)
    numbers = {"within": float(counts.sum()), "most": float(counts.max())}
    return Problem(case, tensors, numbers, second=points.y.shape[0])


def ours(p: Problem) -> Tensor:
    """The op of this package: (1,), the energy of one graph."""
    x_ids, y_ids = p["x_ids"], p["y_ids"]
    energy, _ = ops.influence_potential(
        p["x"], p["y"], radius=RADIUS, x_instance=x_ids, y_instance=y_ids
    )
    return energy


def hinge_of_pairs(x: Tensor, y: Tensor, rows: Tensor, cols: Tensor) -> Tensor:
    """What a user writes after a neighbour search: gather, distance, hinge."""
    return (RADIUS - (x[rows] - y[cols]).norm(dim=1)).clamp_min(0).square().sum()


def torch_cluster_gather(p: Problem) -> Tensor:
    """torch_cluster.radius, then gather."""
    from torch_cluster import radius

    # On the GPU it reserves this many places for every representative: the exact number is kind.
    most = int(p.numbers["most"]) if p["x"].is_cuda else p.case.points
    x, y = p["x"], p["y"]
    threads = p.case.threads
    cols, rows = radius(x.detach(), y.detach(), RADIUS, max_num_neighbors=most, num_workers=threads)
    other = p["x_ids"][rows] != p["y_ids"][cols]
    return hinge_of_pairs(x, y, rows[other], cols[other])


def scipy_gather(p: Problem) -> Tensor:
    """The pairs of two cKDTrees, then gather."""
    from scipy.spatial import cKDTree

    x, y = p["x"], p["y"]
    trees = cKDTree(x.detach().numpy()), cKDTree(y.detach().numpy())
    pairs = trees[0].sparse_distance_matrix(trees[1], RADIUS, output_type="ndarray")
    rows, cols = torch.from_numpy(pairs["i"].copy()), torch.from_numpy(pairs["j"].copy())
    other = p["x_ids"][rows] != p["y_ids"][cols]
    return hinge_of_pairs(x, y, rows[other], cols[other])


def keops(p: Problem) -> Tensor:
    """All pairs, without storing them."""
    from pykeops.torch import LazyTensor

    x, y = LazyTensor(p["x"][:, None, :]), LazyTensor(p["y"][None, :, :])
    x_ids = LazyTensor(p["x_ids"].float()[:, None, None])  # ids below 2^24 are exact
    y_ids = LazyTensor(p["y_ids"].float()[None, :, None])
    hinge = (RADIUS - ((x - y) ** 2).sum(-1).sqrt()).relu() ** 2
    total: Tensor = (hinge * (x_ids - y_ids).abs().clamp(0, 1)).sum(1).sum()
    return total


def all_distances(x: Tensor, y: Tensor, x_ids: Tensor, y_ids: Tensor) -> Tensor:
    """The dense formula; distances by differences, as those by a matrix product cancel."""
    distance = torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist")
    hinge = (RADIUS - distance).clamp_min(0).square()
    return (hinge * (x_ids[:, None] != y_ids)).sum()


def dense(p: Problem) -> Tensor:
    """All distances at once."""
    return all_distances(p["x"], p["y"], p["x_ids"], p["y_ids"])


@functools.cache
def compiled() -> Callable[..., Tensor]:
    """The dense formula, compiled once for all sizes."""
    return torch.compile(all_distances, dynamic=True)


def torch_compile(p: Problem) -> Tensor:
    """The dense formula as torch.compile fuses it."""
    return compiled()(p["x"], p["y"], p["x_ids"], p["y_ids"])


def listing(p: Problem) -> float:
    """Work of a tree that lists the pairs within the radius."""
    return p.numbers["within"] + TREE_WORK * (p.case.points + p.second)


def all_pairs(p: Problem) -> float:
    """Work of whatever looks at every pair."""
    return float(p.pairs)


def flops(p: Problem) -> float:
    """Of the pairs within the radius: D differences, then D multiply-adds for the distance and for
    each of the two gradients, every one counted as the two FLOP that its issue slot can do."""
    return 8.0 * p.case.dim * p.numbers["within"]


TASK = Task(
    name="potential",
    title="hinge potential, radius 1, power 2, N points x N/10 representatives of other "
    "instances, forward and backward, float32",
    problem=problem,
    contestants=(
        Contestant(OURS, ours),
        Contestant("torch_cluster", torch_cluster_gather, listing, note="radius, then gather"),
        Contestant(
            "scipy",
            scipy_gather,
            listing,
            cuda=False,
            note="cKDTree.sparse_distance_matrix, then gather; it has no workers",
        ),
        Contestant("keops", keops, all_pairs, compiles=True, note="LazyTensor, all pairs"),
        Contestant("dense", dense, all_pairs, note="cdist by differences, N x M in memory"),
        Contestant(
            "torch_compile",
            torch_compile,
            all_pairs,
            compiles=True,
            note="the dense formula, compiled once for all sizes",
        ),
    ),
    compare=compare_tensors,
    leaves=("x", "y"),
    flops=flops,
)
