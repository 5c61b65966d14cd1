"""What lies about in generated rooms: on tables, on the floor, along walls; metres."""

from __future__ import annotations

import numpy as np

from geoinfluencer.datasets.room_furniture import some
from geoinfluencer.datasets.room_patches import Solid
from geoinfluencer.datasets.s3dis_classes import s3dis_class

_BOX = np.array([[0.66, 0.52, 0.36], [0.85, 0.84, 0.8], [0.3, 0.33, 0.4], [0.7, 0.2, 0.18]])
_DARK = np.array([[0.08, 0.08, 0.09], [0.3, 0.3, 0.32]])


def _clutter(boxes: list[list[float]], colors: list[np.ndarray]) -> Solid:
    return Solid(s3dis_class("clutter"), np.array(boxes), np.array(colors))


def monitor(rng: np.random.Generator) -> Solid:
    """A screen on its foot, which looks along +y."""
    w, h = rng.uniform(0.42, 0.62), rng.uniform(0.28, 0.36)
    dark = some(rng, _DARK)
    boxes = [
        [-w / 2, 0, 0.1, w / 2, 0.04, 0.1 + h],
        [-0.03, -0.04, 0.0, 0.03, 0.0, 0.3],
        [-0.12, -0.1, 0.0, 0.12, 0.1, 0.015],
    ]
    return _clutter(boxes, [dark, dark, dark])


def stack(rng: np.random.Generator, most: float = 0.3) -> Solid:
    """Papers, books or boxes on top of each other."""
    boxes, colors, z = [], [], 0.0
    w, d = rng.uniform(0.15, 0.32, 2)
    while z < 0.02 or (rng.random() < 0.65 and z < most):
        h = rng.uniform(0.03, 0.14)
        dx, dy = rng.normal(0, 0.015, 2)
        boxes.append([dx - w / 2, dy - d / 2, z, dx + w / 2, dy + d / 2, z + h])
        colors.append(some(rng, _BOX))
        z += h
    return _clutter(boxes, colors)


def crate(rng: np.random.Generator) -> Solid:
    """A box on the floor: a carton, a computer, a cabinet on wheels."""
    w, d, h = rng.uniform(0.2, 0.6), rng.uniform(0.3, 0.55), rng.uniform(0.25, 0.7)
    color = some(rng, _BOX if rng.random() < 0.6 else _DARK)
    return _clutter([[-w / 2, -d / 2, 0, w / 2, d / 2, h]], [color])


def vessel(rng: np.random.Generator, *, on_floor: bool) -> Solid:
    """A cup or a lamp; on the floor a waste bin or a pot."""
    r, h = (rng.uniform(0.12, 0.2), rng.uniform(0.25, 0.5)) if on_floor else (0.05, 0.14)
    rounds = [[0.0, 0.0, 0.0, r, h]]
    colors = [some(rng, _BOX if rng.random() < 0.5 else _DARK)]
    if on_floor and rng.random() < 0.4:
        rounds.append([0.0, 0.0, h, 1.4 * r, rng.uniform(0.3, 0.8)])
        colors.append(np.array([0.2, 0.4, 0.18]) + rng.normal(0, 0.03, 3))
    elif not on_floor and rng.random() < 0.3:
        rounds += [[0.0, 0.0, h, 0.015, 0.25], [0.0, 0.0, h + 0.25, 0.11, 0.14]]
        colors += [colors[0], np.array([0.9, 0.88, 0.8])]
    return Solid(
        s3dis_class("clutter"), np.empty((0, 6)), np.empty((0, 3)),
        np.array(rounds), np.clip(colors, 0, 1),
    )  # fmt: skip


def tabletop(rng: np.random.Generator) -> Solid:
    """Something that lies on a table or a low cupboard."""
    kind = rng.random()
    if kind < 0.4:
        return monitor(rng)
    return stack(rng) if kind < 0.8 else vessel(rng, on_floor=False)


def floor_item(rng: np.random.Generator) -> Solid:
    """Something that stands on the floor."""
    return crate(rng) if rng.random() < 0.6 else vessel(rng, on_floor=True)
