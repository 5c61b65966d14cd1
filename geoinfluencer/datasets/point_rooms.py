"""Labelled scans in files of points: which ones are in a split, and one of them as a room."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from pathlib import Path

import numpy as np

from geoinfluencer.datasets.point_files import Cloud, cloud_of
from geoinfluencer.datasets.room import Room
from geoinfluencer.datasets.stored_rooms import spread
from geoinfluencer.errors import InputError
from geoinfluencer.files.lines import read_lines
from geoinfluencer.files.point_tables import POINT_FORMATS, is_kind, read_points
from geoinfluencer.graphs.majority import segment_majority

# Label of points that are annotated and in no instance: LOOSE without a class, LOOSE - 1 - c of
# class c. Parsed rooms hold labels as int8.
LOOSE = -2
MOST_CLASSES = 120
_SPLITS = ("train", "val", "calib", "test")
_CACHE = "geoinfluencer-cache"


@dataclass(frozen=True)
class PointTruth:
    """What is read of a file, and what it means.

    Attributes:
        columns: Role to column, see :func:`~geoinfluencer.datasets.point_files.parse_columns`.
        instance: Column of the instances.
        semantic: Column of the classes, or None.
        num_classes: C; classes are 0 to C-1, negative = void.
        ignore: Whether points without instance and class are not annotated, rather than background.
        unit: Metres per unit of the file.
        required: Whether a file without the truth is an error.
    """

    columns: dict[str, str]
    instance: str
    semantic: str | None
    num_classes: int
    ignore: bool
    unit: float
    required: bool

    def state(self) -> tuple[object, ...]:
        """What decides the room that is read, where the file has the truth."""
        return astuple(self)[:-1]


def find_point_files(root: Path) -> list[Path]:
    """All files of points of a folder, those of its splits or else its own; or one file.

    Raises:
        InputError: There is none.
    """
    if root.is_file():
        return [root]
    if not root.is_dir():
        raise InputError(f"{root}: no such folder")
    parts = [_split_files(root, split) for split in _SPLITS]
    found = [path for part in parts if part is not None for path in part]
    found = list(dict.fromkeys(found)) or sorted(filter(_holds_points, root.iterdir()))
    if not found:
        raise InputError(
            f"{root}: no file of points in it nor in its train/ and val/; give some of "
            f"{' '.join(POINT_FORMATS)}"
        )
    return found


def split_point_files(root: Path, split: str, calib_rooms: int) -> list[Path]:
    """Files of one split; the rule is in :class:`~geoinfluencer.datasets.points.Points`.

    Raises:
        InputError: The split has no files.
    """
    if split == "all":
        return find_point_files(root)
    own = _split_files(root, split)
    if own is None and split == "test":
        own = _split_files(root, "val")
    if split in ("train", "calib") and _split_files(root, "calib") is None:
        own = _split_files(root, "train")
        if own is not None and len(own) > calib_rooms:
            held = spread(own, calib_rooms)
            own = [path for path in own if (path in held) == (split == "calib")]
    if not own:
        name = "val" if split in ("val", "test") else "train"
        raise InputError(
            f"{root}: neither a folder {name}/ with files of points nor a {name}.list that names "
            "them; add one, or set data.all_rooms=true to train and score on the same scans"
        )
    return own


def read_point_room(path: Path, truth: PointTruth) -> Room:
    """Read a scan with its truth. Where that is not required, points of a file without the column
    of instances are not annotated, and those of one without the column of classes are void.

    Raises:
        InputError: A column is missing, or a value wrong; names the place and the remedy.
    """
    table = read_points(path)
    columns = dict(truth.columns)
    for role, name in (("instance", truth.instance), ("semantic", truth.semantic)):
        if name is not None and (truth.required or name in table.columns):
            columns[role] = name
    cloud = cloud_of(table, columns, truth.unit)
    if cloud.instance is not None:
        return point_room(cloud, truth)
    count = len(cloud.pos)
    color = np.zeros((count, 3), np.uint8) if cloud.color is None else cloud.color
    return Room(cloud.pos, color, np.full(count, -1), np.empty(0, np.int64))


def tells_truth(room: Room, truth: PointTruth) -> bool:
    """Whether anything in a room is annotated, with a class where classes are asked for; a room
    read without the columns of truth has nothing."""
    if truth.semantic is not None:
        return bool((classes_of(room.label) >= 0).any())
    return bool((room.instance >= 0).any())


def point_room(cloud: Cloud, truth: PointTruth) -> Room:
    """The points with instances 0..K-1, of which the last are the points of no instance, by class.

    The class of an instance is that of most of its points.
    """
    assert cloud.instance is not None
    known = cloud.instance >= 0
    semantic = np.full(len(known), -1) if cloud.semantic is None else cloud.semantic
    if truth.num_classes and semantic.max() >= truth.num_classes:
        row = int(np.argmax(semantic >= truth.num_classes))
        raise InputError(
            f"{cloud.table.path}: {cloud.table.place(row)}: column {cloud.used['semantic']!r} is "
            f"{semantic[row]}, class_names has {truth.num_classes}; number classes from 0, and "
            "name them all"
        )
    semantic = np.maximum(semantic, -1)
    values, number = np.unique(cloud.instance[known], return_inverse=True)
    label = segment_majority(number.reshape(-1), semantic[known], len(values))
    instance = np.full(len(known), -1)
    instance[known] = number.reshape(-1)
    loose = ~known & ((semantic >= 0) | (not truth.ignore))
    kinds, kind = np.unique(semantic[loose], return_inverse=True)
    instance[loose] = len(values) + kind.reshape(-1)
    color = np.zeros((len(known), 3), np.uint8) if cloud.color is None else cloud.color
    return Room(cloud.pos, color, instance, np.concatenate([label, LOOSE - 1 - kinds]))


def classes_of(label: np.ndarray) -> np.ndarray:
    """Classes from the labels of a room's instances, those of points in no instance included."""
    found: np.ndarray = np.where(label <= LOOSE, LOOSE - 1 - label, label)
    return found


def _split_files(root: Path, split: str) -> list[Path] | None:
    """Files of a split's own folder or list, None without either."""
    folder, names = root / split, root / f"{split}.list"
    if names.is_file():
        if folder.is_dir():
            raise InputError(f"{root}: has {split}/ and {split}.list; keep one of them")
        return _listed(root, names)
    if not folder.is_dir():
        return None
    return sorted(path for path in folder.rglob("*") if _holds_points(path))


def _listed(root: Path, names: Path) -> list[Path]:
    found = []
    for number, line in enumerate(read_lines(names), 1):
        if line.strip():
            path = root / line.strip()
            inside = path.resolve().is_relative_to(root.resolve())
            if not (inside and _holds_points(path)):
                raise InputError(
                    f"{names}: line {number}: {line.strip()!r} is no file of points in {root}; "
                    "name such files by their place there"
                )
            found.append(path)
    return found


def _holds_points(path: Path) -> bool:
    return is_kind(path, *POINT_FORMATS) and path.is_file() and _CACHE not in path.parts
