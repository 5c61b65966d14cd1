"""Scenes of ScanNet: vertices of a mesh, their segments, and which segments are one object."""

from __future__ import annotations

import glob
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from geoinfluencer.datasets.room import Room
from geoinfluencer.datasets.scannet_classes import read_label_classes
from geoinfluencer.errors import InputError
from geoinfluencer.files.ply import read_ply
from geoinfluencer.files.scene_names import SCANNET_STUFF

SCANNET_SCENES = 1513  # with truth: 1201 of the training split and 312 of the validation split
SCANNET_PAGE = "http://www.scan-net.org"
SCANNET_HOW = (
    f"sign the terms of use at {SCANNET_PAGE}, download *_vh_clean_2.ply, "
    "*_vh_clean_2.0.010000.segs.json, *.aggregation.json and scannetv2-labels.combined.tsv, and "
    "name the folder that holds scans/"
)

_MESH = "_vh_clean_2.ply"
_SEGMENTS = "_vh_clean_2.0.010000.segs.json"
_OBJECTS = ".aggregation.json"


@dataclass(frozen=True)
class SceneFiles:
    """Files of a scene; segments and objects, the truth, may be missing together."""

    name: str
    mesh: Path
    segments: Path | None
    objects: Path | None


def find_scenes(root: Path) -> list[SceneFiles]:
    """Scenes below ``root`` by name: one scene's folder, ``scans``, or the folder that holds it.

    Raises:
        InputError: There is none, or one has half of its truth.
    """
    for pattern in ("", "*/", "scans/*/"):
        found = sorted(root.glob(f"{pattern}*{_MESH}"))
        if found:
            return [_files(mesh) for mesh in found]
    raise InputError(f"{root}: no scans/SCENE/SCENE{_MESH} in it; for ScanNet {SCANNET_HOW}")


def read_scene(files: SceneFiles, labels: Path | None, only_classes: bool) -> Room:
    """Read a scene. Vertices in no object are not annotated.

    Args:
        files: Of the scene.
        labels: ``scannetv2-labels.combined.tsv``; without it only objects labelled "wall" and
            "floor" have a class.
        only_classes: Take objects of none of the 20 classes as not annotated.

    Raises:
        InputError: A file is damaged or does not fit the others.
    """
    vertex = _read_vertices(files.mesh)
    pos = np.stack([vertex[axis] for axis in "xyz"], axis=1).astype(np.float32)
    color = np.stack([vertex[c] for c in ("red", "green", "blue")], axis=1).astype(np.uint8)
    if not np.isfinite(pos).all():
        bad = int(np.argmin(np.isfinite(pos).all(1)))
        raise InputError(f"{files.mesh}: vertex {bad} is not finite; download the file again")
    if files.segments is None or files.objects is None:
        return Room(pos, color, np.full(len(pos), -1), np.empty(0, np.int64))
    segment = _segments(files.segments, len(pos))
    groups = _groups(files.objects)
    classes: Mapping[str, int] = {name: number for number, name in enumerate(SCANNET_STUFF)}
    if labels is not None:
        classes = read_label_classes(labels)
    label = np.array([classes.get(name, -1) for name, _ in groups], np.int64)
    object_of_segment = np.full(int(segment.max(initial=0)) + 1, -1)
    for number, (_, members) in enumerate(groups):
        if len(members) and not 0 <= members.min() <= members.max() < len(object_of_segment):
            known = f"has {len(object_of_segment)} as its largest"
            raise InputError(
                f"{files.objects}: segGroups[{number}] names segment {members.max()}, and "
                f"{files.segments.name} {known}; download both files again"
            )
        object_of_segment[members] = number
    instance = object_of_segment[segment]
    if only_classes:
        instance = np.where(np.append(label, -1)[instance] >= 0, instance, -1)
    return Room(pos, color, instance, label, segment.astype(np.int32))


def _files(mesh: Path) -> SceneFiles:
    name = mesh.name.removesuffix(_MESH)
    segments, objects = mesh.with_name(name + _SEGMENTS), mesh.with_name(name + _OBJECTS)
    there = segments.is_file(), objects.is_file()
    if there[0] != there[1]:
        lost = segments if there[1] else objects
        raise InputError(f"{lost}: is missing, the scene has one half of its truth; download it")
    return SceneFiles(name, mesh, *((segments, objects) if all(there) else (None, None)))


def _read_vertices(path: Path) -> np.ndarray:
    """The element ``vertex`` (P,), with a place and a colour."""
    vertex, _, _ = read_ply(path)
    missing = {"x", "y", "z", "red", "green", "blue"} - set(vertex.dtype.names or ())
    if missing:
        raise InputError(f"{path}: vertices have no {', '.join(sorted(missing))}; is it {_MESH}?")
    if not len(vertex):
        raise InputError(f"{path}: has no vertices; download the file again")
    return vertex


def own_segments(mesh: Path, count: int) -> tuple[np.ndarray, str]:
    """The segments beside a mesh of ScanNet, ``NAME.*.segs.json``, and what to say of them.

    Args:
        mesh: Any file of points.
        count: Its points.

    Returns:
        (P,) int64, or (0,) where there are none.

    Raises:
        InputError: The segments cannot be read, or are not those of this mesh.
    """
    beside = sorted(mesh.parent.glob(f"{glob.escape(mesh.stem)}.*.segs.json"))
    if not beside:
        return np.empty(0, np.int64), "no segments of its own beside it, superpoints are cut anew"
    return _segments(beside[0], count), f"its own segments, {beside[0].name}, are the superpoints"


def _segments(path: Path, count: int) -> np.ndarray:
    """(P,) segment of each vertex."""
    found = _json(path, "segIndices")
    if not all(type(value) is int and value >= 0 for value in found):
        raise InputError(f"{path}: 'segIndices' are not whole numbers of at least 0; download it")
    if len(found) != count:
        raise InputError(
            f"{path}: {len(found)} segIndices for {count} vertices of the mesh; download both again"
        )
    return np.array(found, np.int64)


def _groups(path: Path) -> list[tuple[str, np.ndarray]]:
    """Label and segments of each object."""
    groups = []
    for number, group in enumerate(_json(path, "segGroups")):
        try:
            groups.append((str(group["label"]), np.array(group["segments"], np.int64)))
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise InputError(
                f"{path}: segGroups[{number}] has no proper 'label' and 'segments' ({error}); "
                "download the file again"
            ) from error
    return groups


def _json(path: Path, key: str) -> list[Any]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as JSON ({error}); is the file whole?") from error
    if not isinstance(found, dict) or not isinstance(found.get(key), list):
        raise InputError(f"{path}: has no list {key!r}; download the file again")
    return list(found[key])
