"""Generated rooms: a plan, furniture, and what scanners at some places see of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geoinfluencer.datasets.room import Room
from geoinfluencer.datasets.room_layout import compose
from geoinfluencer.datasets.room_patches import Faces, SurfacePoints, draw_points, faces_of
from geoinfluencer.datasets.room_plan import Plan, draw_plan
from geoinfluencer.datasets.room_scan import (
    fused,
    fused_weight,
    measured,
    seen_weight,
    shaded,
    thin_out,
)
from geoinfluencer.errors import InputError

_CANDIDATES = 2.5  # points on the surfaces for each one that is kept
_FUSED_NOISE = 3.0  # of depth cameras, in units of a laser's


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
        hand_held: Share of rooms seen by a depth camera that is carried through them, as ScanNet's
            were: even and thinner points, no ceiling to speak of, bent surfaces.
        homes: Share of rooms that are homes: beds, wardrobes, kitchens, curtains.
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
    hand_held: float = 0.0
    homes: float = 0.0

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
        for name in ("l_shape", "fill", "hand_held", "homes"):
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
    home = options.homes > 0 and rng.random() < options.homes
    faces = faces_of(compose(rng, plan, options.fill, home=home))
    hand_held = options.hand_held > 0 and rng.random() < options.hand_held
    scan = _carried if hand_held else _surveyed
    pos, color, face = scan(rng, plan, faces, options)
    instance, label = faces.instance[face], faces.label[face]
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


def _surveyed(
    rng: np.random.Generator, plan: Plan, faces: Faces, options: RoomOptions
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Positions, colours and faces of the points that lasers on tripods see."""
    points, spacing = _candidates(rng, faces, options.num_points)
    stations = _stations(rng, plan, options.stations)
    # what lies outside the walls is seen through doors and windows alone
    weight = seen_weight(points.pos, points.normal, stations, spacing)
    keep = rng.permutation(thin_out(rng, weight, options.num_points))
    pos, normal = points.pos[keep], points.normal[keep]
    color = shaded(rng, points.color[keep], normal, pos, plan.height)
    return measured(rng, pos, normal, options.noise), color, points.face[keep]


def _carried(
    rng: np.random.Generator, plan: Plan, faces: Faces, options: RoomOptions
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The same of the points that a depth camera sees which is carried through the room."""
    count = options.num_points * rng.uniform(0.25, 1.0)
    points, spacing = _candidates(rng, faces, count)
    path = _stations(rng, plan, 3 * options.stations)
    weight = fused_weight(points.pos, points.normal, path, spacing)
    keep = rng.permutation(thin_out(rng, weight, round(count)))
    pos, normal = points.pos[keep], points.normal[keep]
    color = shaded(rng, points.color[keep], normal, pos, plan.height)
    return fused(rng, pos, normal, _FUSED_NOISE * options.noise), color, points.face[keep]


def _candidates(
    rng: np.random.Generator, faces: Faces, count: float
) -> tuple[SurfacePoints, float]:
    """More points on all faces than ``count``, and their distance from each other."""
    density = _CANDIDATES * count / faces.area().sum()
    return draw_points(rng, faces, density), density**-0.5


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
