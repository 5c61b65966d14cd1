"""Where the rooms of S3DIS are, and which of them should be there."""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from geoinfluencer.datasets.room import Room
from geoinfluencer.datasets.s3dis_arrays import POINTCEPT_FILES
from geoinfluencer.datasets.s3dis_classes import s3dis_class
from geoinfluencer.datasets.s3dis_text import read_point_files
from geoinfluencer.errors import InputError, suggest
from geoinfluencer.files.scene_names import S3DIS_CLASSES

S3DIS_ROOMS = {1: 44, 2: 40, 3: 23, 4: 49, 5: 68, 6: 48}  # of each area: 272
S3DIS_PAGE = "http://buildingparser.stanford.edu/dataset.html"
S3DIS_HOW = (
    f"fill in the form linked at {S3DIS_PAGE}, unpack "
    "Stanford3dDataset_v1.2_Aligned_Version.zip and name the folder that holds Area_1 to Area_6"
)

_AREA = re.compile(r"Area_(\d+)")
_ANNOTATION = re.compile(r"([A-Za-z]+)_(\d+)( \(\d+\))?")
_OF_CACHE = re.compile(r".*-[0-9a-f]{16}\.npy")  # parsed rooms, which may lie in the same folder
_CLUTTER = ("stairs", "staris")  # in two rooms; by common use the class clutter


def find_rooms(root: Path) -> list[Path]:
    """Rooms below ``root``, by area and name: folders with ``Annotations`` (raw), else folders with
    the files of Pointcept, else files ``Area_N/ROOM.npy`` (Mask3D).

    ``root`` is a room (not of Mask3D), an area, the folder of the areas, or one that holds this
    folder alone.

    Raises:
        InputError: There is none; says where they come from.
    """
    for found in (
        _folders_with(root, "Annotations"),
        sorted({room for name in POINTCEPT_FILES for room in _folders_with(root, name)}),
        _mask3d_files(root),
    ):
        if found:
            return sorted(found, key=_order)
    below = {room.parents[1] for room in root.glob("*/Area_*/*") if _is_room(room)}
    inner = sorted(below)
    if len(inner) > 1:
        names = ", ".join(folder.name for folder in inner)
        raise InputError(f"{root}: holds S3DIS more than once ({names}); name one of these folders")
    if inner:
        return find_rooms(inner[0])
    raise InputError(
        f"{root}: no Area_N/ROOM/Annotations in it, nor rooms of Pointcept "
        f"(Area_N/ROOM/coord.npy) or Mask3D (Area_N/ROOM.npy); for S3DIS {S3DIS_HOW}"
    )


def version_of(rooms: Iterable[Path]) -> str:
    """Which make of the set these rooms of :func:`find_rooms` are, in words."""
    rooms = list(rooms)
    kinds = {layout_of(room) for room in rooms}
    if kinds == {"raw"}:
        return "aligned version" if is_aligned(rooms) else "version that is not aligned"
    return f"preprocessed by {' and '.join(sorted(kinds))}"


def layout_of(room: Path) -> str:
    """``raw``, ``Pointcept`` or ``Mask3D``: how a room of :func:`find_rooms` is stored."""
    if room.suffix == ".npy":
        return "Mask3D"
    return "raw" if (room / "Annotations").is_dir() else "Pointcept"


def area_of(room: Path) -> int | None:
    """Area that a room's folder is in, by the name of the folder above."""
    match = _AREA.fullmatch(room.resolve().parent.name)
    return int(match[1]) if match else None


def is_aligned(rooms: Iterable[Path]) -> bool:
    """Whether walls are parallel to the axes: the raw version tells the angle of every area."""
    return not any(any(area.glob("*_alignmentAngle.txt")) for area in {r.parent for r in rooms})


def missing_rooms(rooms: Iterable[Path], areas: Iterable[int] = tuple(S3DIS_ROOMS)) -> str:
    """What is missing of these areas, and where it is to be had; empty: nothing."""
    count = Counter(area_of(room) for room in rooms)
    known = {area: S3DIS_ROOMS[area] for area in areas}
    lost = [f"Area_{a} {count[a]} of {most}" for a, most in known.items() if count[a] < most]
    if not lost:
        return ""
    return (
        f"{sum(count[area] for area in known)} of {sum(known.values())} rooms ({', '.join(lost)}): "
        f"figures are not those of S3DIS; for the others {S3DIS_HOW}"
    )


def annotation_files(room: Path) -> tuple[list[tuple[Path, int]], list[str]]:
    """Files of the instances of a room, with their classes, by class and number; and remarks.

    Copies such as ``wall_3 (1).txt`` beside ``wall_3.txt`` are left out, and stairs are clutter;
    both are remarked upon.

    Raises:
        InputError: A file is named otherwise, or there is none.
    """
    found: list[tuple[int, str, int, Path]] = []
    remarks = []
    for path in sorted((room / "Annotations").glob("*.txt")):
        if path.name.startswith("."):
            continue  # of file managers
        match = _ANNOTATION.fullmatch(path.stem)
        if match is None:
            raise InputError(f"{path}: is not named CLASS_NUMBER.txt; rename or remove it")
        name, number, copy = match.groups()
        if copy and path.with_name(f"{name}_{number}.txt").exists():
            remarks.append(f"{path}: left out, a copy of {name}_{number}.txt")
            continue
        if name in _CLUTTER:
            remarks.append(f"{path}: {name!r} is none of the 13 classes; read as clutter")
        elif name not in S3DIS_CLASSES:
            hint = suggest(name, S3DIS_CLASSES)
            raise InputError(f"{path}: class {name!r} is unknown; {hint}")
        label = s3dis_class("clutter" if name in _CLUTTER else name)
        found.append((label, name, int(number), path))
    if not found:
        raise InputError(f"{room}: no file in Annotations; unpack the room again")
    return [(path, label) for label, _, _, path in sorted(found)], remarks


def read_s3dis_room(room: Path) -> Room:
    """Read a room from its annotations; the room's own file, which repeats them, is not needed."""
    files, remarks = annotation_files(room)
    for remark in remarks:
        warnings.warn(remark, stacklevel=2)
    pos, color, counts = read_point_files([path for path, _ in files])
    instance = np.repeat(np.arange(len(files)), counts)
    return Room(pos, color, instance, np.array([label for _, label in files], np.int64))


def _folders_with(root: Path, name: str) -> list[Path]:
    """Rooms of the first of the places that has some: ``root``, an area, the areas."""
    for pattern in (name, f"*/{name}", f"Area_*/*/{name}"):
        found = [inside.parent for inside in root.glob(pattern)]
        if found:
            return found
    return []


def _mask3d_files(root: Path) -> list[Path]:
    area = _AREA.fullmatch(root.resolve().name)
    return [path for path in root.glob("*.npy" if area else "Area_*/*.npy") if _is_room(path)]


def _is_room(path: Path) -> bool:
    if path.suffix == ".npy":
        return path.name not in POINTCEPT_FILES and not _OF_CACHE.fullmatch(path.name)
    return any((path / name).exists() for name in ("Annotations", *POINTCEPT_FILES))


def _order(room: Path) -> tuple[int, str, int]:
    name = room.stem if room.suffix == ".npy" else room.name
    stem, _, number = name.rpartition("_")
    return area_of(room) or 0, stem, int(number) if number.isdigit() else 0
