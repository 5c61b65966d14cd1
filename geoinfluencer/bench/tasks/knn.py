"""The 16 nearest others of every point."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from geoinfluencer import ops
from geoinfluencer.bench.cases import Case, make_points
from geoinfluencer.bench.contest import Contestant, Problem, Task
from geoinfluencer.bench.equality import Difference, compare_neighbors
from geoinfluencer.bench.peers import OURS
from geoinfluencer.bench.tasks.potential import all_pairs

K = 16


def problem(case: Case, device: torch.device) -> Problem:
    """The points; k is smaller where there are too few."""
    points = make_points(case, device)
    return Problem(case, {"x": points.x}, {"k": min(K, case.points - 1)})


def k_of(p: Problem) -> int:
    """Neighbours asked for."""
    return int(p.numbers["k"])


def ours(p: Problem) -> Tensor:
    """The op of this package: index (N, k)."""
    return ops.knn(p["x"], k=k_of(p))[0]


def torch_cluster(p: Problem) -> Tensor:
    """torch_cluster.knn_graph: edges (2, N k)."""
    from torch_cluster import knn_graph

    edges: Tensor = knn_graph(p["x"], k_of(p), num_workers=p.case.threads)
    return edges


def scipy(p: Problem) -> Any:
    """cKDTree: index (N, k + 1), each point in its own row."""
    from scipy.spatial import cKDTree

    x = p["x"].numpy()
    return cKDTree(x).query(x, k_of(p) + 1, workers=p.case.threads)[1]


def sklearn(p: Problem) -> Any:
    """NearestNeighbors: index (N, k)."""
    from sklearn.neighbors import NearestNeighbors

    search = NearestNeighbors(n_neighbors=k_of(p), n_jobs=p.case.threads)
    return search.fit(p["x"].numpy()).kneighbors(return_distance=True)[1]


def keops(p: Problem) -> Tensor:
    """argKmin over all pairs: index (N, k + 1)."""
    from pykeops.torch import LazyTensor

    square = ((LazyTensor(p["x"][:, None, :]) - LazyTensor(p["x"][None, :, :])) ** 2).sum(-1)
    index: Tensor = square.argKmin(k_of(p) + 1, dim=1)
    return index


def dense(p: Problem) -> Tensor:
    """cdist and topk: index (N, k + 1)."""
    distance = torch.cdist(p["x"], p["x"], compute_mode="donot_use_mm_for_euclid_dist")
    return distance.topk(k_of(p) + 1, largest=False).indices


def tree(p: Problem) -> float:
    """k N log N."""
    return k_of(p) * p.case.points * math.log2(p.case.points + 2)


def of_edges(p: Problem, edges: Tensor) -> Tensor:
    """Sources of the edges, k to a target."""
    if edges.shape[1] != p.case.points * k_of(p):
        return edges[0]
    order = edges[1].argsort(stable=True)
    return edges[0][order].view(p.case.points, k_of(p))


def as_tensor(p: Problem, index: Any) -> Tensor:
    """From NumPy."""
    return torch.from_numpy(index).long()


def without_self(p: Problem, index: Any) -> Tensor:
    """Index (N, k + 1) without the point itself, or without the last where it is not listed."""
    found = torch.as_tensor(index).long()
    own = torch.arange(found.shape[0], device=found.device)[:, None]
    place = (found == own).long()
    place[:, -1] += place.sum(1) == 0
    return found[place == 0].view(found.shape[0], -1)


def compare(p: Problem, mine: Tensor, theirs: Tensor, _: float) -> Difference:
    """Up to ties."""
    return compare_neighbors(p["x"], mine, theirs)


TASK = Task(
    name="knn",
    title=f"the {K} nearest others of each of N points, float32, building the index included",
    problem=problem,
    contestants=(
        Contestant(OURS, ours),
        Contestant(
            "torch_cluster",
            torch_cluster,
            tree,
            of_edges,
            note="knn_graph; on the CPU one thread whatever num_workers says",
        ),
        Contestant("scipy", scipy, tree, without_self, cuda=False, note="cKDTree.query, workers"),
        Contestant("sklearn", sklearn, tree, as_tensor, cuda=False, note="NearestNeighbors"),
        Contestant(
            "keops", keops, all_pairs, without_self, compiles=True, note="argKmin, all pairs"
        ),
        Contestant("dense", dense, all_pairs, without_self, note="cdist, topk; N x N in memory"),
    ),
    compare=compare,
    kinds=("clustered", "random"),  # neighbours know no scale: a ball is as good as random
)
