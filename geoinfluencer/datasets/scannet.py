"""ScanNet v2 as a PyG dataset of point clouds."""

from __future__ import annotations

import os
import warnings
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Literal

from geoinfluencer.datasets.room_cache import RoomSource
from geoinfluencer.datasets.scannet_classes import LABELS_FILE
from geoinfluencer.datasets.scannet_files import (
    SCANNET_HOW,
    SCANNET_SCENES,
    SceneFiles,
    find_scenes,
    read_scene,
)
from geoinfluencer.datasets.stored_rooms import (
    NO_FILES,
    FoundRooms,
    StoredRooms,
    check_split,
    spread,
)
from geoinfluencer.errors import InputError
from geoinfluencer.files.lines import read_lines
from geoinfluencer.files.scene_names import SCANNET_CLASSES, SCANNET_STUFF

SPLITS_PAGE = "https://github.com/ScanNet/ScanNet/tree/master/Tasks/Benchmark"


class ScanNet(StoredRooms):
    r"""Scans of rooms of `ScanNet v2 <https://doi.org/10.1109/CVPR.2017.261>`_.

    Read are ``scans/SCENE/`` with ``SCENE_vh_clean_2.ply``,
    ``SCENE_vh_clean_2.0.010000.segs.json`` and ``SCENE.aggregation.json``, and
    ``scannetv2-labels.combined.tsv`` beside ``scans``. ``pos`` is in **metres**, z up. Nodes are
    voxels; a voxel has the instance and class of most of its vertices. Vertices that nobody
    annotated are ``ignore``, and with ``classes`` so are objects of none of the 20 classes of the
    benchmark. Without the labels the set is class-agnostic and says so: all objects are instances
    but walls and floors. Scenes without truth are for prediction (``split="all"``).

    **Splits.** ``val`` and ``test`` are the scenes of ``scannetv2_val.txt`` (the benchmark's own
    test scenes have no public truth); ``calib`` are the scans of ``calib_rooms`` places of
    ``scannetv2_train.txt``, spread evenly, and ``train`` those of the other places. The lists are
    looked for in ``root``, in its ``Tasks/Benchmark`` and one folder above. ``all`` is every scene.

    Args:
        root: Folder that holds ``scans``, ``scans`` itself, or one scene.
        split: ``"train"``, ``"calib"``, ``"val"``, ``"test"`` or ``"all"``.
        all_rooms: Every split is all scenes, to see whether a model can learn them at all: no score
            of such a run says anything about other scenes.
        calib_rooms: Places of the training list that calibrate and are not trained on.
        stuff: Whether walls and floors are instances too; the benchmark does not count them.
        classes: Whether models learn the 20 classes; without, instances alone.
        cache_dir: Folder of parsed scenes; ``None``: beside the data, or in the user's cache.
        view: Options that all sets of rooms share, ``max_nodes``, ``graph`` ...:
            :class:`~geoinfluencer.datasets.room_view.RoomView`.

    Raises:
        InputError: On bad files or options; names the file and the remedy.
    """

    title: ClassVar[str] = "scannet"
    how_to_get: ClassVar[str] = f"{SCANNET_HOW}; {NO_FILES}"

    def __init__(
        self,
        root: str | os.PathLike[str],
        split: Literal["train", "calib", "val", "test", "all"] = "train",
        *,
        all_rooms: bool = False,
        calib_rooms: int = 20,
        stuff: bool = False,
        classes: bool = True,
        cache_dir: str | None = None,
        **view: Any,
    ) -> None:
        folder = Path(root)
        scenes = find_scenes(folder)
        check_split(split, calib_rooms)
        missing = ""
        if not all_rooms and split != "all":
            scenes, missing = _split_scenes(scenes, split, calib_rooms, folder)
        labels = find_labels(folder)
        if classes and labels is None:
            _say_class_agnostic(folder)
        super().__init__(
            root,
            split,
            [scene_source(scene, labels, classes) for scene in scenes],
            cache_dir,
            background=() if stuff else range(len(SCANNET_STUFF)),
            **view,
        )
        self.class_names = list(SCANNET_CLASSES) if classes and labels is not None else []
        without = [scene.mesh for scene in scenes if scene.objects is None]
        self.missing_rooms = missing if split in ("val", "test") else ""
        self.has_truth = not without
        if without and split != "all":
            raise InputError(
                f"{without[0].parent}: no .segs.json and .aggregation.json, which split {split!r} "
                "needs; the scene alone can only be predicted (split 'all')"
            )

    @classmethod
    def find(cls, root: str | os.PathLike[str]) -> FoundRooms:
        """All scenes in a folder, as the default options read them."""
        scenes, labels = find_scenes(Path(root)), find_labels(Path(root))
        sources = tuple(scene_source(scene, labels, True) for scene in scenes)
        words = "20 classes" if labels else f"class-agnostic, without {LABELS_FILE}"
        known = sum(scene.objects is not None for scene in scenes)
        lost = SCANNET_SCENES - known
        missing = (
            f"{known} of {SCANNET_SCENES} scenes with truth: figures are not those of ScanNet; for "
            f"the others {SCANNET_HOW}"
        )
        return FoundRooms(sources, words, missing if lost > 0 else "")


def scene_source(scene: SceneFiles, labels: Path | None, classes: bool) -> RoomSource:
    """Where a scene comes from."""
    only_classes = classes and labels is not None
    files = [scene.mesh, scene.segments, scene.objects, labels]
    read = partial(read_scene, scene, labels, only_classes)
    return RoomSource(scene.name, tuple(f for f in files if f is not None), read, (only_classes,))


def find_labels(root: Path) -> Path | None:
    """The table of labels, beside ``scans`` or above."""
    return _beside(root, LABELS_FILE)


def _beside(root: Path, name: str) -> Path | None:
    full = root.resolve()
    for folder in (full, full / "Tasks" / "Benchmark", full.parent, full.parent.parent):
        if (folder / name).is_file():
            return folder / name
    return None


def _split_scenes(
    scenes: list[SceneFiles], split: str, calib_rooms: int, root: Path
) -> tuple[list[SceneFiles], str]:
    """Scenes of one split, and which of them are missing; the rule is in :class:`ScanNet`."""
    name = "scannetv2_val.txt" if split in ("val", "test") else "scannetv2_train.txt"
    path = _beside(root, name)
    if path is None:
        raise InputError(
            f"{root}: no {name}, the list of the scenes of split {split!r}; put it there from "
            f"{SPLITS_PAGE}, or take --preset overfit (data.all_rooms=true), which trains and "
            "scores on the same scenes"
        )
    wanted = " ".join(read_lines(path)).split()
    chosen = [scene for scene in scenes if scene.name in set(wanted)]
    missing = ""
    if len(chosen) < len(wanted) and split != "calib":
        missing = (
            f"{len(chosen)} of the {len(wanted)} scenes of {path.name}: "
            f"figures are not those of ScanNet; for the others {SCANNET_HOW}"
        )
        warnings.warn(f"{root}, split {split}: {missing}", stacklevel=3)
    if split not in ("train", "calib"):
        return _some(chosen, split, path), missing
    # scans of one place look alike: calibrating on some of those trained on would flatter
    places = sorted({scene.name.split("_")[0] for scene in chosen})
    held = spread(places, calib_rooms)
    own = [s for s in chosen if (s.name.split("_")[0] in held) == (split == "calib")]
    return _some(own, split, path), missing


def _some(scenes: list[SceneFiles], split: str, path: Path) -> list[SceneFiles]:
    if not scenes:
        raise InputError(
            f"{path}: no scene is left of it for split {split!r}; download more scenes, lower "
            "data.calib_rooms, or take --preset overfit (data.all_rooms=true)"
        )
    return scenes


_SAID: set[Path] = set()


def _say_class_agnostic(root: Path) -> None:
    if root not in _SAID:
        _SAID.add(root)
        warnings.warn(
            f"{root}: no {LABELS_FILE}: instances without classes; it comes with ScanNet "
            "(data.classes=false for silence)",
            stacklevel=3,
        )
