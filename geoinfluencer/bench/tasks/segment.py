"""Reductions over the rows that share an id, ids unsorted."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from geoinfluencer import ops
from geoinfluencer.bench.cases import Case
from geoinfluencer.bench.contest import Contestant, Problem, Task
from geoinfluencer.bench.equality import compare_tensors
from geoinfluencer.bench.peers import OURS

MEMBERS = 10  # rows of a segment


def problem(case: Case, device: torch.device) -> Problem:
    """Random rows (N, D) in N / 10 segments of shuffled ids, and gradients from above."""
    rng = torch.Generator().manual_seed(0)
    src = torch.randn(case.points, case.dim, generator=rng)
    segments = -(-case.points // MEMBERS)
    index = (torch.arange(case.points) % segments)[torch.randperm(case.points, generator=rng)]
    rows = case.points if case.task == "segment-softmax" else segments
    upstream = torch.randn(rows, case.dim, generator=rng)
    tensors = {"src": src, "index": index, "upstream": upstream}
    return Problem(case, {name: t.to(device) for name, t in tensors.items()}, second=segments)


def _expanded(p: Problem) -> Tensor:
    return p["index"][:, None].expand_as(p["src"])


def torch_sum(p: Problem) -> Tensor:
    """scatter_add."""
    return p["src"].new_zeros(p.second, p.case.dim).scatter_add(0, _expanded(p), p["src"])


def torch_logsumexp(p: Problem) -> Tensor:
    """scatter_reduce for the largest, then the shifted exponentials."""
    src, rows = p["src"], _expanded(p)
    top = src.new_zeros(p.second, p.case.dim)
    top = top.scatter_reduce(0, rows, src.detach(), "amax", include_self=False)
    total = torch.zeros_like(top).scatter_add(0, rows, (src - top[p["index"]]).exp())
    return total.log() + top


def torch_softmax(p: Problem) -> Tensor:
    """The same with one gather more."""
    src, rows = p["src"], _expanded(p)
    top = src.new_zeros(p.second, p.case.dim)
    top = top.scatter_reduce(0, rows, src.detach(), "amax", include_self=False)
    exponential = (src - top[p["index"]]).exp()
    total = torch.zeros_like(top).scatter_add(0, rows, exponential)
    return exponential / total[p["index"]]


def _task(
    name: str, ours: Callable[[Problem], Tensor], theirs: str, plain: Callable[[Problem], Tensor]
) -> Task:
    def torch_scatter(p: Problem) -> Tensor:
        import torch_scatter

        function = getattr(torch_scatter, theirs)
        found: Tensor = function(p["src"], p["index"], dim=0, dim_size=p.second)
        return found

    return Task(
        name=f"segment-{name}",
        title=f"{name} of N x D rows over N/10 unsorted segments, forward and backward, float32",
        problem=problem,
        contestants=(
            Contestant(OURS, ours),
            Contestant("torch_scatter", torch_scatter, note=theirs),
            Contestant("torch", plain, note=plain.__doc__ or ""),
        ),
        compare=compare_tensors,
        leaves=("src",),
        kinds=("random",),
    )


TASKS = (
    _task(
        "sum", lambda p: ops.segment_sum(p["src"], p["index"], p.second), "scatter_sum", torch_sum
    ),
    _task(
        "logsumexp",
        lambda p: ops.segment_logsumexp(p["src"], p["index"], p.second),
        "scatter_logsumexp",
        torch_logsumexp,
    ),
    _task(
        "softmax",
        lambda p: ops.segment_softmax(p["src"], p["index"], p.second),
        "scatter_softmax",
        torch_softmax,
    ),
)
