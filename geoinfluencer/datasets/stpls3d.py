"""STPLS3D as a PyG dataset of point clouds, from its text files."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from torch_geometric.data import Data

from geoinfluencer.datasets.point_rooms import LOOSE, classes_of
from geoinfluencer.datasets.room import Room
from geoinfluencer.datasets.room_cache import RoomSource, cache_folder, load_room
from geoinfluencer.datasets.stored_rooms import (
    NO_FILES,
    FoundRooms,
    StoredRooms,
    check_split,
    spread,
)
from geoinfluencer.datasets.stpls3d_files import (
    STPLS3D_HOW,
    STPLS3D_SCENES,
    STPLS3D_VAL,
    cut_tile,
    find_stpls3d,
    missing_scenes,
    read_stpls3d,
    scene_name,
    scene_number,
    tiles_of,
)
from geoinfluencer.errors import InputError
from geoinfluencer.files.scene_names import STPLS3D_CLASSES

_TILE = 50.0  # metres, of published evaluations


class STPLS3D(StoredRooms):
    r"""Synthetic aerial scenes of `"STPLS3D" (Chen et al., BMVC 2022)
    <https://arxiv.org/abs/2203.09065>`_, 25 of them with 14 classes of instances.

    Read are lines ``x,y,z,r,g,b,class,instance`` without a header. ``pos`` is in **metres**, z up.
    A sample is a tile of a scene, as published figures count; nodes are voxels, of which each has
    the instance and class of most of its points. Class 0, the ground, is background, and so are
    points without an instance. A scene is parsed at its first use and kept;
    ``geoinfluencer prepare`` parses all of them, by several processes if asked.

    **Splits.** By the number that a file's name begins with: ``val`` and ``test`` are scenes 5, 10,
    15, 20 and 25; ``calib`` are ``calib_rooms`` of the 20 others, spread evenly, and ``train`` the
    rest of these. ``all`` is every scene in the folder, also those without truth. Missing
    scenes are warned of.

    Args:
        root: Folder that holds the files, or the folders of them.
        split: ``"train"``, ``"calib"``, ``"val"``, ``"test"`` or ``"all"``.
        tile: Metres, side of the squares that scenes are cut into; ``None`` = whole scenes.
        all_rooms: Every split is all scenes, to see whether a model can learn them at all: no score
            of such a run says anything about other scenes.
        calib_rooms: Training scenes that calibrate and are not trained on.
        classes: Whether models learn the classes; without, instances alone.
        cache_dir: Folder of parsed scenes; ``None``: beside the data, or in the user's cache.
        keep: Number of whole tiles kept in memory (16 MB of 20,000 nodes).
        view: Options that all sets of rooms share, ``max_nodes``, ``graph`` ...:
            :class:`~geoinfluencer.datasets.room_view.RoomView`.

    Raises:
        InputError: On bad files or options; names the file, the line and the remedy.
    """

    title: ClassVar[str] = "stpls3d"
    how_to_get: ClassVar[str] = f"{STPLS3D_HOW}; {NO_FILES}"
    min_points: ClassVar[int] = 10  # of an instance that is scored; of a bike there are few

    def __init__(
        self,
        root: str | os.PathLike[str],
        split: Literal["train", "calib", "val", "test", "all"] = "train",
        *,
        tile: float | None = _TILE,
        all_rooms: bool = False,
        calib_rooms: int = 2,
        classes: bool = True,
        cache_dir: str | None = None,
        keep: int = 30,
        **view: Any,
    ) -> None:
        check_split(split, calib_rooms)
        if tile is not None and not 0 < tile < float("inf"):
            raise InputError(f"tile must be positive, metres, or null for whole scenes, got {tile}")
        files = find_stpls3d(Path(root))
        chosen = files if all_rooms else split_scenes(files, split, calib_rooms, str(root))
        missing = ""
        if not all_rooms and split != "calib":
            missing = missing_scenes(files, _numbers(split))
            if missing:
                warnings.warn(f"{root}, split {split}: {missing}", stacklevel=2)
        folder = cache_folder(Path(root), self.title, cache_dir)
        scenes = [scene_source(path, tile) for path in chosen]
        super().__init__(
            root,
            split,
            [source for scene in scenes for source in tile_sources(scene, folder, tile)],
            cache_dir,
            background=[*range(LOOSE - len(STPLS3D_CLASSES), LOOSE + 1), 0],
            keep=keep,
            **view,
        )
        self.missing_rooms = missing if split in ("val", "test") else ""
        self.class_names = list(STPLS3D_CLASSES) if classes else []
        without = [s for s in scenes if not (_scene(s, folder).instance >= 0).any()]
        self.has_truth = not without
        if without and split != "all":
            raise InputError(
                f"{without[0].files[0]}: has no columns of class and instance, which split "
                f"{split!r} needs; the scene can only be predicted (split 'all')"
            )

    @classmethod
    def find(cls, root: str | os.PathLike[str]) -> FoundRooms:
        """All scenes in a folder, as the default options read them."""
        files = find_stpls3d(Path(root))
        sources = tuple(scene_source(path, _TILE) for path in files)
        return FoundRooms(sources, f"scenes in tiles of {_TILE:g} m", missing_scenes(files))

    def room(self, idx: int) -> Room:
        """Return tile ``idx``, its points without a graph."""
        return self._sources[idx].read()  # of a scene that is in the cache as a whole

    def _classes_of(self, label: np.ndarray) -> np.ndarray:
        return classes_of(label)

    def _build(self, idx: int) -> Data:
        data = super()._build(idx)
        data.y = torch.from_numpy(classes_of(data.y.numpy()))
        return data


def scene_source(path: Path, tile: float | None) -> RoomSource:
    """Where a scene comes from."""
    return RoomSource(scene_name(path), (path,), partial(read_stpls3d, path, tile), (tile,))


def tile_sources(scene: RoomSource, folder: Path, tile: float | None) -> list[RoomSource]:
    """Where the tiles of a scene come from; they are named ``SCENE_N``, a single one as its file.

    Reads the scene, from the cache where it is there.
    """
    tiles = tiles_of(_scene(scene, folder), tile)
    return [
        RoomSource(
            scene.name if len(tiles) == 1 else f"{scene.name}_{number}",
            scene.files,
            partial(_tile, scene, folder, points),
            scene.state,
        )
        for number, points in tiles
    ]


def split_scenes(files: Sequence[Path], split: str, calib_rooms: int, where: str) -> list[Path]:
    """Files of one split; the rule is in :class:`STPLS3D`.

    Raises:
        InputError: On a split without scenes.
    """
    if split == "all":
        return list(files)
    own = [path for path in files if scene_number(path) in _numbers(split)]
    if split in ("val", "test"):
        if not own:
            raise InputError(
                f"{where}: none of the scenes {', '.join(map(str, STPLS3D_VAL))}, which split "
                f"{split!r} is; add them, or set data.all_rooms=true to train and score on the "
                "same scenes"
            )
        return own
    numbers = sorted({scene_number(path) for path in own})
    if len(numbers) <= calib_rooms:
        raise InputError(
            f"{where}: {len(numbers)} scene(s) to train on, of which {calib_rooms} calibrate and "
            "none is left; add scenes, lower data.calib_rooms, or take --preset overfit "
            "(data.all_rooms=true), which trains and scores on the same scenes"
        )
    held = spread(numbers, calib_rooms)
    return [path for path in own if (scene_number(path) in held) == (split == "calib")]


def _numbers(split: str) -> tuple[int, ...]:
    """Scenes that a split, calibration counted with training, should have."""
    if split in ("val", "test"):
        return STPLS3D_VAL
    return tuple(n for n in STPLS3D_SCENES if split == "all" or n not in STPLS3D_VAL)


@lru_cache(maxsize=len(STPLS3D_SCENES))  # mapped files: a tile is a slice of one
def _scene(source: RoomSource, folder: Path) -> Room:
    return load_room(source, folder)


def _tile(scene: RoomSource, folder: Path, points: slice) -> Room:
    return cut_tile(_scene(scene, folder), points)
