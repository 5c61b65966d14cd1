"""Predicted and true scenes from files, one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from geoinfluencer.errors import InputError
from geoinfluencer.metrics.arrays import as_array
from geoinfluencer.metrics.node_files import read_arrays
from geoinfluencer.metrics.scene_classes import ClassSet
from geoinfluencer.metrics.scene_pairs import ScenePairs
from geoinfluencer.metrics.scene_points import FoundMasks, FoundPoints, TruthPoints
from geoinfluencer.metrics.scene_text import read_codes, read_submission

NAMES = {"instance": "instance", "semantic": "semantic", "score": "score"}


def read_scenes(
    pairs: ScenePairs,
    classes: ClassSet,
    pred_names: Mapping[str, str],
    truth_names: Mapping[str, str],
) -> Iterator[tuple[str, TruthPoints, FoundPoints | FoundMasks]]:
    """Yield the scenes; one is in memory at a time.

    Args:
        pairs: Their files.
        classes: What is scored.
        pred_names: What the predictions' properties ``instance``, ``semantic``, ``score`` are
            called; those not named have these names.
        truth_names: The same of the truth.

    Raises:
        InputError: A file is wrong, or has not the points of the truth.
    """
    for name, pred, truth in pairs.files:
        wanted = read_truth(truth, classes, truth_names)
        found = read_found(pred, pred_names, len(wanted))
        yield name, wanted, found


def read_truth(path: Path, classes: ClassSet, names: Mapping[str, str]) -> TruthPoints:
    """Truth of a scene from a file of codes, PLY or NPZ; ``ignore`` is taken as in no instance.

    Raises:
        InputError: The file is wrong, or of codes although one of ``classes`` is numbered 0, which
            codes cannot tell from none.
    """
    if path.suffix.lower() == ".txt":
        if 0 in classes.ids:
            name = classes.names[classes.ids.index(0)]
            raise InputError(
                f"{path}: codes class * 1000 + instance cannot name class 0 ({name}), as 0 is "
                "none; give the truth as PLY or NPZ, or --classes with ids from 1"
            )
        return read_codes(path)
    arrays = read_arrays(path)
    instance, semantic = _columns(path, arrays, names)
    ignore = arrays.get("ignore")
    if ignore is not None:
        ignored = as_array(f"{path}: ignore", ignore, bool, len(instance))
        instance = np.where(ignored, -1, instance)
        semantic = None if semantic is None else np.where(ignored, -1, semantic)
    return TruthPoints(instance, semantic)


def read_found(path: Path, names: Mapping[str, str], count: int) -> FoundPoints | FoundMasks:
    """Prediction of a scene of ``count`` points from a list of masks, PLY or NPZ."""
    if path.suffix.lower() == ".txt":
        return read_submission(path, count)
    arrays = read_arrays(path)
    instance, semantic = _columns(path, arrays, names)
    if len(instance) != count:
        raise InputError(
            f"{path}: {len(instance)} points, and {count} in the truth; give the points of the "
            "truth in their order"
        )
    name = _name(names, "score")
    score = arrays.get(name)
    if score is None and "score" in names:
        raise InputError(f"{path}: has no {name!r}; it has {', '.join(arrays)}")
    if score is not None:
        score = as_array(f"{path}: {name}", score, np.float64, count)
        if np.isnan(score[instance >= 0]).any():
            bad = int(np.flatnonzero(np.isnan(score) & (instance >= 0))[0])
            raise InputError(f"{path}: {name} of point {bad} is nan; give every instance a number")
    return FoundPoints(instance, semantic, score)


def _columns(
    path: Path, arrays: Mapping[str, np.ndarray], names: Mapping[str, str]
) -> tuple[np.ndarray, np.ndarray | None]:
    for key in ("instance", *(key for key in ("semantic",) if key in names)):
        if _name(names, key) not in arrays:
            raise InputError(
                f"{path}: has no {_name(names, key)!r}; it has {', '.join(arrays) or 'nothing'}: "
                f"name the property with --pred-names or --truth-names {key}=NAME"
            )
    name = _name(names, "instance")
    instance = as_array(f"{path}: {name}", arrays[name], np.int64)
    name = _name(names, "semantic")
    if name not in arrays:
        return instance, None
    return instance, as_array(f"{path}: {name}", arrays[name], np.int64, len(instance))


def _name(names: Mapping[str, str], key: str) -> str:
    return names.get(key, NAMES[key])
