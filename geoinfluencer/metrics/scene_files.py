"""Files of predicted and true scenes, one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from geoinfluencer.errors import InputError
from geoinfluencer.metrics.arrays import as_array
from geoinfluencer.metrics.node_files import read_arrays
from geoinfluencer.metrics.scene_points import FoundMasks, FoundPoints, TruthPoints
from geoinfluencer.metrics.scene_text import read_codes, read_submission

SUFFIXES = (".txt", ".ply", ".npz")
NAMES = {"instance": "instance", "semantic": "semantic", "score": "score"}


@dataclass(frozen=True)
class ScenePairs:
    """Files of the scenes that both sides have.

    Attributes:
        files: Name, prediction and truth of each, by name.
        missing: Scenes of the truth without a prediction.
        unknown: Scenes of the prediction without truth.
    """

    files: tuple[tuple[str, Path, Path], ...]
    missing: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def is_partial(self) -> bool:
        """Whether scenes are left out."""
        return bool(self.missing or self.unknown)


def pair_scenes(pred: Path, truth: Path, *, partial: bool = False) -> ScenePairs:
    """Match the scenes of two folders by name, or two files; predictions may be called
    ``NAME-predicted``.

    Args:
        pred: A ``.txt`` list of masks, a ``.ply`` or ``.npz`` file, or a folder of such.
        truth: A ``.txt`` file of codes, a ``.ply`` or ``.npz`` file, or a folder of such.
        partial: Score the scenes that both have where one side has more.

    Raises:
        InputError: Nothing is there, or, unless ``partial``, scenes are in one of them alone.
    """
    if pred.is_file() and truth.is_file():
        return ScenePairs(((truth.stem, _known(pred), _known(truth)),))
    found = {name.removesuffix("-predicted"): path for name, path in _scenes(pred).items()}
    wanted = _scenes(truth)
    both = sorted(found.keys() & wanted.keys())
    missing, unknown = sorted(wanted.keys() - found.keys()), sorted(found.keys() - wanted.keys())
    if not both:
        raise InputError(
            f"{pred}: no scene of {truth}, which has {', '.join(sorted(wanted)[:3])}; "
            "files are matched by their names without the ending"
        )
    for names, where, what in ((missing, pred, "prediction"), (unknown, truth, "truth")):
        if names and not partial:
            raise InputError(
                f"{where}: no {what} of {len(names)} scene(s), first {names[0]}; add the file(s), "
                "or --partial scores the others and says so in every output"
            )
    pairs = tuple((name, found[name], wanted[name]) for name in both)
    return ScenePairs(pairs, tuple(missing), tuple(unknown))


def read_scenes(
    pairs: ScenePairs, pred_names: Mapping[str, str], truth_names: Mapping[str, str]
) -> Iterator[tuple[str, TruthPoints, FoundPoints | FoundMasks]]:
    """Yield the scenes; one is in memory at a time.

    Args:
        pairs: Their files.
        pred_names: What the predictions' properties ``instance``, ``semantic``, ``score`` are
            called; those not named have these names.
        truth_names: The same of the truth.

    Raises:
        InputError: A file is wrong, or has not the points of the truth.
    """
    for name, pred, truth in pairs.files:
        wanted = read_truth(truth, truth_names)
        found = read_found(pred, pred_names, len(wanted))
        yield name, wanted, found


def read_truth(path: Path, names: Mapping[str, str]) -> TruthPoints:
    """Truth of a scene from a file of codes, PLY or NPZ; ``ignore`` is taken as in no instance."""
    if path.suffix.lower() == ".txt":
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


def _scenes(place: Path) -> dict[str, Path]:
    if place.is_file():
        return {place.stem: _known(place)}
    if not place.is_dir():
        raise InputError(f"{place}: no such file or folder")
    scenes: dict[str, Path] = {}
    for path in sorted(place.iterdir()):
        if path.suffix.lower() in SUFFIXES and path.is_file():
            if path.stem in scenes:
                raise InputError(
                    f"{path}: {scenes[path.stem].name} is the same scene; leave one of them there"
                )
            scenes[path.stem] = path
    if not scenes:
        raise InputError(f"{place}: no {', '.join(SUFFIXES)} file in it")
    return scenes


def _known(path: Path) -> Path:
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(f"{path}: unknown format; give one of {', '.join(SUFFIXES)}")
    return path
