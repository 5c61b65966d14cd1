"""Generated rooms as a PyG dataset of point clouds."""

from __future__ import annotations

import os
from typing import Any, Literal

import numpy as np

from geoinfluencer.datasets.generated import kept_on_disk, members, stream
from geoinfluencer.datasets.room import Room
from geoinfluencer.datasets.room_generator import RoomOptions, generate_room
from geoinfluencer.datasets.room_set import RoomSet
from geoinfluencer.datasets.s3dis_classes import s3dis_class
from geoinfluencer.files.scene_names import S3DIS_CLASSES, S3DIS_STUFF

_VERSION = 2  # raise when a seed no longer gives the same room


class SyntheticRooms(RoomSet):
    r"""Seeded furnished rooms as scanners at a few places see them, with the classes of S3DIS.

    ``pos`` is in **metres**, z up. Nodes are voxels; a voxel has the instance and class of most of
    its points. Room ``i`` of a split depends on ``seed``, the split, ``i`` and the options alone,
    whatever the order or the number of workers; the splits are disjoint random streams. Nothing is
    stored unless ``root`` is given: then all rooms are kept there.

    Args:
        root: Folder for generated rooms; ``None`` = generate at every access.
        split: ``"train"``, ``"calib"``, ``"val"``, ``"test"``, or ``"all"`` = val, then test: the
            unseen rooms.
        num_rooms: Number of rooms of this split; ``None`` = the split's own number below.
        train_rooms: Number of training rooms (an epoch).
        calib_rooms: Number of rooms for calibration.
        val_rooms: Number of validation rooms.
        test_rooms: Number of test rooms.
        seed: Seed of all splits.
        num_points: Points of a room, about.
        size_min: Shortest side of the floor in metres.
        size_max: Longest side of the floor in metres.
        height_min: Least height of the ceiling in metres.
        height_max: Largest height of the ceiling in metres.
        l_shape: Share of rooms with six walls in place of four.
        fill: How much of the walls is furnished, 0 to 1.
        stations: Scan positions.
        noise: Standard deviation of a point across its surface in metres.
        min_points: Objects of which fewer points are seen are not there.
        hand_held: Share of rooms seen by a depth camera that is carried through them.
        homes: Share of rooms that are homes.
        stuff: Whether ceiling, floor, walls, beams, columns, windows and doors are instances too,
            as S3DIS counts them; else they are background.
        classes: Whether models learn the 13 classes; without, instances alone.
        view: Options that all sets of rooms share, ``max_nodes``, ``graph`` ...:
            :class:`~geoinfluencer.datasets.room_view.RoomView`.

    Raises:
        InputError: On options that make no sense.
    """

    def __init__(
        self,
        root: str | os.PathLike[str] | None = None,
        split: Literal["train", "calib", "val", "test", "all"] = "train",
        *,
        num_rooms: int | None = None,
        train_rooms: int = 500,
        calib_rooms: int = 10,
        val_rooms: int = 20,
        test_rooms: int = 50,
        seed: int = 0,
        num_points: int = 250_000,
        size_min: float = 4.0,
        size_max: float = 8.0,
        height_min: float = 2.5,
        height_max: float = 3.4,
        l_shape: float = 0.25,
        fill: float = 0.9,
        stations: int = 4,
        noise: float = 0.003,
        min_points: int = 30,
        hand_held: float = 0.0,
        homes: float = 0.0,
        stuff: bool = True,
        classes: bool = False,
        **view: Any,
    ) -> None:
        super().__init__(
            split,
            background=() if stuff else [s3dis_class(name) for name in S3DIS_STUFF],
            **view,
        )
        sizes = {"train": train_rooms, "calib": calib_rooms, "val": val_rooms, "test": test_rooms}
        self._rooms = members(split, sizes, num_rooms, seed, "rooms")
        self.root = None if root is None else str(root)
        self.seed = seed
        self.options = RoomOptions(
            num_points=num_points,
            size_min=size_min,
            size_max=size_max,
            height_min=height_min,
            height_max=height_max,
            l_shape=l_shape,
            fill=fill,
            stations=stations,
            noise=noise,
            min_points=min_points,
            hand_held=hand_held,
            homes=homes,
        )
        self.class_names = list(S3DIS_CLASSES) if classes else []

    def room(self, idx: int) -> Room:
        """Return room ``idx``, its points without a graph."""
        state = (_VERSION, self.seed, self.options)
        where = (self.root, "synthetic-rooms", state, self._rooms[idx])
        return kept_on_disk(*where, Room, lambda: self._generate(idx))

    def room_name(self, idx: int) -> str:
        """``room-SPLIT-NUMBER``, which its samples have."""
        split, number = self._rooms[idx]
        return f"room-{split}-{number:06d}"

    def num_rooms(self) -> int:
        """Number of rooms of the split."""
        return len(self._rooms)

    def fixed_rng(self, idx: int) -> np.random.Generator:
        """What room ``idx`` is cut with outside training: the same at every access."""
        return self._rng(idx, 1)

    def _rng(self, idx: int, purpose: int) -> np.random.Generator:
        return np.random.default_rng(stream(self.seed, self._rooms[idx], purpose))

    def _generate(self, idx: int) -> Room:
        return generate_room(self._rng(idx, 0), self.options)
