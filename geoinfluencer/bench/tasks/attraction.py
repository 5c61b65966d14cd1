"""The attraction term of the loss, whose published form lists all pairs of every instance."""

from __future__ import annotations

import torch
from torch import Tensor

from geoinfluencer.bench.cases import Case
from geoinfluencer.bench.contest import Contestant, Problem, Task
from geoinfluencer.bench.equality import compare_tensors
from geoinfluencer.bench.peers import OURS
from geoinfluencer.losses.attraction import (
    attraction_per_graph,
    instance_mean,
    mean_square_distance,
)
from geoinfluencer.losses.segments import Segments, instance_segments

MEMBERS = 1000  # nodes of an instance


def problem(case: Case, device: torch.device) -> Problem:
    """Random embeddings in shuffled instances of a thousand (the last may be smaller)."""
    rng = torch.Generator().manual_seed(0)
    follower, influencer = torch.randn(2, case.points, case.dim, generator=rng)
    instance = (torch.arange(case.points) // MEMBERS)[torch.randperm(case.points, generator=rng)]
    tensors = {"follower": follower, "influencer": influencer, "instance": instance}
    tensors = {name: tensor.contiguous().to(device) for name, tensor in tensors.items()}
    return Problem(case, tensors, second=min(MEMBERS, case.points))


def ours(p: Problem) -> Tensor:
    """The term as the loss computes it, by moments, segments included."""
    segments = _segments(p)
    weight = torch.ones_like(p["follower"][:, 0])
    square = mean_square_distance(p["follower"], p["influencer"], segments, weight)
    return _term(square, segments, weight)


def listed(p: Problem) -> Tensor:
    """The same with a list of all pairs of each instance."""
    segments, instance = _segments(p), p["instance"]
    order = instance.argsort()
    size = instance.bincount()
    first = size.cumsum(0) - size
    own = instance[order]
    rows = order.repeat_interleave(size[own])  # follower of each pair
    start = (size[own].cumsum(0) - size[own]).repeat_interleave(size[own])
    within = torch.arange(rows.shape[0], device=rows.device) - start
    cols = order[first[instance[rows]] + within]  # influencer of each pair
    square = (p["follower"][rows] - p["influencer"][cols]).square().sum(-1)
    total = torch.zeros_like(p["follower"][:, 0]).index_add(0, cols, square)
    return _term(total / size[instance], segments, torch.ones_like(total))


def _segments(p: Problem) -> Segments:
    ptr = torch.tensor([0, p.case.points], device=p["instance"].device)
    return instance_segments(p["instance"], ptr)


def _term(square: Tensor, segments: Segments, weight: Tensor) -> Tensor:
    mean = instance_mean(square, segments, weight, attraction="power", sharpness=2.0)
    return attraction_per_graph(mean, segments, torch.ones_like(mean), 1).sum()


def all_listed(p: Problem) -> float:
    """Pairs of an instance, over all instances."""
    return float(p.pairs)


TASK = Task(
    name="attraction",
    title="attraction term, instances of 1,000, power mean, forward and backward, float32",
    problem=problem,
    contestants=(
        Contestant(OURS, ours),
        Contestant("torch", listed, all_listed, note="lists the pairs of every instance"),
    ),
    compare=compare_tensors,
    leaves=("follower", "influencer"),
    kinds=("random",),
)
