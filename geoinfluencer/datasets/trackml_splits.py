"""Which events, and which phi wedges of them, belong to which split."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from geoinfluencer.errors import InputError, suggest

Share = tuple[float, float]  # part of an event in phi order: from, to; both in [0, 1]

_EMPTY_SECTOR = 0.2  # rad; a wider gap means that the event does not cover the circle


@dataclass(frozen=True)
class Piece:
    """The part of an event that a split sees: inside ``keep`` and outside every ``drop``."""

    event: str
    keep: Share = (0.0, 1.0)
    drop: tuple[Share, ...] = ()

    def mask(self, share: np.ndarray) -> np.ndarray:
        """Return which hits, given their :func:`phi_share` (N,), belong to the piece."""
        mask = in_share(share, self.keep)
        for wedge in self.drop:
            mask &= ~in_share(share, wedge)
        return mask


def phi_share(phi: np.ndarray) -> np.ndarray:
    """Return the rank (N,) in [0, 1) of each hit in azimuth, starting at -pi.

    Events that cover only a part of the circle start behind their widest empty sector, so that a
    share of the hits is always a connected wedge.
    """
    order = np.argsort(phi, kind="stable")
    gaps = np.diff(phi[order])
    if len(gaps) and gaps.max() > _EMPTY_SECTOR:
        order = np.roll(order, -int(gaps.argmax()) - 1)
    share = np.empty(len(phi))
    share[order] = np.arange(len(phi)) / max(len(phi), 1)
    return share


def in_share(share: np.ndarray, part: Share) -> np.ndarray:
    """Return which shares (N,) lie in [from, to)."""
    return (share >= part[0]) & (share < part[1])


def in_sector(phi: np.ndarray, start: float, width: float) -> np.ndarray:
    """Return which azimuths (N,) lie in a sector, which may cross the cut at +-pi."""
    return np.mod(phi - start, 2 * math.pi) < width


def split_pieces(
    names: Sequence[str],
    split: str,
    *,
    train_events: Sequence[str] | None = None,
    val_events: Sequence[str] | None = None,
    calib_events: Sequence[str] | None = None,
    test_events: Sequence[str] | None = None,
    heldout_fraction: float = 0.1,
    where: str = "the folder",
) -> list[Piece]:
    """Return the pieces of one split; the rule is in :class:`~geoinfluencer.datasets.TrackML`.

    Raises:
        InputError: On unknown or doubly used events, or a split that does not exist.
    """
    names = sorted(names)
    if split == "all":
        return [Piece(name) for name in names]
    asked = {"train": train_events, "val": val_events, "calib": calib_events, "test": test_events}
    given = {key: _checked(key, value, names, where) for key, value in asked.items() if value}
    _no_overlap(given)
    groups = _default_groups(names) if not given else _fill_groups(names, given)
    train, val, calib, test = (groups[key] for key in ("train", "val", "calib", "test"))
    if not train:
        raise InputError(f"{where}: no event is left for training; shorten the other event lists")
    val_wedge = (0.0, heldout_fraction)
    calib_wedge = (heldout_fraction, 2 * heldout_fraction)
    drop = ((val_wedge,) if not val else ()) + ((calib_wedge,) if not calib else ())
    if split == "train":
        return [Piece(name, drop=drop) for name in train]
    if split == "val":
        return [Piece(n) for n in val] or [Piece(n, keep=val_wedge) for n in train]
    if split == "calib":
        return [Piece(n) for n in calib] or [Piece(n, keep=calib_wedge) for n in train]
    if split == "test" and test:
        return [Piece(name) for name in test]
    if split == "test":
        raise InputError(
            f"{where}: no test split: {len(names)} event(s), and one is only set apart from 10 on; "
            "name some with --set data.test_events=[NAME], or use split 'all' for every event whole"
        )
    raise InputError(f"split {split!r} does not exist; choose train, calib, val, test or all")


def _default_groups(names: list[str]) -> dict[str, list[str]]:
    count = len(names)
    tenth = max(1, round(count / 10))
    sizes = {
        "val": tenth if count >= 2 else 0,
        "test": tenth if count >= 10 else 0,
        "calib": max(1, count // 20) if count >= 20 else 0,
    }
    groups, rest = {}, list(names)
    for key, size in sizes.items():
        groups[key] = rest[len(rest) - size :]
        rest = rest[: len(rest) - size]
    groups["train"] = rest
    return groups


def _fill_groups(names: list[str], given: dict[str, list[str]]) -> dict[str, list[str]]:
    """Named events as they are; the others train, or validate where training is named."""
    groups = {key: given.get(key, []) for key in ("train", "val", "calib", "test")}
    used = {name for group in given.values() for name in group}
    rest = [name for name in names if name not in used]
    if "train" not in given:
        groups["train"] = rest
    elif "val" not in given:
        groups["val"] = rest
    return groups


def _checked(key: str, wanted: Sequence[str], names: Sequence[str], where: str) -> list[str]:
    for name in wanted:
        if name not in names:
            hint = suggest(name, names, most=5)
            raise InputError(f"{key}_events: no event {name!r} in {where}; {hint}")
    if len(set(wanted)) < len(wanted):
        raise InputError(f"{key}_events: an event is named twice; name each once")
    return sorted(wanted)


def _no_overlap(given: dict[str, list[str]]) -> None:
    owner: dict[str, str] = {}
    for key, group in given.items():
        for name in group:
            if name in owner:
                raise InputError(
                    f"{key}_events: {name!r} is also in {owner[name]}_events; "
                    "an event belongs to one split"
                )
            owner[name] = key
