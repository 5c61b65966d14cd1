"""S3DIS as a PyG dataset of point clouds, from its text files or what others made of them."""

from __future__ import annotations

import os
import warnings
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Literal

from geoinfluencer.datasets.room_cache import RoomSource
from geoinfluencer.datasets.s3dis_arrays import (
    POINTCEPT_FILES,
    read_mask3d_room,
    read_pointcept_room,
)
from geoinfluencer.datasets.s3dis_classes import s3dis_class
from geoinfluencer.datasets.s3dis_layout import (
    S3DIS_HOW,
    S3DIS_ROOMS,
    annotation_files,
    area_of,
    find_rooms,
    layout_of,
    missing_rooms,
    read_s3dis_room,
    version_of,
)
from geoinfluencer.datasets.stored_rooms import (
    NO_FILES,
    FoundRooms,
    StoredRooms,
    check_split,
    spread,
)
from geoinfluencer.errors import InputError
from geoinfluencer.files.scene_names import S3DIS_CLASSES, S3DIS_STUFF


class S3DIS(StoredRooms):
    r"""The Stanford Large-Scale 3D Indoor Spaces Dataset
    (`Armeni et al., CVPR 2016 <https://doi.org/10.1109/CVPR.2016.170>`_), 272 rooms in 6 areas.

    Read are ``Area_N/ROOM/Annotations/CLASS_N.txt`` of either version, aligned or not, and the
    rooms that Pointcept (``Area_N/ROOM/coord.npy`` ...) or Mask3D (``Area_N/ROOM.npy``) has made of
    them. ``pos`` is in **metres**, z up. Nodes are voxels; a voxel has the instance and class of
    most of its points. A room is parsed at its first use and kept; ``geoinfluencer prepare`` parses
    all of them.

    **Splits.** ``val`` and ``test`` are the rooms of ``area``, as the field reports them;
    ``calib`` are ``calib_rooms`` rooms of the other areas, spread evenly over their names, and
    ``train`` is what is left of these. ``all`` is every room. Rooms that are missing of an area
    are warned of.

    Args:
        root: Folder that holds ``Area_1`` to ``Area_6``, one area, or one room.
        split: ``"train"``, ``"calib"``, ``"val"``, ``"test"`` or ``"all"``.
        area: The area that is scored, 1 to 6; each in turn is the 6-fold cross-validation.
        all_rooms: Every split is all rooms, to see whether a model can learn them at all: no score
            of such a run says anything about other rooms.
        calib_rooms: Rooms of the training areas that calibrate and are not trained on.
        stuff: Whether ceiling, floor, walls, beams, columns, windows and doors are instances too,
            as the field counts them; else they are background.
        classes: Whether models learn the 13 classes; without, instances alone.
        cache_dir: Folder of parsed rooms; ``None``: beside the data, or in the user's cache.
        view: Options that all sets of rooms share, ``max_nodes``, ``graph`` ...:
            :class:`~geoinfluencer.datasets.room_view.RoomView`.

    Raises:
        InputError: On bad files or options; names the file, the line and the remedy.
    """

    title: ClassVar[str] = "s3dis"
    how_to_get: ClassVar[str] = f"{S3DIS_HOW}; {NO_FILES}"

    def __init__(
        self,
        root: str | os.PathLike[str],
        split: Literal["train", "calib", "val", "test", "all"] = "train",
        *,
        area: int = 5,
        all_rooms: bool = False,
        calib_rooms: int = 10,
        stuff: bool = True,
        classes: bool = True,
        cache_dir: str | None = None,
        **view: Any,
    ) -> None:
        check_split(split, calib_rooms)
        if area not in S3DIS_ROOMS:
            raise InputError(f"area must be 1 to 6, got {area!r}")
        rooms = find_rooms(Path(root))
        chosen = rooms if all_rooms else split_rooms(rooms, split, area, calib_rooms, str(root))
        missing = ""
        if not all_rooms and split != "calib":
            scored = {"all": tuple(S3DIS_ROOMS), "val": (area,), "test": (area,)}
            others = tuple(other for other in S3DIS_ROOMS if other != area)
            missing = missing_rooms(rooms, scored.get(split, others))
            if missing:
                warnings.warn(f"{root}, split {split}: {missing}", stacklevel=2)
        super().__init__(
            root,
            split,
            [room_source(room) for room in chosen],
            cache_dir,
            background=() if stuff else [s3dis_class(name) for name in S3DIS_STUFF],
            **view,
        )
        self.missing_rooms = missing if split in ("val", "test") else ""
        self.version = version_of(rooms)
        self.class_names = list(S3DIS_CLASSES) if classes else []

    @classmethod
    def find(cls, root: str | os.PathLike[str]) -> FoundRooms:
        """All rooms in a folder; missing ones by the numbers of the six areas."""
        rooms = find_rooms(Path(root))
        return FoundRooms(tuple(map(room_source, rooms)), version_of(rooms), missing_rooms(rooms))


def room_source(room: Path) -> RoomSource:
    """Where a room comes from; it is named ``Area_N/ROOM``."""
    full, layout = room.resolve(), layout_of(room)
    area = full.parent.name
    if layout == "Mask3D":
        return RoomSource(f"{area}/{full.stem}", (room,), partial(read_mask3d_room, room))
    name = f"{area}/{full.name}"
    if layout == "Pointcept":
        there = tuple(room / part for part in POINTCEPT_FILES if (room / part).is_file())
        return RoomSource(name, there, partial(read_pointcept_room, room))
    files = tuple(path for path, _ in annotation_files(room)[0])
    return RoomSource(name, files, partial(read_s3dis_room, room))


def split_rooms(
    rooms: list[Path], split: str, area: int, calib_rooms: int, where: str
) -> list[Path]:
    """Rooms of one split; the rule is in :class:`S3DIS`.

    Raises:
        InputError: On a split without rooms.
    """
    if split == "all":
        return rooms
    inside = [room for room in rooms if area_of(room) == area]
    outside = [room for room in rooms if area_of(room) != area]
    if split in ("val", "test"):
        if not inside:
            raise InputError(
                f"{where}: no room of Area_{area}, which split {split!r} is; add it, choose "
                "another data.area, or set data.all_rooms=true to train and score on the same rooms"
            )
        return inside
    if len(outside) <= calib_rooms:
        raise InputError(
            f"{where}: {len(outside)} room(s) outside Area_{area}, of which {calib_rooms} "
            "calibrate and none is left to train on; add areas, lower data.calib_rooms, or take "
            "--preset overfit (data.all_rooms=true), which trains and scores on the same rooms"
        )
    held = spread(outside, calib_rooms)
    return [room for room in outside if (room in held) == (split == "calib")]
