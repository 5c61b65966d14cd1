"""What is timed: the cases, and the point sets they are made of."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

KINDS = {
    "clustered": "instances of 10 around centres uniform in a box, sigma 0.1; a unit ball around "
    "one holds one other on average",
    "random": "all points from N(0, I)",
    "ball": "early training: all points from N(0, 0.05² I), every pair within the radius",
}
MEMBERS = 10  # points of an instance
SIGMA, BALL = 0.1, 0.05  # spreads of "clustered" and "ball", in units of the hinge radius


@dataclass(frozen=True)
class Case:
    """One problem at one size.

    Attributes:
        task: name of a task.
        points: N.
        dim: D.
        kind: of the point set, a key of :data:`KINDS`.
        threads: of every contestant, in this process.
        own_threads: further thread counts at which ours runs in the same rounds.
    """

    task: str
    points: int
    dim: int
    kind: str
    threads: int = 1
    own_threads: tuple[int, ...] = ()

    @property
    def name(self) -> str:
        """For tables and messages."""
        threads = f"{self.threads} thread{'s' if self.threads > 1 else ''}"
        return f"{self.task}, N = {self.points:,}, D = {self.dim}, {self.kind}, {threads}"


@dataclass(frozen=True)
class Points:
    """N points in instances of ten and one representative of each, shuffled.

    Shapes: x (N, D), ids (N,); y (M, D), y_ids (M,) with M = N / 10.
    """

    x: Tensor
    y: Tensor
    ids: Tensor
    y_ids: Tensor

    @cached_property
    def scale(self) -> float:
        """Largest coordinate: what float32 rounding is relative to."""
        return float(self.x.abs().max())


def make_points(case: Case, device: torch.device) -> Points:
    """The point set of a case, the same on every machine and device (seed 0)."""
    rng = torch.Generator().manual_seed(0)
    instances = -(-case.points // MEMBERS)
    ids = torch.arange(instances).repeat_interleave(MEMBERS)[: case.points]
    x = torch.randn(case.points, case.dim, generator=rng)
    if case.kind == "clustered":
        centres = box_side(instances, case.dim) * torch.rand(instances, case.dim, generator=rng)
        x = centres[ids] + SIGMA * x
    elif case.kind == "ball":
        x = BALL * x
    y, y_ids = x[::MEMBERS].clone(), ids[::MEMBERS].clone()
    order = torch.randperm(case.points, generator=rng)
    parts = (x[order], y, ids[order], y_ids)
    return Points(*(part.to(device) for part in parts))


def box_side(centres: int, dim: int) -> float:
    """Side of the box in which a unit ball around one of the uniform centres holds one other on
    average, balls that stick out of the box included (at D = 8 nearly all do); at least 1."""
    low, high = 1.0, 2.0
    while (centres - 1) * _within(1 / high, dim) > 1:
        low, high = high, 2 * high
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (
            (middle, high) if (centres - 1) * _within(1 / middle, dim) > 1 else (low, middle)
        )
    return low


def _within(radius: float, dim: int) -> float:
    r"""Probability that two uniform points of the unit cube are closer than radius <= 1.

    The integral of :math:`\prod_i (1 - |d_i|)` over the ball, term by term.
    """
    return sum(
        (-1) ** k
        * math.comb(dim, k)
        * radius ** (dim + k)
        * math.pi ** ((dim - k) / 2)
        / math.gamma((dim + k) / 2 + 1)
        for k in range(dim + 1)
    )
