"""Generated rooms: a plan, furniture, and what scanners at some places see of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geoinfluencer.datasets.room import Room
from geoinfluencer.datasets.room_layout import compose
from geoinfluencer.datasets.room_patches import draw_points, faces_of
from geoinfluencer.datasets.room_plan import Plan, draw_plan
from geoinfluencer.datasets.room_scan import measured, seen_weight, shaded, thin_out
from geoinfluencer.errors import InputError

_CANDIDATES = 2.5  # points on the surfaces for each one that is kept


@dataclass(frozen=True)
class RoomOptions:
    """What rooms are like; lengths in metres.

    Attributes:
        num_points: Points of a room, about.
        size_min: Shortest side of the floor.
        size_max: Longest side of the floor.
        height_min: Least height of the ceiling.
        height_max: Largest height of the ceiling.
        l_shape: Share of rooms with six walls in place of four.
        fill: How much of the walls is furnished, 0 to 1.
        stations: Scan positions.
        noise: Standard deviation of a point across its surface.
        min_points: Objects of which fewer points are seen are not there.
    """

    num_points: int = 250_000
    size_min: float = 4.0
    size_max: float = 8.0
    height_min: float = 2.5
    height_max: float = 3.4
    l_shape: float = 0.25
    fill: float = 0.9
    stations: int = 4
    noise: float = 0.003
    min_points: int = 30

    def __post_init__(self) -> None:
        for low, high in (("size_min", "size_max"), ("height_min", "height_max")):
            if not 0 < getattr(self, low) <= getattr(self, high) < 100:
                raise InputError(
                    f"{low}={getattr(self, low)}, {high}={getattr(self, high)}: "
                    "give metres with 0 < least <= largest < 100"
                )
        if self.size_min < 2.5 or self.height_min < 2.3:
            raise InputError(
                f"size_min={self.size_min}, height_min={self.height_min}: "
                "a door and a desk need at least 2.5 and 2.3 metres"
            )
        for name in ("l_shape", "fill"):
            if not 0 <= getattr(self, name) <= 1:
                raise InputError(f"{name} must be in [0, 1], got {getattr(self, name)}")
        for name in ("num_points", "stations", "min_points"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} must be at least 1, got {getattr(self, name)}")
        if not 0 <= self.noise < 1:
            raise InputError(f"noise must be in [0, 1) metres, got {self.noise}")


def generate_room(rng: np.random.Generator, options: RoomOptions) -> Room:
    """Draw a room; points are in random order, the corner of the plan is at 0 before noise.

    Raises:
        InputError: No object of the room has ``min_points``.
    """
    plan = draw_plan(
        rng,
        (options.size_min, options.size_max),
        (options.height_min, options.height_max),
        options.l_shape,
    )
    faces = faces_of(compose(rng, plan, options.fill))
    density = _CANDIDATES * options.num_points / faces.area().sum()
    points = draw_points(rng, faces, density)
    stations = _stations(rng, plan, options.stations)
    weight = seen_weight(points.pos, points.normal, stations, density**-0.5)
    # what lies outside the walls is seen through doors and windows alone
    keep = rng.permutation(thin_out(rng, weight, options.num_points))
    pos, normal = points.pos[keep], points.normal[keep]
    color = shaded(rng, points.color[keep], normal, pos, plan.height)
    pos = measured(rng, pos, normal, options.noise)
    instance, label = faces.instance[points.face[keep]], faces.label[points.face[keep]]
    count = np.bincount(instance, minlength=faces.instance.max() + 1)
    enough = (count >= options.min_points)[instance]
    if not enough.any():
        raise InputError(
            f"num_points={options.num_points}, min_points={options.min_points}: no object of a "
            "room keeps enough points; raise num_points or lower min_points"
        )
    _, first, number = np.unique(instance[enough], return_index=True, return_inverse=True)
    return Room(
        pos=pos[enough].astype(np.float32),
        color=color[enough],
        instance=number.reshape(-1).astype(np.int64),
        label=label[enough][first].astype(np.int64),
    )


def _stations(rng: np.random.Generator, plan: Plan, count: int) -> np.ndarray:
    """(S, 3) scan positions at the height of a tripod, each far from those before it."""
    rectangles = np.array(plan.rectangles())
    chosen: list[np.ndarray] = []
    for _ in range(count):
        corner = rectangles[rng.integers(len(rectangles), size=12)]
        share = rng.uniform(0.15, 0.85, (12, 2))
        floor = corner[:, :2] + share * (corner[:, 2:] - corner[:, :2])
        others = np.array(chosen).reshape(-1, 3)[:, :2]
        away = np.linalg.norm(floor[:, None] - others[None], axis=2).min(1, initial=np.inf)
        chosen.append(np.append(floor[np.argmax(away)], rng.uniform(1.4, 1.8)))
    return np.array(chosen)
