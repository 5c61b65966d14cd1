"""What is timed: the cases, and the point sets they are made of."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

KINDS = {
    "clustered": "instances of 10 around uniform centres, sigma 0.1; a unit ball holds about one "
    "other representative",
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
        side = (instances * unit_ball(case.dim)) ** (1 / case.dim)
        centres = side * torch.rand(instances, case.dim, generator=rng)
        x = centres[ids] + SIGMA * x
    elif case.kind == "ball":
        x = BALL * x
    y, y_ids = x[::MEMBERS].clone(), ids[::MEMBERS].clone()
    order = torch.randperm(case.points, generator=rng)
    parts = (x[order], y, ids[order], y_ids)
    return Points(*(part.to(device) for part in parts))


def unit_ball(dim: int) -> float:
    """Volume of the ball of radius 1."""
    return math.pi ** (dim / 2) / math.gamma(dim / 2 + 1)
