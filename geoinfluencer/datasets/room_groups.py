"""Furniture in the middle of a generated room: meeting tables, rows of desks, sofas."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from geoinfluencer.datasets import room_furniture
from geoinfluencer.datasets.room_scene import Scene, chair, piece, same, stand, things


def meeting(rng: np.random.Generator, scene: Scene) -> None:
    """Touching tables in the middle, chairs around them, some of which touch the tables."""
    plan = scene.plan
    width, depth, height = rng.uniform(1.2, 1.8), rng.uniform(0.7, 1.2), rng.uniform(0.7, 0.76)
    inner = plan.rectangles()[0]
    across = max(1, min(4, int((inner[2] - 2.4) / width)))
    rows = 2 if inner[3] - 2 * depth > 2.6 and rng.random() < 0.5 else 1
    series = same(rng)
    x0, y0 = (inner[2] - across * width) / 2, (inner[3] - rows * depth) / 2
    for row in range(rows):
        for column in range(across):
            place = (x0 + column * width, y0 + row * depth, 0.0, 0.0)
            if scene.claim(place, (0, 0, width, depth)):
                table = room_furniture.table(piece(rng, series), width, depth, height)
                scene.add(replace(table, place=place))
                things(rng, scene, place, width, depth, height, most=2)
    chairs = same(rng), rng.random() < 0.5
    per_side = max(1, int(across * width / 0.75))
    for number in range(per_side):
        x = x0 + (number + 0.5) * across * width / per_side
        for y, turn in ((y0 - 0.06, math.pi), (y0 + rows * depth + 0.06, 0.0)):
            if rng.random() < 0.85:
                off = rng.uniform(0.0, 0.4) * (1 if turn == 0 else -1)
                chair(rng, scene, (x, y + off, 0.0, turn), *chairs)


def rows(rng: np.random.Generator, scene: Scene) -> None:
    """Rows of desks that touch side by side, one chair behind each."""
    low_x, low_y, high_x, high_y = scene.plan.rectangles()[0]
    width, depth, height = rng.uniform(1.0, 1.5), rng.uniform(0.55, 0.75), rng.uniform(0.7, 0.76)
    chairs, series = (same(rng), rng.random() < 0.3), same(rng)
    gap = depth + rng.uniform(0.9, 1.3)
    across = int((high_x - low_x - 2.0) / width)
    for y in np.arange(low_y + 1.1, high_y - gap - 0.2, gap):
        for column in range(across):
            place = (low_x + 1.0 + column * width, y, 0.0, 0.0)
            if not scene.claim(place, (0, 0, width, depth)):
                continue
            table = room_furniture.table(piece(rng, series), width, depth, height)
            scene.add(replace(table, place=place))
            things(rng, scene, place, width, depth, height, most=1)
            seat = (place[0] + width * rng.uniform(0.4, 0.6), y + depth + rng.uniform(0.05, 0.35))
            chair(rng, scene, (*seat, 0.0, 0.0), *chairs)


def seats(rng: np.random.Generator, scene: Scene) -> None:
    """A low round table with sofas opposite each other."""
    low_x, low_y, high_x, high_y = scene.plan.rectangles()[0]
    x, y, radius = (low_x + high_x) / 2, (low_y + high_y) / 2, rng.uniform(0.35, 0.55)
    if not scene.claim((x, y, 0.0, 0.0), (-radius, -radius, radius, radius)):
        return
    scene.add(replace(room_furniture.round_table(rng, radius, 0.5), place=(x, y, 0.0, 0.0)))
    series = same(rng)
    for angle in (0.0, math.pi):
        width, depth, away = rng.uniform(1.4, 2.0), rng.uniform(0.75, 0.9), radius + 0.35
        along, off = -width / 2, -(away + depth)  # its front faces the table
        c, s = math.cos(angle), math.sin(angle)
        place = (x + c * along - s * off, y + s * along + c * off, 0.0, angle)
        if scene.claim(place, (0, 0, width, depth)):
            scene.add(replace(room_furniture.sofa(piece(rng, series), width, depth), place=place))


def loose(rng: np.random.Generator, scene: Scene) -> None:
    """Something on the floor, or a chair that nobody put back, wherever there is room."""
    x, y = rng.uniform(0.4, 1.0, 2) * (scene.plan.width - 0.4, scene.plan.depth - 0.4)
    if rng.random() < 0.3:
        chair(rng, scene, (x, y, 0.0, rng.choice(4) * math.pi / 2), same(rng), rng.random() < 0.5)
    else:
        stand(rng, scene, (x, y, 0.0, rng.uniform(-0.2, 0.2)))
