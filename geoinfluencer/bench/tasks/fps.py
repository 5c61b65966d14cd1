"""Farthest-point sampling from the first point on."""

from __future__ import annotations

import torch
from torch import Tensor

from geoinfluencer import ops
from geoinfluencer.bench.cases import Case, make_points
from geoinfluencer.bench.contest import Contestant, Problem, Task
from geoinfluencer.bench.equality import Difference
from geoinfluencer.bench.peers import OURS

SHARE = 0.01  # of the points that are sampled
_ULP = 2.0**-23


def problem(case: Case, device: torch.device) -> Problem:
    """The points, and how many to sample of them."""
    number = max(2, round(SHARE * case.points))
    return Problem(case, {"x": make_points(case, device).x}, second=number)


def ours(p: Problem) -> Tensor:
    """The op of this package: index (M,), in the order picked."""
    return ops.farthest_point_sampling(p["x"], p.second)


def torch_cluster(p: Problem) -> Tensor:
    """torch_cluster.fps from the first point."""
    from torch_cluster import fps

    ratio = (p.second - 0.5) / p.case.points  # it rounds up
    index: Tensor = fps(p["x"], ratio=ratio, random_start=False)
    return index


def loop(p: Problem) -> Tensor:
    """The textbook loop in torch."""
    x = p["x"]
    index = torch.zeros(p.second, dtype=torch.int64, device=x.device)
    far = (x - x[0]).square().sum(1)
    for step in range(1, p.second):
        index[step] = far.argmax()
        far = torch.minimum(far, (x - x[index[step]]).square().sum(1))
    return index


def evaluations(p: Problem) -> float:
    """Distances of all points to all samples."""
    return float(p.pairs)


def compare(p: Problem, mine: Tensor, theirs: Tensor, _: float) -> Difference:
    """Equal sequences; else each pick must be as far as any point is, up to rounding."""
    if mine.shape != theirs.shape:
        return Difference(False, float("inf"), float("inf"), f"{theirs.numel()} samples")
    if torch.equal(mine, theirs):
        return Difference(True, 0.0, 0.0)
    if theirs[0] != mine[0] or theirs.unique().numel() != theirs.numel():
        return Difference(False, float("inf"), float("inf"), "another start, or a point twice")
    x = p["x"].double()
    far, worst = torch.full_like(x[:, 0], torch.inf), 0.0
    for pick, after in zip(theirs[:-1].tolist(), theirs[1:].tolist(), strict=True):
        far = torch.minimum(far, (x - x[pick]).square().sum(1).sqrt())
        worst = max(worst, float(far.max() - far[after]))
    scale = float(x.abs().max())
    return Difference(worst <= 32 * _ULP * scale, worst, worst / scale, "a nearer pick")


TASK = Task(
    name="fps",
    title="farthest-point sampling of one in a hundred of N points, float32",
    problem=problem,
    contestants=(
        Contestant(OURS, ours),
        Contestant("torch_cluster", torch_cluster, evaluations, note="fps, random_start=False"),
        Contestant("torch", loop, evaluations, note="the textbook loop"),
    ),
    compare=compare,
)
