"""Where the scenes of STPLS3D are, one of them as points, and the tiles that it is cut into."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from geoinfluencer.datasets.point_files import cloud_of
from geoinfluencer.datasets.point_rooms import PointTruth, point_room
from geoinfluencer.datasets.room import Room
from geoinfluencer.errors import InputError
from geoinfluencer.files.point_tables import is_kind, read_points
from geoinfluencer.files.scene_names import STPLS3D_CLASSES

STPLS3D_VAL = (5, 10, 15, 20, 25)
STPLS3D_SCENES = range(1, 26)
STPLS3D_PAGE = "https://www.stpls3d.com/data"
STPLS3D_HOW = (
    f"fill in the form linked at {STPLS3D_PAGE}, unpack Synthetic_v3_InstanceSegmentation.zip and "
    "name the folder that holds 1_points_GTv3.txt to 25_points_GTv3.txt, or their folders"
)

_SCENE = re.compile(r"(\d+)_")
_PLAIN = {"x": "1", "y": "2", "z": "3", "red": "4", "green": "5", "blue": "6"}
_TRUTH = PointTruth(
    {}, "instance", "semantic", len(STPLS3D_CLASSES), ignore=True, unit=1.0, required=True
)


def find_stpls3d(root: Path) -> list[Path]:
    """Files of the scenes in a folder or in folders of it, by number and name.

    Raises:
        InputError: There is none, or one twice; says where they come from.
    """
    near = sorted([*root.glob("*"), *root.glob("*/*")]) if root.is_dir() else []
    found = [path for path in near if _SCENE.match(path.name) and is_kind(path, ".txt", ".csv")]
    if not found:
        raise InputError(f"{root}: no file N_NAME.txt or .csv in it; for STPLS3D {STPLS3D_HOW}")
    found.sort(key=lambda path: (scene_number(path), path.name))
    by_name: dict[str, Path] = {}
    for path in found:
        other = by_name.setdefault(scene_name(path), path)
        if other != path:
            raise InputError(f"{root}: holds {other} and {path}; remove one, or name one folder")
    return found


def scene_number(path: Path) -> int:
    """The scene that a file is of: the number that its name begins with."""
    match = _SCENE.match(path.name)
    assert match is not None
    return int(match[1])


def scene_name(path: Path) -> str:
    """Name of a file without its endings."""
    return path.name.partition(".")[0]


def missing_scenes(files: Iterable[Path], numbers: Iterable[int] = STPLS3D_SCENES) -> str:
    """Which of these scenes are missing, and where they are to be had; empty: none."""
    wanted = tuple(numbers)
    lost = sorted(set(wanted) - {scene_number(path) for path in files})
    if not lost:
        return ""
    return (
        f"{len(wanted) - len(lost)} of {len(wanted)} scenes (without "
        f"{', '.join(map(str, lost))}): figures are not those of STPLS3D; for the others "
        f"{STPLS3D_HOW}"
    )


def read_stpls3d(path: Path, tile: float | None) -> Room:
    """Read a scene: lines ``x,y,z,r,g,b,class,instance``, or without the last two.

    The lowest corner becomes the origin. Points are put in the order of the tiles. Points without
    an instance, as of the ground, have the labels of
    :func:`~geoinfluencer.datasets.point_rooms.point_room`.

    Raises:
        InputError: Anything else; names the file, the line and the remedy.
    """
    table = read_points(path)
    if table.named or len(table.columns) + len(table.left_out) not in (6, 8):
        what = "a header" if table.named else f"{len(table.columns) + len(table.left_out)} columns"
        raise InputError(
            f"{path}: has {what}, expected lines x,y,z,r,g,b,class,instance without a header; "
            "unpack it again, or read other tables with --dataset points"
        )
    if "7" in table.columns or "7" in table.left_out:
        cloud = cloud_of(table, {**_PLAIN, "semantic": "7", "instance": "8"})
        assert cloud.semantic is not None
        bad = (cloud.semantic < 0) | (cloud.semantic >= len(STPLS3D_CLASSES))
        if bad.any():
            row = int(np.argmax(bad))
            raise InputError(
                f"{path}: {table.place(row)}: class {cloud.semantic[row]} is none of 0 (ground) to "
                f"{len(STPLS3D_CLASSES) - 1}; take the files of version 3, or --dataset points "
                "with classes of your own"
            )
        room = point_room(cloud, _TRUTH)
    else:
        cloud = cloud_of(table, _PLAIN)
        assert cloud.color is not None
        none = np.full(len(cloud.pos), -1)
        room = Room(cloud.pos, cloud.color, none, np.empty(0, np.int64))
    pos = room.pos - room.pos.min(0)
    order = np.argsort(tile_of_point(pos, tile), kind="stable")
    return Room(pos[order], room.color[order], room.instance[order], room.label)


def tile_of_point(pos: np.ndarray, tile: float | None) -> np.ndarray:
    """Numbers (P,) of the squares of ``tile`` metres that points lie in, from the origin along y,
    then along x, as published evaluations number them; ``None``: one for all."""
    if tile is None:
        return np.zeros(len(pos), np.int64)
    cell = (pos[:, :2] // tile).astype(np.int64)
    # what lies on the far border is in the last square
    most = np.maximum(np.ceil(pos[:, :2].max(0) / tile).astype(np.int64), 1)
    cell = np.minimum(cell, most - 1)
    number: np.ndarray = cell[:, 0] * most[1] + cell[:, 1]
    return number


def tiles_of(room: Room, tile: float | None) -> list[tuple[int, slice]]:
    """Number and points of every tile that has points, of a room of :func:`read_stpls3d`."""
    number = tile_of_point(np.asarray(room.pos), tile)
    starts = np.flatnonzero(np.diff(number, prepend=-1))
    stops = np.append(starts[1:], len(number))
    return [
        (int(number[start]), slice(int(start), int(stop)))
        for start, stop in zip(starts, stops, strict=True)
    ]


def cut_tile(room: Room, points: slice) -> Room:
    """Some of the points, instances numbered anew."""
    instance = np.asarray(room.instance[points]).astype(np.int64)
    kept = np.unique(instance)
    kept = kept[kept >= 0]
    fresh = np.where(instance >= 0, np.searchsorted(kept, instance), -1)
    return Room(room.pos[points], room.color[points], fresh, room.label[kept])
