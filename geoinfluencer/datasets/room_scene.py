"""The objects of a room while it is furnished, and the small things that come with them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from geoinfluencer.datasets import room_clutter, room_furniture
from geoinfluencer.datasets.room_patches import Place, Solid
from geoinfluencer.datasets.room_plan import Plan


@dataclass
class Scene:
    """The objects so far, and the rectangles of the floor that are taken."""

    plan: Plan
    solids: list[Solid]
    taken: list[tuple[float, float, float, float]]
    count: int = 0

    def add(self, *parts: Solid) -> None:
        """One more object, of these parts."""
        self.solids += [replace(part, instance=self.count) for part in parts]
        self.count += 1

    def claim(self, place: Place, box: tuple[float, float, float, float]) -> bool:
        """Take the rectangle ``box`` of the frame at ``place`` if it is free and in the room."""
        cos, sin = abs(math.cos(place[3])), abs(math.sin(place[3]))
        c, s = math.cos(place[3]), math.sin(place[3])
        mid = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        half = (box[2] - box[0]) / 2, (box[3] - box[1]) / 2
        x, y = place[0] + c * mid[0] - s * mid[1], place[1] + s * mid[0] + c * mid[1]
        a, b = cos * half[0] + sin * half[1], sin * half[0] + cos * half[1]
        a, b = a - 0.004, b - 0.004  # neighbours may touch
        rect = (x - a, y - b, x + a, y + b)
        if not self.plan.holds(*rect):
            return False
        for other in self.taken:
            beside = rect[0] >= other[2] or other[0] >= rect[2]
            if not (beside or rect[1] >= other[3] or other[1] >= rect[3]):
                return False
        self.taken.append(rect)
        return True


def same(rng: np.random.Generator) -> int:
    """What makes pieces of a series alike: the seed of each."""
    return int(rng.integers(2**31))


def piece(rng: np.random.Generator, series: int) -> np.random.Generator:
    """The generator of one piece, seldom one that is no part of the series."""
    return np.random.default_rng(series) if rng.random() < 0.85 else rng


def chair(rng: np.random.Generator, scene: Scene, place: Place, series: int, swivel: bool) -> None:
    """A chair about here, a little turned; its seat may reach under a table."""
    if rng.random() < 0.1:
        return
    x, y, z, angle = place
    # only the back half needs floor of its own
    if scene.claim(place, (-0.24, 0.02, 0.24, 0.3)):
        turned = (x, y, z, angle + rng.normal(0, 0.35 if swivel else 0.12))
        scene.add(replace(room_furniture.chair(piece(rng, series), swivel), place=turned))


def things(
    rng: np.random.Generator, scene: Scene, place: Place,
    width: float, depth: float, height: float, most: int = 3,
) -> None:  # fmt: skip
    """Clutter on a top, each thing in a strip of its own."""
    x, y, z, angle = place
    c, s = math.cos(angle), math.sin(angle)
    strips = max(1, min(most, int(width / 0.5)))
    for strip in range(strips):
        if rng.random() < 0.55:
            a = (strip + rng.uniform(0.4, 0.6)) * width / strips
            b = depth * rng.uniform(0.4, 0.6)
            at = (x + c * a - s * b, y + s * a + c * b, z + height, angle + rng.normal(0, 0.15))
            scene.add(replace(room_clutter.tabletop(rng), place=at))


def stand(rng: np.random.Generator, scene: Scene, place: Place) -> None:
    if scene.claim(place, (-0.32, -0.3, 0.32, 0.3)):
        scene.add(replace(room_clutter.floor_item(rng), place=place))
