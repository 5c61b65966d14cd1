"""Furniture of generated rooms: x along the wall, y away from it, z up, back at y = 0; metres."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from geoinfluencer.datasets.room_patches import Solid
from geoinfluencer.datasets.s3dis_classes import s3dis_class

_WOOD = np.array([[0.62, 0.45, 0.28], [0.78, 0.66, 0.48], [0.38, 0.25, 0.16], [0.85, 0.82, 0.76]])
_CLOTH = np.array(
    [[0.15, 0.15, 0.17], [0.2, 0.28, 0.5], [0.5, 0.15, 0.15], [0.3, 0.42, 0.3], [0.45, 0.42, 0.4]]
)
_METAL = np.array([[0.25, 0.25, 0.26], [0.6, 0.6, 0.62], [0.1, 0.1, 0.1]])


def some(rng: np.random.Generator, palette: np.ndarray) -> np.ndarray:
    """One colour of a palette, slightly off."""
    return np.clip(palette[rng.integers(len(palette))] + rng.normal(0, 0.04, 3), 0, 1)


def wood(rng: np.random.Generator) -> np.ndarray:
    """The colour of a piece of wood."""
    return some(rng, _WOOD)


def table(rng: np.random.Generator, width: float, depth: float, height: float) -> Solid:
    """A desk or table on four legs or two panels, now and then with drawers or a screen panel."""
    top, metal = some(rng, _WOOD), some(rng, _METAL)
    thick = rng.uniform(0.025, 0.05)
    boxes = [[0, 0, height - thick, width, depth, height]]
    colors = [top]
    if rng.random() < 0.6:
        leg = rng.uniform(0.04, 0.07)
        xs, ys = (0.03, width - 0.03 - leg), (0.03, depth - 0.03 - leg)
        boxes += [[x, y, 0, x + leg, y + leg, height - thick] for x in xs for y in ys]
        colors += [metal] * 4
    else:
        boxes += [[x, 0.05, 0, x + 0.03, depth - 0.05, height - thick] for x in (0, width - 0.03)]
        colors += [top] * 2
    if rng.random() < 0.4:
        boxes.append([0.05, 0.08, 0.3, width - 0.05, 0.1, height - thick])
        colors.append(top)
    if rng.random() < 0.4 and width > 1.0:
        boxes.append([0.08, 0.08, 0.05, 0.5, depth - 0.1, height - thick - 0.02])
        colors.append(some(rng, _METAL))
    return Solid(s3dis_class("table"), np.array(boxes), np.array(colors))


def round_table(rng: np.random.Generator, radius: float, height: float) -> Solid:
    """A round top on one foot; its frame is in its middle."""
    rounds = np.array(
        [[0, 0, height - 0.04, radius, 0.04], [0, 0, 0.03, 0.05, height - 0.07]]
        + [[0, 0, 0, 0.5 * radius, 0.03]]
    )
    colors = np.array([some(rng, _WOOD), some(rng, _METAL), some(rng, _METAL)])
    return Solid(s3dis_class("table"), np.empty((0, 6)), np.empty((0, 3)), rounds, colors)


def chair(rng: np.random.Generator, swivel: bool) -> Solid:
    """A chair that looks along -y; its frame is in the middle of the seat."""
    cloth, metal = some(rng, _CLOTH), some(rng, _METAL)
    a, seat, top = rng.uniform(0.22, 0.29), rng.uniform(0.42, 0.5), rng.uniform(0.8, 1.05)
    boxes = [[-a, -a, seat - 0.06, a, a, seat], [-a, a - 0.05, seat + 0.12, a, a, top]]
    boxes += [[x, a - 0.04, seat, x + 0.05, a - 0.01, seat + 0.12] for x in (-0.12, 0.07)]
    colors = [cloth, cloth, metal, metal]
    rounds = np.empty((0, 5))
    if swivel:
        b = a + 0.06
        boxes += [[-b, -0.025, 0.05, b, 0.025, 0.09], [-0.025, -b, 0.05, 0.025, b, 0.09]]
        colors += [metal] * 2
        wheels = [[x, y, 0, 0.03, 0.06] for x, y in ((-b, 0), (b, 0), (0, -b), (0, b))]
        rounds = np.array([[0, 0, 0.09, 0.03, seat - 0.15], *wheels])
    else:
        boxes += [
            [x, y, 0, x + 0.03, y + 0.03, seat - 0.06]
            for x in (-a, a - 0.03)
            for y in (-a, a - 0.03)
        ]
        colors += [metal] * 4
    if rng.random() < 0.5:
        boxes += [[x, -0.15, seat + 0.18, x + 0.05, a, seat + 0.22] for x in (-a - 0.05, a)]
        boxes += [[x, 0.0, seat - 0.06, x + 0.03, 0.03, seat + 0.18] for x in (-a - 0.04, a)]
        colors += [metal] * 4
    round_colors = np.repeat(metal[None], len(rounds), 0)
    return Solid(s3dis_class("chair"), np.array(boxes), np.array(colors), rounds, round_colors)


def sofa(rng: np.random.Generator, width: float, depth: float) -> Solid:
    """Base, cushions, back and two arms."""
    cloth = some(rng, _CLOTH)
    seat, top, arm = rng.uniform(0.38, 0.45), rng.uniform(0.75, 0.95), rng.uniform(0.12, 0.2)
    cushions = max(1, round((width - 2 * arm) / 0.65))
    edges = np.linspace(arm, width - arm, cushions + 1)
    boxes = [
        [0, 0, 0.06, width, depth, seat - 0.14],
        [0, 0, 0.06, width, 0.2, top],
        [0, 0, 0.06, arm, depth, seat + 0.2],
        [width - arm, 0, 0.06, width, depth, seat + 0.2],
    ]
    for low, high in pairwise(edges):
        boxes.append([low + 0.01, 0.2, seat - 0.14, high - 0.01, depth + 0.02, seat])
        boxes.append([low + 0.01, 0.2, seat, high - 0.01, 0.34, top - 0.05])
    shade = rng.uniform(0.9, 1.1, (len(boxes), 1))
    return Solid(s3dis_class("sofa"), np.array(boxes), np.clip(cloth * shade, 0, 1))


def bookcase(
    rng: np.random.Generator, wood: np.ndarray, width: float, depth: float, low: float, high: float
) -> Solid:
    """Boards with rows of books between them; ``low`` > 0 hangs on the wall."""
    thick = 0.025
    shelves = np.linspace(low, high, max(2, round((high - low) / 0.36) + 1))
    boxes = [
        [0, 0, low, thick, depth, high],
        [width - thick, 0, low, width, depth, high],
        [0, 0, low, width, 0.015, high],
    ]
    boxes += [[0, 0, z - thick / 2, width, depth, z + thick / 2] for z in shelves]
    colors = [wood] * len(boxes)
    for z, above in pairwise(shelves):
        if rng.random() < 0.12:
            continue
        filled = rng.uniform(0.4, 1.0) * (width - 2 * thick)
        edges = np.cumsum(rng.uniform(0.03, 0.12, 64))  # several books at once
        edges = thick + np.append(0, edges[edges < filled])
        count = len(edges) - 1
        top = z + thick / 2 + (above - z - thick) * rng.uniform(0.55, 0.95, count)
        front = np.minimum(depth - 0.01, rng.uniform(0.16, 0.26, count))
        zero = np.full(count, 0.015)
        books = np.stack([edges[:-1], zero, zero * 0 + z, edges[1:], front, top], 1)
        boxes += books.tolist()
        tint = rng.uniform(0.15, 0.85, (count, 1)) + rng.normal(0, 0.12, (count, 3))
        colors += list(np.clip(tint, 0, 1))
    if low == 0 and rng.random() < 0.25:
        boxes.append([0, depth - 0.02, 0.05, width, depth, min(0.9, high)])
        colors.append(wood * 0.95)
    return Solid(s3dis_class("bookcase"), np.array(boxes), np.array(colors))


def board(rng: np.random.Generator, width: float, low: float, high: float) -> Solid:
    """A white- or blackboard in a frame, with its tray."""
    dark = rng.random() < 0.2
    face = np.array([0.13, 0.2, 0.17]) if dark else np.array([0.93, 0.93, 0.94])
    frame = np.array([0.6, 0.6, 0.6])
    boxes = np.array(
        [
            [0, 0.005, low, width, 0.03, high],
            [0, 0.005, low - 0.03, width, 0.04, low],
            [0, 0.005, high, width, 0.04, high + 0.03],
            [0.1 * width, 0.005, low - 0.04, 0.9 * width, 0.09, low - 0.03],
        ]
    )
    return Solid(s3dis_class("board"), boxes, np.array([face, frame, frame, frame]))
