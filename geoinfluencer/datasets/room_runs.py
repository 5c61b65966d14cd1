"""Furniture along the walls of a generated room: runs of equal pieces, side by side."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from geoinfluencer.datasets import room_furniture
from geoinfluencer.datasets.room_plan import Wall
from geoinfluencer.datasets.room_scene import Scene, chair, piece, same, stand, things


def along(
    rng: np.random.Generator, scene: Scene, wall: Wall, shares: tuple[float, ...], fill: float
) -> None:
    """Runs of equal furniture, side by side, from one end of a wall to the other."""
    at = rng.uniform(0.02, 0.4)
    while at < wall.length - 0.5:
        kind = rng.choice(4, p=shares) if rng.random() < 0.35 + 0.65 * fill else 3
        make = (_desk_run, _bookcase_run, _sofa_run)[kind] if kind < 3 else _bare_run
        at = make(rng, scene, wall, at) + rng.choice([0.02, 0.1, 0.3])


def _bare_run(rng: np.random.Generator, scene: Scene, wall: Wall, at: float) -> float:
    width = rng.uniform(0.7, 1.8)
    end = min(at + width, wall.length - 0.1)
    clear = all(end < o.start or at > o.end for o in wall.openings)
    if clear and end - at > 0.7 and rng.random() < 0.5:
        low = rng.uniform(0.8, 1.1)
        board = room_furniture.board(rng, end - at, low, low + rng.uniform(0.8, 1.25))
        scene.add(replace(board, place=wall.place(at)))
    elif rng.random() < 0.4:
        stand(rng, scene, wall.place(at + 0.4, off=0.35))
    return at + width


def _desk_run(rng: np.random.Generator, scene: Scene, wall: Wall, at: float) -> float:
    width, depth = rng.uniform(1.2, 2.0), rng.uniform(0.65, 0.95)
    height, shelf = rng.uniform(0.7, 0.78), rng.random() < 0.4
    chairs, series = (same(rng), rng.random() < 0.7), same(rng)
    for _ in range(int(rng.integers(1, 4))):
        place = wall.place(at, off=0.02)
        if not scene.claim(place, (0, 0, width, depth)):
            return at + 0.3
        table = room_furniture.table(piece(rng, series), width, depth, height)
        scene.add(replace(table, place=place))
        things(rng, scene, place, width, depth, height)
        seat = wall.place(at + width * rng.uniform(0.35, 0.65), off=depth + rng.uniform(0.0, 0.35))
        chair(rng, scene, seat, *chairs)
        clear = all(at + width < o.start or at > o.end for o in wall.openings)
        if shelf and clear:
            low = rng.uniform(1.15, 1.35)
            high = low + rng.choice([0.4, 0.75])
            wood, deep = room_furniture.wood(piece(rng, series)), rng.uniform(0.24, 0.38)
            case = room_furniture.bookcase(rng, wood, width, deep, low, high)
            scene.add(replace(case, place=place))
        at += width
    return at


def _bookcase_run(rng: np.random.Generator, scene: Scene, wall: Wall, at: float) -> float:
    width, depth = rng.uniform(0.6, 1.2), rng.uniform(0.28, 0.45)
    high = rng.choice([rng.uniform(0.8, 1.2), rng.uniform(1.7, 2.2)])
    series = same(rng)
    for _ in range(int(rng.integers(1, 5))):
        blocked = any(at < o.end and o.start < at + width and high > o.low for o in wall.openings)
        place = wall.place(at, off=0.01)
        if blocked or not scene.claim(place, (0, 0, width, depth)):
            return at + 0.3
        wood = room_furniture.wood(piece(rng, series))
        case = room_furniture.bookcase(rng, wood, width, depth, 0.0, high)
        scene.add(replace(case, place=place))
        if high < 1.3:
            things(rng, scene, place, width, depth, high)
        at += width
    return at


def _sofa_run(rng: np.random.Generator, scene: Scene, wall: Wall, at: float) -> float:
    width, depth = rng.choice([0.85, 1.6, 2.1]) + rng.uniform(-0.05, 0.1), rng.uniform(0.75, 0.95)
    place = wall.place(at, off=0.03)
    if not scene.claim(place, (0, 0, width, depth)):
        return at + 0.3
    scene.add(replace(room_furniture.sofa(rng, width, depth), place=place))
    return at + width
