"""Which files of two folders are the prediction and the truth of the same scene."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from geoinfluencer.errors import InputError

SUFFIXES = (".txt", ".ply", ".npz")
_PREDICTED = "-predicted"


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
    """Match the scenes of two folders by name, or two files.

    Predictions may be called ``NAME-predicted``, as ``predict`` writes them. Beside such a file
    ``NAME`` is taken for the scan and ``NAME-instances.ply`` for a picture, which are not read; of
    ``NAME-predicted.npz`` and ``NAME-predicted.ply``, which hold the same, the NPZ is.

    Args:
        pred: A ``.txt`` list of masks, a ``.ply`` or ``.npz`` file, or a folder of such.
        truth: A ``.txt`` file of codes, a ``.ply`` or ``.npz`` file, or a folder of such.
        partial: Score the scenes that both have where one side has more.

    Raises:
        InputError: Nothing is there, two files of one folder are the same scene, or, unless
            ``partial``, scenes are in one of them alone.
    """
    if pred.is_file() and truth.is_file():
        return ScenePairs(((truth.stem, _known(pred), _known(truth)),))
    found, wanted = _by_name(_predictions(_files(pred))), _by_name(_files(truth))
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


def _files(place: Path) -> dict[str, list[Path]]:
    """The files of each stem."""
    if place.is_file():
        return {place.stem: [_known(place)]}
    if not place.is_dir():
        raise InputError(f"{place}: no such file or folder")
    stems: dict[str, list[Path]] = {}
    for path in sorted(place.iterdir()):
        if path.suffix.lower() in SUFFIXES and path.is_file():
            stems.setdefault(path.stem, []).append(path)
    if not stems:
        raise InputError(f"{place}: no {', '.join(SUFFIXES)} file in it")
    return stems


def _predictions(stems: Mapping[str, list[Path]]) -> dict[str, list[Path]]:
    """The files of each scene that hold its prediction."""
    scenes = dict(stems)
    for stem, paths in stems.items():
        name = stem.removesuffix(_PREDICTED)
        if name == stem:
            continue
        del scenes[stem]
        scenes.pop(f"{name}-instances", None)
        has_npz = any(path.suffix.lower() == ".npz" for path in paths)
        scenes[name] = [p for p in paths if not (has_npz and p.suffix.lower() == ".ply")]
    return scenes


def _by_name(scenes: Mapping[str, list[Path]]) -> dict[str, Path]:
    for first, *more in scenes.values():
        if more:
            raise InputError(f"{more[0]}: {first.name} is the same scene; leave one of them there")
    return {name: paths[0] for name, paths in scenes.items()}


def _known(path: Path) -> Path:
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(f"{path}: unknown format; give one of {', '.join(SUFFIXES)}")
    return path
