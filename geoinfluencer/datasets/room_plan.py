"""Plans of generated rooms: walls, where they open, and what lies between them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from geoinfluencer.datasets.room_patches import Place


@dataclass(frozen=True)
class Opening:
    """A door or window of a wall: from where to where along it and in height, metres."""

    start: float
    end: float
    low: float
    high: float
    is_door: bool


@dataclass
class Wall:
    """A wall from ``start`` in direction ``angle``; the room is to its left."""

    start: tuple[float, float]
    angle: float
    length: float
    openings: list[Opening] = field(default_factory=list)

    def place(self, along: float, z: float = 0.0, off: float = 0.0) -> Place:
        """x, y, z, angle of a frame that stands ``off`` the wall."""
        cos, sin = math.cos(self.angle), math.sin(self.angle)
        x, y = self.start[0] + along * cos - off * sin, self.start[1] + along * sin + off * cos
        return x, y, z, self.angle


@dataclass(frozen=True)
class Plan:
    """A rectangle, or an L: the rectangle less a notch at its far corner; metres."""

    width: float
    depth: float
    height: float
    notch: tuple[float, float] | None
    walls: tuple[Wall, ...]

    def holds(self, low_x: float, low_y: float, high_x: float, high_y: float) -> bool:
        """Whether a rectangle lies in the room."""
        if min(low_x, low_y) < 0 or high_x > self.width or high_y > self.depth:
            return False
        if self.notch is None:
            return True
        return high_x <= self.width - self.notch[0] or high_y <= self.depth - self.notch[1]

    def rectangles(self) -> list[list[float]]:
        """The floor as one or two rectangles (low x, low y, high x, high y)."""
        if self.notch is None:
            return [[0, 0, self.width, self.depth]]
        inner = self.depth - self.notch[1]
        return [[0, 0, self.width, inner], [0, inner, self.width - self.notch[0], self.depth]]


def draw_plan(
    rng: np.random.Generator, size: tuple[float, float], height: tuple[float, float], l_shape: float
) -> Plan:
    """A plan with doors and windows; every wall is at least a metre long."""
    width, depth = rng.uniform(*size, 2)
    notch = None
    corners = [(0.0, 0.0), (width, 0.0), (width, depth), (0.0, depth)]
    if rng.random() < l_shape:
        share = rng.uniform(0.3, 0.5, 2)
        notch = (max(width * share[0], 1.0), max(depth * share[1], 1.0))
        inner = (width - notch[0], depth - notch[1])
        corners[2:3] = [(width, inner[1]), (inner[0], inner[1]), (inner[0], depth)]
    walls = []
    for a, b in zip(corners, corners[1:] + corners[:1], strict=True):
        step = (b[0] - a[0], b[1] - a[1])
        walls.append(Wall(a, math.atan2(step[1], step[0]), math.hypot(*step)))
    plan = Plan(width, depth, rng.uniform(*height), notch, tuple(walls))
    _open_walls(rng, plan)
    return plan


def _open_walls(rng: np.random.Generator, plan: Plan) -> None:
    doors = 1 + int(rng.random() < 0.4)
    for number in rng.permutation(len(plan.walls))[:doors]:
        wall = plan.walls[number]
        width = rng.uniform(0.85, 1.05) * (1 + (rng.random() < 0.1 and wall.length > 3))
        near = rng.uniform(0.15, max(0.16, min(0.8, wall.length - width - 0.1)))
        start = near if rng.random() < 0.5 else wall.length - near - width
        start = min(max(start, 0.0), max(wall.length - width, 0.0))
        end = min(start + width, wall.length)
        wall.openings.append(Opening(start, end, 0.0, rng.uniform(2.0, 2.2), True))
    for wall in plan.walls:
        if rng.random() > 0.35:
            continue
        low, high = rng.uniform(0.6, 1.0), plan.height - rng.uniform(0.2, 0.5)
        at = rng.uniform(0.3, 0.7)
        while at < wall.length - 0.9:
            end = min(at + rng.uniform(1.0, 2.5), wall.length - 0.25)
            free = all(end < o.start - 0.1 or at > o.end + 0.1 for o in wall.openings)
            if free and end - at > 0.6:
                wall.openings.append(Opening(at, end, low, high, False))
            at = end + rng.uniform(0.15, 0.8)
