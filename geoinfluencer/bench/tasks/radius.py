"""All pairs of points within a radius that gives about thirty neighbours to each."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from geoinfluencer import ops
from geoinfluencer.bench.cases import Case, make_points
from geoinfluencer.bench.contest import Contestant, Problem, Task
from geoinfluencer.bench.equality import Difference, compare_pairs, pair_keys
from geoinfluencer.bench.peers import OURS
from geoinfluencer.bench.tasks.potential import TREE_WORK, all_pairs

NEIGHBORS = 30
_SAMPLE = 2000  # queries from which the radius is chosen


def problem(case: Case, device: torch.device) -> Problem:
    """The points and the radius."""
    x = make_points(case, device).x
    radius = radius_for(x, min(NEIGHBORS, 0.5 * case.points))
    counts = ops.radius_count(x, None, radius)
    numbers = {"radius": radius, "within": float(counts.sum()), "most": float(counts.max())}
    return Problem(case, {"x": x}, numbers)


def radius_for(x: Tensor, neighbors: float) -> float:
    """The radius with so many neighbours in the mean, by bisection, to three digits."""
    low, high = 0.0, 2.0 * float(x.norm(dim=1).max())
    some = x[:_SAMPLE]
    while high - low > 1e-3 * high:
        middle = 0.5 * (low + high)
        mean = float(ops.radius_count(x, some, middle).double().mean()) - 1  # itself
        low, high = (middle, high) if mean < neighbors else (low, middle)
    return float(np.float32(high))  # the same number in either precision


def ours(p: Problem) -> tuple[Tensor, Tensor]:
    """The op of this package: row_ptr, index."""
    return ops.radius(p["x"], r=p.numbers["radius"])


def torch_cluster(p: Problem) -> Tensor:
    """torch_cluster.radius_graph: edges (2, E)."""
    from torch_cluster import radius_graph

    most = int(p.numbers["most"]) + 1 if p["x"].is_cuda else p.case.points
    edges: Tensor = radius_graph(
        p["x"], p.numbers["radius"], max_num_neighbors=most, num_workers=p.case.threads
    )
    return edges


def ball_point(p: Problem) -> Any:
    """cKDTree.query_ball_point: a list for each point, itself included."""
    from scipy.spatial import cKDTree

    x = p["x"].numpy()
    return cKDTree(x).query_ball_point(x, p.numbers["radius"], workers=p.case.threads)


def query_pairs(p: Problem) -> Any:
    """cKDTree.query_pairs: every pair once."""
    from scipy.spatial import cKDTree

    return cKDTree(p["x"].numpy()).query_pairs(p.numbers["radius"], output_type="ndarray")


def sklearn(p: Problem) -> Any:
    """NearestNeighbors.radius_neighbors: an array for each point."""
    from sklearn.neighbors import NearestNeighbors

    search = NearestNeighbors(radius=p.numbers["radius"], n_jobs=p.case.threads)
    return search.fit(p["x"].numpy()).radius_neighbors(return_distance=False)


def dense(p: Problem) -> Tensor:
    """cdist and nonzero: pairs (E, 2), the self pairs included."""
    distance = torch.cdist(p["x"], p["x"], compute_mode="donot_use_mm_for_euclid_dist")
    return (distance <= p.numbers["radius"]).nonzero()


def listing(p: Problem) -> float:
    """Work of a tree that lists the neighbours."""
    return p.numbers["within"] + TREE_WORK * p.case.points


def of_rows(p: Problem, found: tuple[Tensor, Tensor]) -> Tensor:
    """Keys of the pairs in compressed rows."""
    row_ptr, index = found
    rows = torch.arange(p.case.points, device=index.device).repeat_interleave(row_ptr.diff())
    return pair_keys(rows, index, p.case.points)


def of_edges(p: Problem, edges: Tensor) -> Tensor:
    """Keys of edges (2, E); either end may come first."""
    return pair_keys(edges[1], edges[0], p.case.points)


def of_lists(p: Problem, lists: Any) -> Tensor:
    """Keys of one list for each point."""
    lengths = torch.tensor([len(entry) for entry in lists])
    rows = torch.arange(p.case.points).repeat_interleave(lengths)
    return pair_keys(rows, torch.from_numpy(np.concatenate(lists).astype(np.int64)), p.case.points)


def of_halves(p: Problem, pairs: Any) -> Tensor:
    """Keys of pairs that are listed once."""
    rows, cols = torch.from_numpy(pairs).unbind(1)
    return pair_keys(torch.cat([rows, cols]), torch.cat([cols, rows]), p.case.points)


def of_pairs(p: Problem, pairs: Tensor) -> Tensor:
    """Keys of pairs (E, 2)."""
    return pair_keys(pairs[:, 0], pairs[:, 1], p.case.points)


def compare(p: Problem, mine: Tensor, theirs: Tensor, _: float) -> Difference:
    """As sets, up to rounding at the radius."""
    return compare_pairs(p["x"], p.numbers["radius"], mine, theirs)


TASK = Task(
    name="radius",
    title=f"all pairs within a radius, about {NEIGHBORS} neighbours of each of N points, float32, "
    "building the index included",
    problem=problem,
    contestants=(
        Contestant(OURS, ours, result=of_rows, note="sorted by distance"),
        Contestant(
            "torch_cluster",
            torch_cluster,
            listing,
            of_edges,
            note="radius_graph; on the CPU one thread whatever num_workers says",
        ),
        Contestant(
            "scipy.query_ball_point", ball_point, listing, of_lists, cuda=False, note="workers"
        ),
        Contestant(
            "scipy.query_pairs",
            query_pairs,
            listing,
            of_halves,
            cuda=False,
            note="lists each pair once, half of what the others do; one thread",
        ),
        Contestant("sklearn", sklearn, listing, of_lists, cuda=False, note="radius_neighbors"),
        Contestant("dense", dense, all_pairs, of_pairs, note="cdist, nonzero; N x N in memory"),
    ),
    compare=compare,
    kinds=("clustered", "random"),  # neighbours know no scale: a ball is as good as random
)
