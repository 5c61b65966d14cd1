"""One call of the Object Condensation loss: all four terms, forward and backward."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from geoinfluencer import ops
from geoinfluencer.bench.cases import Case, make_points
from geoinfluencer.bench.contest import Contestant, Problem, Task
from geoinfluencer.bench.equality import compare_tensors
from geoinfluencer.bench.peers import OURS
from geoinfluencer.bench.tasks.potential import all_pairs
from geoinfluencer.losses import ObjectCondensationLoss

Q_MIN = 0.1
NOISE = 20  # every so many-th instance is background


def problem(case: Case, device: torch.device) -> Problem:
    """Points with a beta each, in N / 10 instances, one in twenty of which is background."""
    points = make_points(case, device)
    beta = torch.rand(case.points, generator=torch.Generator().manual_seed(1))
    ids = torch.where(points.ids % NOISE == 0, -1, points.ids)
    tensors = {"x": points.x, "beta": (0.02 + 0.95 * beta).to(device), "ids": ids}
    instances = int(points.ids.max()) + 1
    counts = ops.radius_count(points.x, points.y, 1.0)
    return Problem(case, tensors, {"within": float(counts.sum())}, second=instances)


def ours(p: Problem) -> Tensor:
    """The loss of this package."""
    return ObjectCondensationLoss(q_min=Q_MIN)(p["x"], p["beta"], p["ids"]).total


def default(p: Problem) -> Tensor:
    """Their loss; it lists all nodes x instances."""
    from object_condensation.pytorch.losses import condensation_loss

    return _total(condensation_loss(**_arguments(p)))


def tiger(p: Problem) -> Tensor:
    """Their loss that keeps only pairs within reach, after looking at all."""
    from object_condensation.pytorch.losses import condensation_loss_tiger

    return _total(condensation_loss_tiger(**_arguments(p)))


def _arguments(p: Problem) -> dict[str, Any]:
    return {"beta": p["beta"], "x": p["x"], "object_id": p["ids"] + 1, "q_min": Q_MIN}


def _total(terms: dict[str, Tensor]) -> Tensor:
    return terms["attractive"] + terms["repulsive"] + terms["coward"] + terms["noise"]


# Their distances come from a matrix product: in float32 they lose digits where points are far from
# the origin and close to each other.
_LOOSE = 2e-2

TASK = Task(
    name="condensation",
    title="object condensation loss, four terms, N nodes in N/10 instances, forward and backward, "
    "float32",
    problem=problem,
    contestants=(
        Contestant(OURS, ours),
        Contestant("object_condensation", default, all_pairs, tolerance=_LOOSE, note="default"),
        Contestant("object_condensation.tiger", tiger, all_pairs, tolerance=_LOOSE, note="tiger"),
    ),
    compare=compare_tensors,
    leaves=("x", "beta"),
)
