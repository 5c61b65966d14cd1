"""Where the rooms of S3DIS are, and which of them should be there."""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from geoinfluencer.datasets.room import Room
from geoinfluencer.datasets.s3dis_classes import S3DIS_CLASSES, s3dis_class
from geoinfluencer.datasets.s3dis_text import read_point_files
from geoinfluencer.errors import InputError, suggest

S3DIS_ROOMS = {1: 44, 2: 40, 3: 23, 4: 49, 5: 68, 6: 48}  # of each area: 272
S3DIS_PAGE = "http://buildingparser.stanford.edu/dataset.html"
S3DIS_HOW = (
    f"fill in the form linked at {S3DIS_PAGE}, unpack "
    "Stanford3dDataset_v1.2_Aligned_Version.zip and name the folder that holds Area_1 to Area_6"
)

_AREA = re.compile(r"Area_(\d+)")
_ANNOTATION = re.compile(r"([A-Za-z]+)_(\d+)( \(\d+\))?")
_CLUTTER = ("stairs", "staris")  # in two rooms; by common use the class clutter


def find_rooms(root: Path) -> list[Path]:
    """Folders of the rooms below ``root``, by area and name.

    ``root`` is a room, an area, the folder of the areas, or one that holds this folder alone.

    Raises:
        InputError: There is none; says where they come from.
    """
    for pattern in ("Annotations", "*/Annotations", "Area_*/*/Annotations"):
        found = [folder.parent for folder in root.glob(pattern) if folder.is_dir()]
        if found:
            return sorted(found, key=_order)
    inner = sorted({folder.parents[2] for folder in root.glob("*/Area_*/*/Annotations")})
    if len(inner) > 1:
        names = ", ".join(folder.name for folder in inner)
        raise InputError(f"{root}: holds S3DIS more than once ({names}); name one of these folders")
    if inner:
        return find_rooms(inner[0])
    raise InputError(f"{root}: no Area_N/ROOM/Annotations in it; for S3DIS {S3DIS_HOW}")


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


def _order(room: Path) -> tuple[int, str, int]:
    stem, _, number = room.name.rpartition("_")
    return area_of(room) or 0, stem, int(number) if number.isdigit() else 0
