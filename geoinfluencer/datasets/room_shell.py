"""The fabric of a generated room: floor, ceiling, walls with openings, columns and beams."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from geoinfluencer.datasets.room_furniture import some
from geoinfluencer.datasets.room_patches import Solid
from geoinfluencer.datasets.room_plan import Opening, Plan, Wall
from geoinfluencer.datasets.s3dis_classes import s3dis_class

_PAINT = np.array(
    [[0.9, 0.89, 0.85], [0.82, 0.84, 0.85], [0.86, 0.8, 0.68], [0.72, 0.78, 0.8], [0.8, 0.72, 0.66]]
)
_GROUND = np.array([[0.45, 0.42, 0.4], [0.6, 0.48, 0.34], [0.32, 0.36, 0.42], [0.68, 0.66, 0.62]])
_LEAF = np.array([[0.6, 0.42, 0.26], [0.82, 0.8, 0.76], [0.42, 0.28, 0.18], [0.45, 0.5, 0.56]])
_GLASS = np.array([[0.75, 0.82, 0.88], [0.88, 0.9, 0.92], [0.55, 0.62, 0.68]])


def floor_and_ceiling(rng: np.random.Generator, plan: Plan) -> tuple[Solid, Solid]:
    """Two sheets; the ceiling has light panels."""
    ground, paint = some(rng, _GROUND), some(rng, _PAINT[:2])
    floor = np.array([[r[0], r[1], 0, r[2], r[3], 0] for r in plan.rectangles()])
    ceiling = floor.copy()
    ceiling[:, [2, 5]] = plan.height
    lights, step = [], rng.uniform(1.6, 2.6)
    for x in np.arange(step / 2, plan.width - 0.6, step):
        for y in np.arange(step / 2, plan.depth - 1.2, step):
            if plan.holds(x, y, x + 0.6, y + 1.2):
                lights.append([x, y, plan.height - 0.06, x + 0.6, y + 1.2, plan.height])
    boxes = np.concatenate([ceiling, np.array(lights).reshape(-1, 6)])
    colors = [paint] * len(ceiling) + [np.array([0.98, 0.98, 0.95])] * len(lights)
    return (
        Solid(s3dis_class("floor"), floor, np.repeat(ground[None], len(floor), 0)),
        Solid(s3dis_class("ceiling"), boxes, np.array(colors)),
    )


def wall_sheet(wall: Wall, height: float, color: np.ndarray) -> Solid:
    """The wall as rectangles around its openings, and the reveals of these."""
    cuts = np.unique([0.0, wall.length, *(v for o in wall.openings for v in (o.start, o.end))])
    boxes = []
    for a, b in pairwise(cuts):
        hole = [o for o in wall.openings if o.start < (a + b) / 2 < o.end]
        low, high = (hole[0].low, hole[0].high) if hole else (height, height)
        boxes += [[a, 0, z0, b, 0, z1] for z0, z1 in ((0, low), (high, height)) if z1 > z0]
    for o in wall.openings:
        if not o.is_door:
            boxes += [[x, -0.15, o.low, x, 0, o.high] for x in (o.start, o.end)]
    place = wall.place(0.0)
    return Solid(
        s3dis_class("wall"), np.array(boxes), np.repeat(color[None], len(boxes), 0), place=place
    )


def door(rng: np.random.Generator, wall: Wall, o: Opening) -> list[Solid]:
    """Frame and leaf; the leaf may stand open into the room."""
    color, width = some(rng, _LEAF), o.end - o.start
    label, edge = s3dis_class("door"), 0.06
    frame = np.array(
        [
            [0, -0.08, 0, edge, 0.02, o.high],
            [width - edge, -0.08, 0, width, 0.02, o.high],
            [0, -0.08, o.high - edge, width, 0.02, o.high],
        ]
    )
    leaf = np.array([[0, -0.02, 0.01, width - 2 * edge, 0.02, o.high - edge]])
    opened = rng.uniform(0.9, 1.6) if rng.random() < 0.35 else 0.0
    x, y, z, angle = wall.place(o.start + edge, off=-0.04)
    frame_color = np.repeat((0.85 * color)[None], 3, 0)
    return [
        Solid(label, frame, frame_color, place=wall.place(o.start)),
        Solid(label, leaf, color[None], place=(x, y, z, angle + opened)),
    ]


def window(rng: np.random.Generator, wall: Wall, o: Opening) -> Solid:
    """Panes or blinds behind the wall, with bars and a sill."""
    width, glass, bar = o.end - o.start, some(rng, _GLASS), np.array([0.85, 0.85, 0.84])
    boxes = [[0, -0.12, o.low, width, -0.12, o.high], [0, -0.13, o.low - 0.03, width, 0.05, o.low]]
    bars = np.linspace(0, width - 0.05, 2 + int(width > 1) + int(width > 1.8))
    boxes += [[x, -0.13, o.low, x + 0.05, -0.07, o.high] for x in bars]
    boxes += [[0, -0.13, z, width, -0.07, z + 0.05] for z in (o.low, o.high - 0.05)]
    colors = [glass] + [bar] * (len(boxes) - 1)
    return Solid(
        s3dis_class("window"), np.array(boxes), np.array(colors), place=wall.place(o.start)
    )


def columns(rng: np.random.Generator, plan: Plan, color: np.ndarray) -> list[Solid]:
    """Pillars in corners of the room, and seldom a round one that stands free."""
    label, solids = s3dis_class("column"), []
    for wall in plan.walls:
        if rng.random() < 0.3 and all(o.start > 0.6 for o in wall.openings):
            w, d = rng.uniform(0.25, 0.6, 2)
            box = np.array([[0, 0, 0, w, d, plan.height]])
            solids.append(Solid(label, box, color[None], place=wall.place(0.0)))
    if rng.random() < 0.15 and min(plan.width, plan.depth) > 5:
        x, y = rng.uniform(0.35, 0.55, 2) * (plan.width, plan.depth)
        round_ = np.array([[0, 0, 0, rng.uniform(0.18, 0.28), plan.height]])
        none = np.empty((0, 6)), np.empty((0, 3))
        solids.append(Solid(label, *none, round_, color[None], place=(x, y, 0.0, 0.0)))
    return solids


def beams(rng: np.random.Generator, plan: Plan, color: np.ndarray) -> list[Solid]:
    """Beams under the ceiling, along one axis, as far as the room goes."""
    if rng.random() > 0.4:
        return []
    label, solids = s3dis_class("beam"), []
    for x in np.arange(rng.uniform(0.2, 2.0), plan.width - 0.5, rng.uniform(2.0, 3.5)):
        w, h = rng.uniform(0.2, 0.45), rng.uniform(0.2, 0.5)
        far = plan.depth
        if plan.notch is not None and x + w > plan.width - plan.notch[0]:
            far -= plan.notch[1]
        box = np.array([[x, 0, plan.height - h, x + w, far, plan.height]])
        solids.append(Solid(label, box, color[None]))
    return solids


def wall_color(rng: np.random.Generator) -> np.ndarray:
    """The paint of a room."""
    return some(rng, _PAINT)
