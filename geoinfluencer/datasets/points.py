"""One's own labelled scans as a PyG dataset of point clouds."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from torch_geometric.data import Data

from geoinfluencer.datasets.point_files import parse_columns
from geoinfluencer.datasets.point_rooms import (
    LOOSE,
    MOST_CLASSES,
    PointTruth,
    classes_of,
    find_point_files,
    read_point_room,
    split_point_files,
    tells_truth,
)
from geoinfluencer.datasets.room import Room
from geoinfluencer.datasets.room_cache import RoomSource
from geoinfluencer.datasets.stored_rooms import NO_FILES, FoundRooms, StoredRooms, check_split
from geoinfluencer.errors import InputError
from geoinfluencer.files.point_tables import POINT_FORMATS, read_points


class Points(StoredRooms):
    r"""Scans in files of any make (PLY, NPZ, NPY, CSV, TXT), one per scan, labelled point by point.

    ``pos`` is in **metres**, z up. Nodes are voxels; a voxel has the instance and class of most of
    its points. A file is parsed at its first use and kept.

    **Splits.** ``train`` and ``val`` are the files of the folders of these names in ``root``, or
    those that ``train.list`` and ``val.list`` there name, one per line; ``calib`` and ``test``
    likewise. Without ``calib``, ``calib_rooms`` of the training files, spread evenly, calibrate and
    are not trained on (of few files: all do both); without ``test`` it is ``val``. ``all`` is every
    file, also of a folder without splits, or one file; these need no truth, but all of them have
    instances or none has.

    Args:
        root: Folder of the files; for ``all`` a file too.
        split: ``"train"``, ``"calib"``, ``"val"``, ``"test"`` or ``"all"``.
        columns: What the files call positions and colours, where it cannot be guessed:
            ``"x=east,y=north,z=up"``; ``color=none`` leaves colour out. Files without names have
            columns ``1``, ``2`` ...
        instance: Column of the instance of each point, whole numbers; negative = none. In files
            without names its number.
        semantic: Column of the class of each point, a place in ``class_names``; negative = void.
        class_names: Names of the classes; models learn these. None: instances alone.
        background: Names of the classes that are no instances, such as the floor.
        unlabelled: What points without an instance are: ``"background"``, or ``"ignore"`` where
            nobody annotated them. With a class they are background of that class in any case.
        unit: Metres per unit of the files, 0.001 for millimetres.
        all_rooms: Every split is all files, to see whether a model can learn them at all: no score
            of such a run says anything about other scans.
        calib_rooms: Training files that calibrate, where ``root`` has no ``calib``.
        cache_dir: Folder of parsed scans; ``None``: beside the data, or in the user's cache.
        view: Options that all sets of rooms share, ``max_nodes``, ``graph`` ...:
            :class:`~geoinfluencer.datasets.room_view.RoomView`.

    Raises:
        InputError: On bad files or options; names the file, the line and the remedy.
    """

    title: ClassVar[str] = "points"
    how_to_get: ClassVar[str] = (
        "a folder with train/ and val/, of one file per scan "
        f"({' '.join(POINT_FORMATS)}) with a column of instances; {NO_FILES}"
    )

    def __init__(
        self,
        root: str | os.PathLike[str],
        split: Literal["train", "calib", "val", "test", "all"] = "train",
        *,
        columns: str | None = None,
        instance: str | int = "instance",
        semantic: str | int | None = None,
        class_names: Sequence[str] | None = None,
        background: Sequence[str] = (),
        unlabelled: Literal["background", "ignore"] = "background",
        unit: float = 1.0,
        all_rooms: bool = False,
        calib_rooms: int = 1,
        cache_dir: str | None = None,
        **view: Any,
    ) -> None:
        check_split(split, calib_rooms)
        names = list(class_names or ())
        column = None if semantic is None else str(semantic)
        unknown = [name for name in background if name not in names]
        for problem, bad in (
            ("semantic: is given without class_names; name the classes", column and not names),
            ("class_names: are given without semantic; name the column", names and not column),
            (f"class_names: are more than {MOST_CLASSES}", len(names) > MOST_CLASSES),
            (f"background: {unknown[:1]} is not in class_names", unknown),
            (
                f"unlabelled: {unlabelled!r} is neither 'background' nor 'ignore'",
                unlabelled not in ("background", "ignore"),
            ),
        ):
            if bad:
                raise InputError(problem)
        self._truth = PointTruth(
            parse_columns(columns), str(instance), column, len(names), unlabelled == "ignore", unit,
            required=split != "all",
        )  # fmt: skip
        folder = Path(root)
        files = split_point_files(folder, "all" if all_rooms else split, calib_rooms)
        base = folder if folder.is_dir() else folder.parent
        super().__init__(
            base,
            split,
            [point_source(path, base, self._truth) for path in files],
            cache_dir,
            background=[*range(LOOSE - len(names), LOOSE + 1), *map(names.index, background)],
            **view,
        )
        self.class_names = names
        self.has_truth = split != "all" or self._all_have_truth()

    @classmethod
    def find(cls, root: str | os.PathLike[str]) -> FoundRooms:
        """All scans in a folder, as the default options read them."""
        folder = Path(root)
        truth = PointTruth({}, "instance", None, 0, False, 1.0, required=False)
        files = find_point_files(folder)
        base = folder if folder.is_dir() else folder.parent
        sources = tuple(point_source(path, base, truth) for path in files)
        return FoundRooms(sources, "columns named as usual")

    def room(self, idx: int) -> Room:
        """Return room ``idx``, its points without a graph."""
        room = super().room(idx)
        if self._truth.required and not tells_truth(room, self._truth):
            # perhaps kept by a split that needs no truth: reading tells whether columns are missing
            return self._sources[idx].read()
        return room

    def _all_have_truth(self) -> bool:
        known = [bool((self.room(i).instance >= 0).any()) for i in range(self.num_rooms())]
        name = self._truth.instance
        for source, found in zip(self._sources, known, strict=True):
            # a scan that has the column may still have nothing annotated
            if any(known) and not found and name not in read_points(source.files[0]).columns:
                other = self._sources[known.index(True)].files[0]
                raise InputError(
                    f"{source.files[0]}: has no column {name!r}, and {other} has; give split 'all' "
                    "scans with truth or scans without"
                )
        return any(known)

    def _classes_of(self, label: np.ndarray) -> np.ndarray:
        return classes_of(label)

    def _build(self, idx: int) -> Data:
        data = super()._build(idx)
        data.y = torch.from_numpy(classes_of(data.y.numpy()))
        return data


def point_source(path: Path, base: Path, truth: PointTruth) -> RoomSource:
    """Where a scan comes from; it is named by its place in the folder."""
    name = path.relative_to(base).as_posix()
    return RoomSource(name, (path,), partial(read_point_room, path, truth), (truth.state(),))
