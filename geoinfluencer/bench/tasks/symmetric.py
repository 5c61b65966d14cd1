"""The hinge potential within one set: every pair of N points of different instances once."""

from __future__ import annotations

import torch
from torch import Tensor

from geoinfluencer import ops
from geoinfluencer.bench.cases import Case, make_points
from geoinfluencer.bench.contest import Contestant, Problem, Task
from geoinfluencer.bench.equality import compare_tensors
from geoinfluencer.bench.peers import OURS
from geoinfluencer.bench.tasks.potential import RADIUS, TREE_WORK, all_pairs, hinge_of_pairs


def problem(case: Case, device: torch.device) -> Problem:
    """The points, and how many unordered pairs of them lie within the radius."""
    points = make_points(case, device)
    counts = ops.radius_count(points.x, None, RADIUS)
    numbers = {"within": float(counts.sum()) / 2, "most": float(counts.max())}
    return Problem(case, {"x": points.x, "ids": points.ids}, numbers)


def ours(p: Problem) -> Tensor:
    """The op of this package: (1,), the energy of one graph."""
    return ops.influence_potential(p["x"], radius=RADIUS, x_instance=p["ids"])[0]


def torch_cluster_gather(p: Problem) -> Tensor:
    """torch_cluster.radius_graph, one direction of each edge, then gather."""
    from torch_cluster import radius_graph

    most = int(p.numbers["most"]) if p["x"].is_cuda else p.case.points
    x = p["x"]
    rows, cols = radius_graph(
        x.detach(), RADIUS, max_num_neighbors=most, num_workers=p.case.threads
    )
    kept = (rows < cols) & (p["ids"][rows] != p["ids"][cols])
    return hinge_of_pairs(x, x, rows[kept], cols[kept])


def scipy_gather(p: Problem) -> Tensor:
    """cKDTree.query_pairs, then gather."""
    from scipy.spatial import cKDTree

    x = p["x"]
    pairs = cKDTree(x.detach().numpy()).query_pairs(RADIUS, output_type="ndarray")
    rows, cols = torch.from_numpy(pairs).unbind(1)
    other = p["ids"][rows] != p["ids"][cols]
    return hinge_of_pairs(x, x, rows[other], cols[other])


def dense(p: Problem) -> Tensor:
    """All distances of the set at once."""
    x, ids = p["x"], p["ids"]
    distance = torch.cdist(x, x, compute_mode="donot_use_mm_for_euclid_dist")
    hinge = (RADIUS - distance).clamp_min(0).square()
    return 0.5 * (hinge * (ids[:, None] != ids)).sum()


def listing(p: Problem) -> float:
    """Work of a tree that lists the pairs within the radius."""
    return p.numbers["within"] + TREE_WORK * p.case.points


def flops(p: Problem) -> float:
    """As for the two sets: 4 D issue slots of two FLOP for each unordered pair."""
    return 8.0 * p.case.dim * p.numbers["within"]


TASK = Task(
    name="symmetric",
    title="hinge potential, radius 1, power 2, all pairs of N points of different instances, "
    "forward and backward, float32",
    problem=problem,
    contestants=(
        Contestant(OURS, ours),
        Contestant(
            "torch_cluster", torch_cluster_gather, listing, note="radius_graph, then gather"
        ),
        Contestant("scipy", scipy_gather, listing, cuda=False, note="query_pairs, then gather"),
        Contestant("dense", dense, all_pairs, note="cdist by differences, N x N in memory"),
    ),
    compare=compare_tensors,
    leaves=("x",),
    flops=flops,
)
