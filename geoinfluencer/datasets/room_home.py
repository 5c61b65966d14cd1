"""What people have at home: beds, wardrobes, kitchens, curtains; metres."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from geoinfluencer.datasets.room_furniture import some, wood
from geoinfluencer.datasets.room_patches import Solid
from geoinfluencer.datasets.room_plan import Wall
from geoinfluencer.datasets.room_scene import Scene, piece, same, things
from geoinfluencer.datasets.s3dis_classes import s3dis_class

_LINEN = np.array([[0.9, 0.9, 0.88], [0.35, 0.4, 0.55], [0.6, 0.3, 0.3], [0.75, 0.7, 0.6]])
_WHITE = np.array([[0.92, 0.92, 0.92], [0.6, 0.6, 0.62], [0.2, 0.2, 0.2]])


def furnish(rng: np.random.Generator, scene: Scene) -> None:
    """Curtains at windows, then a kitchen, a bed and wardrobes where walls have room for them."""
    walls = [scene.plan.walls[n] for n in rng.permutation(len(scene.plan.walls))]
    for wall in walls:
        _curtains(rng, scene, wall)
    if rng.random() < 0.6:
        _kitchen(rng, scene, walls[0])
    if rng.random() < 0.75:
        _sleep(rng, scene, walls[1])
    for wall in walls[2:]:
        if rng.random() < 0.6:
            _wardrobes(rng, scene, wall)


def bed(rng: np.random.Generator, width: float, length: float) -> Solid:
    """Frame, mattress with blanket, pillows, and the board at their end; it lies along y."""
    linen, frame = some(rng, _LINEN), wood(rng)
    base, top, head = rng.uniform(0.2, 0.35), rng.uniform(0.45, 0.65), rng.uniform(0.8, 1.2)
    boxes = [
        [0, 0, 0.05, width, length, base],
        [0.02, 0.04, base, width - 0.02, length - 0.02, top - 0.03],
        [-0.02, 0.55, top - 0.2, width + 0.02, length, top],
        [0, 0, 0.05, width, 0.05, head],
    ]
    colors = [frame, some(rng, _LINEN), linen, frame]
    count = 2 if width > 1.2 else 1
    for number in range(count):
        middle = (number + 0.5) * width / count
        boxes.append([middle - 0.3, 0.1, top - 0.03, middle + 0.3, 0.5, top + 0.1])
        colors.append(some(rng, _LINEN))
    return Solid(s3dis_class("clutter"), np.array(boxes), np.array(colors))


def cupboard(
    rng: np.random.Generator, width: float, depth: float, low: float, high: float
) -> Solid:
    """A closed cupboard: its body and doors that stand out from it, with a gap between them."""
    color = some(rng, _WHITE) if rng.random() < 0.5 else wood(rng)
    boxes = [[0, 0, low, width, depth, high]]
    doors = max(1, round(width / 0.5))
    for number in range(doors):
        left, right = (number + np.array([0, 1])) * width / doors
        front = [left + 0.005, depth, low + 0.01, right - 0.005, depth + 0.02, high - 0.01]
        boxes.append(front)
    shade = np.clip(color * rng.uniform(0.9, 1.1, (len(boxes), 1)), 0, 1)
    return Solid(s3dis_class("clutter"), np.array(boxes), shade)


def _counter(rng: np.random.Generator, width: float, depth: float) -> Solid:
    body = cupboard(rng, width, depth - 0.03, 0.08, 0.86)
    top = np.array([[0, 0, 0.86, width, depth + 0.02, 0.9]])
    colors = np.concatenate([body.colors, some(rng, _WHITE)[None]])
    return replace(body, boxes=np.concatenate([body.boxes, top]), colors=colors)


def _curtain(rng: np.random.Generator, width: float, low: float, high: float) -> Solid:
    """Folds, each a strip of its own distance from the wall."""
    edges = np.arange(0, width, 0.07)
    off = 0.06 + 0.03 * (np.arange(len(edges)) % 2) + rng.normal(0, 0.004, len(edges))
    end = np.minimum(edges + 0.08, width)
    boxes = np.stack([edges, off, edges * 0 + low, end, off + 0.02, edges * 0 + high], axis=1)
    color = some(rng, _LINEN)
    return Solid(s3dis_class("clutter"), boxes, np.tile(color, (len(boxes), 1)))


def _curtains(rng: np.random.Generator, scene: Scene, wall: Wall) -> None:
    for opening in wall.openings:
        if opening.is_door or rng.random() < 0.4:
            continue
        low = 0.03 if rng.random() < 0.6 else opening.low - 0.1
        high = min(opening.high + 0.12, scene.plan.height - 0.02)
        wide = min(rng.uniform(0.25, 0.7), 0.5 * (opening.end - opening.start))
        for start in (opening.start, opening.end - wide):
            scene.add(replace(_curtain(rng, wide, low, high), place=wall.place(start)))


def _kitchen(rng: np.random.Generator, scene: Scene, wall: Wall) -> None:
    """A counter with cupboards above it where no window is, and a refrigerator at its end."""
    at, depth = rng.uniform(0.02, 0.6), rng.uniform(0.55, 0.65)
    width = min(rng.uniform(1.5, 3.0), wall.length - at - 0.8)
    if width < 1.0 or not scene.claim(wall.place(at), (0, 0, width, depth + 0.3)):
        return
    place = wall.place(at, off=0.01)
    scene.add(replace(_counter(rng, width, depth), place=place))
    things(rng, scene, place, width, depth, 0.9)
    if all(at + width < o.start or at > o.end for o in wall.openings):
        above = cupboard(rng, width, 0.34, rng.uniform(1.35, 1.5), rng.uniform(2.0, 2.25))
        scene.add(replace(above, place=place))
    beside = wall.place(at + width + 0.02, off=0.02)
    if scene.claim(beside, (0, 0, 0.65, 0.7)):
        box = np.array([[0, 0, 0.02, 0.62, 0.66, rng.uniform(1.4, 1.9)]])
        scene.add(Solid(s3dis_class("clutter"), box, some(rng, _WHITE)[None], place=beside))


def _sleep(rng: np.random.Generator, scene: Scene, wall: Wall) -> None:
    """A bed with its head to the wall, small cupboards beside it."""
    width, length = (
        rng.choice([0.95, 1.45, 1.85]) + rng.uniform(-0.05, 0.05),
        rng.uniform(1.95, 2.1),
    )
    at = rng.uniform(0.5, max(0.51, wall.length - width - 0.6))
    if not scene.claim(wall.place(at), (0, 0, width, length)):
        return
    scene.add(replace(bed(rng, width, length), place=wall.place(at, off=0.02)))
    series = same(rng)
    for start in (at - 0.48, at + width + 0.03):
        place = wall.place(start, off=0.02)
        if rng.random() < 0.7 and scene.claim(place, (0, 0, 0.44, 0.4)):
            table = cupboard(piece(rng, series), 0.44, 0.38, 0.02, 0.5)
            scene.add(replace(table, place=place))
            things(rng, scene, place, 0.44, 0.38, 0.5, most=1)


def _wardrobes(rng: np.random.Generator, scene: Scene, wall: Wall) -> None:
    high, depth, series = rng.uniform(0.8, 2.3), rng.uniform(0.4, 0.62), same(rng)
    at = rng.uniform(0.02, 0.5)
    for _ in range(int(rng.integers(1, 4))):
        width = rng.uniform(0.6, 1.6)
        blocked = any(at < o.end and o.start < at + width and high > o.low for o in wall.openings)
        place = wall.place(at, off=0.01)
        if blocked or not scene.claim(place, (0, 0, width, depth)):
            return
        scene.add(replace(cupboard(piece(rng, series), width, depth, 0.03, high), place=place))
        if high < 1.3:
            things(rng, scene, place, width, depth, high)
        at += width + 0.01
