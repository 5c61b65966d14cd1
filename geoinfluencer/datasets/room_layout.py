"""What a generated room is made of: its fabric, a group in its middle, runs along its walls."""

from __future__ import annotations

import numpy as np

from geoinfluencer.datasets import room_groups, room_home, room_runs, room_shell
from geoinfluencer.datasets.room_patches import Solid
from geoinfluencer.datasets.room_plan import Plan
from geoinfluencer.datasets.room_scene import Scene

# What rooms are: shares of desks, bookcases, sofas and nothing along the walls, and what is in the
# middle: nothing, a meeting table, rows of desks, sofas.
_KINDS = {
    "office": ((0.5, 0.3, 0.05, 0.15), (0.5, 0.15, 0.35, 0.0)),
    "meeting": ((0.1, 0.3, 0.1, 0.5), (0.0, 1.0, 0.0, 0.0)),
    "lounge": ((0.1, 0.25, 0.4, 0.25), (0.2, 0.2, 0.0, 0.6)),
    "library": ((0.1, 0.75, 0.05, 0.1), (0.3, 0.4, 0.3, 0.0)),
    "class": ((0.15, 0.2, 0.0, 0.65), (0.0, 0.0, 1.0, 0.0)),
}


def compose(
    rng: np.random.Generator, plan: Plan, fill: float, *, home: bool = False
) -> list[Solid]:
    """All objects of a room; ``fill`` in 0..1 says how full it is, ``home`` that people live in it
    and do not work."""
    scene = Scene(plan, [], [])
    paint = room_shell.wall_color(rng)
    for solid in room_shell.floor_and_ceiling(rng, plan):
        scene.add(solid)
    for wall in plan.walls:
        scene.add(room_shell.wall_sheet(wall, plan.height, paint + rng.normal(0, 0.01, 3)))
        for o in wall.openings:
            if o.is_door:
                scene.add(*room_shell.door(rng, wall, o))
                scene.claim(wall.place(o.start), (0, 0, o.end - o.start, 1.0))
            else:
                scene.add(room_shell.window(rng, wall, o))
    for column in room_shell.columns(rng, plan, 0.96 * paint):
        scene.add(column)
        corner = (*column.boxes[0, :2], *column.boxes[0, 3:5]) if len(column.boxes) else ()
        radius = column.rounds[0, 3] if len(column.rounds) else 0.0
        scene.claim(column.place, corner or (-radius, -radius, radius, radius))
    for beam in room_shell.beams(rng, plan, 0.93 * paint):
        scene.add(beam)
    kind = str(rng.choice(["lounge", "office"] if home else list(_KINDS)))
    shares, middle = _KINDS[kind]
    if home:
        room_home.furnish(rng, scene)
    group = rng.choice(4, p=middle)
    if group:
        (room_groups.meeting, room_groups.rows, room_groups.seats)[group - 1](rng, scene)
    for number in rng.permutation(len(plan.walls)):
        room_runs.along(rng, scene, plan.walls[number], shares, fill)
    for _ in range(int(rng.integers(4, 6 + int(12 * fill)))):
        room_groups.loose(rng, scene)
    return scene.solids
