"""Rooms of S3DIS as arrays that the preprocessing of other programs has left."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import numpy as np

from geoinfluencer.datasets.room import Room
from geoinfluencer.errors import InputError
from geoinfluencer.files.scene_names import S3DIS_CLASSES
from geoinfluencer.graphs.majority import segment_majority

POINTCEPT_FILES = ("coord.npy", "color.npy", "segment.npy", "instance.npy")
_MASK3D_COLUMNS = "x y z, r g b, normal (3), segment, class, instance"
_REMEDY = "preprocess or unpack the room again"


def read_pointcept_room(room: Path) -> Room:
    """Read a room of `Pointcept <https://github.com/Pointcept/Pointcept>`_: a folder of
    ``coord.npy`` (P, 3), ``color.npy`` (P, 3), ``segment.npy`` and ``instance.npy``, (P,) or
    (P, 1).

    Raises:
        InputError: A file is missing, damaged, of another shape, or a value wrong; names it.
    """
    coord, color, segment, instance = (room / name for name in POINTCEPT_FILES)
    pos = _loaded(coord)
    if pos.ndim != 2 or pos.shape[1] != 3 or not len(pos):
        _stop(coord, f"has shape {pos.shape}, expected (points, 3)")
    tint = _loaded(color)
    if tint.shape != pos.shape:
        _stop(color, f"has shape {tint.shape}, expected {pos.shape} as coord.npy")
    numbers = []
    for path in (segment, instance):
        values = _loaded(path)
        if values.shape not in ((len(pos),), (len(pos), 1)):
            _stop(path, f"has shape {values.shape}, expected ({len(pos)},) as coord.npy has points")
        numbers.append(values.reshape(-1))
    return _checked_room((coord, color, segment, instance), pos, tint, *numbers)


def read_mask3d_room(path: Path) -> Room:
    """Read a room of `Mask3D <https://github.com/JonasSchult/Mask3D>`_: an array (P, 12) of x y z,
    r g b, normal, segment, class and instance. Segments, of which S3DIS has none, are left out.

    Raises:
        InputError: The file is damaged, of another shape, or a value wrong; names it.
    """
    rows = _loaded(path)
    if rows.ndim != 2 or rows.shape[1] != 12 or not len(rows):
        _stop(path, f"has shape {rows.shape}, expected (points, 12): {_MASK3D_COLUMNS}")
    return _checked_room((path,) * 4, rows[:, :3], rows[:, 3:6], rows[:, 10], rows[:, 11])


def _loaded(path: Path) -> np.ndarray:
    try:
        values = np.load(path, allow_pickle=False)
    except FileNotFoundError:
        _stop(path, "is missing")
    except (OSError, ValueError, EOFError) as error:
        _stop(path, f"is no whole array ({str(error).splitlines()[0]})")
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "iuf":
        _stop(path, "holds no array of numbers")
    return values


def _checked_room(
    paths: tuple[Path, ...],
    pos: np.ndarray,
    color: np.ndarray,
    segment: np.ndarray,
    instance: np.ndarray,
) -> Room:
    """A room of arrays from these four files; the class of an instance is that of most of its
    points."""
    finite = np.all(np.isfinite(pos), axis=1)
    _check_rows(paths[0], finite, pos, "are no finite metres")
    within = np.all((color >= 0) & (color <= 255), axis=1)
    _check_rows(paths[1], within, color, "are no colour of 0 to 255")
    known = (segment >= -1) & (segment < len(S3DIS_CLASSES)) & (segment == np.floor(segment))
    last = len(S3DIS_CLASSES) - 1
    _check_rows(paths[2], known, segment, f"is no class of 0 ({S3DIS_CLASSES[0]}) to {last}")
    whole = np.isfinite(instance) & (instance == np.floor(instance))
    _check_rows(paths[3], whole, instance, "is no whole number of an instance")
    annotated = instance >= 0
    kept, inverse = np.unique(instance[annotated], return_inverse=True)
    number = np.full(len(pos), -1)
    number[annotated] = inverse.reshape(-1)
    label = segment_majority(number[annotated], segment[annotated].astype(np.int64), len(kept))
    tint = np.rint(color).astype(np.uint8)
    return Room(pos.astype(np.float32), tint, number, label)


def _check_rows(path: Path, good: np.ndarray, values: np.ndarray, problem: str) -> None:
    if not good.all():
        row = int(np.argmin(good))
        shown = " ".join(f"{value:g}" for value in np.atleast_1d(values[row]))
        _stop(path, f"row {row}: {shown} {problem}")


def _stop(path: Path, problem: str) -> NoReturn:
    raise InputError(f"{path}: {problem}; {_REMEDY}")
