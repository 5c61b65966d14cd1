"""Voxels: which of the points fall into one cell of a grid, cells numbered without gaps."""

from __future__ import annotations

import torch
from torch import Tensor

from geoinfluencer import ops
from geoinfluencer.bench.cases import Case, make_points
from geoinfluencer.bench.contest import Contestant, Problem, Task
from geoinfluencer.bench.equality import compare_partitions
from geoinfluencer.bench.peers import OURS

CELLS = 10  # points to a cell, about, where they are uniform
_ROUNDED = 1e-3  # share of cells that may differ: float32 quotients at a border


def problem(case: Case, device: torch.device) -> Problem:
    """The points, from their smallest coordinates on, and the width of a cell."""
    x = make_points(case, device).x
    x = x - x.amin(dim=0)
    volume = float(x.amax(dim=0).double().prod())
    size = (CELLS * volume / case.points) ** (1 / case.dim)
    return Problem(case, {"x": x.contiguous()}, {"size": size})


def ours(p: Problem) -> Tensor:
    """The op of this package: voxel of each point (N,)."""
    return ops.grid_pool(p["x"], p.numbers["size"]).cluster


def torch_cluster(p: Problem) -> Tensor:
    """torch_cluster.grid_cluster, then numbers without gaps."""
    from torch_cluster import grid_cluster

    x = p["x"]
    size = torch.full((p.case.dim,), p.numbers["size"], device=x.device)
    return grid_cluster(x, size, start=torch.zeros_like(size)).unique(return_inverse=True)[1]


def unique(p: Problem) -> Tensor:
    """torch.unique over the rows of cell coordinates."""
    cells = (p["x"] / p.numbers["size"]).floor().to(torch.int64)
    return cells.unique(dim=0, return_inverse=True)[1]


TASK = Task(
    name="grid",
    title="cell of each of N points in a grid, cells numbered without gaps, float32",
    problem=problem,
    contestants=(
        Contestant(OURS, ours),
        Contestant(
            "torch_cluster", torch_cluster, tolerance=_ROUNDED, note="grid_cluster, then unique"
        ),
        Contestant("torch", unique, tolerance=_ROUNDED, note="floor, then unique over rows"),
    ),
    compare=compare_partitions,
)
