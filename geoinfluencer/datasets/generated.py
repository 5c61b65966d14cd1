"""What generated sets share: splits that are disjoint random streams, and items kept on disk."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from geoinfluencer.errors import InputError
from geoinfluencer.files.atomic import atomic_path

_STREAMS = {"train": 0, "calib": 1, "val": 2, "test": 3}
Item = TypeVar("Item")


def members(
    split: str, sizes: Mapping[str, int], count: int | None, seed: int, what: str
) -> list[tuple[str, int]]:
    """Where to find item i of a split: (split of its stream, number there).

    Args:
        split: one of ``sizes``, or ``"all"`` = val, then test: the unseen items.
        sizes: items of each split.
        count: of this split, in place of its size.
        seed: of all splits; only checked.
        what: the items, as the options call them: ``num_rooms``, ``train_rooms``.

    Raises:
        InputError: an unknown split, a negative seed, or no items.
    """
    if split not in (*sizes, "all"):
        raise InputError(f"no split {split!r}; choose {', '.join(sizes)} or all")
    if seed < 0 or any(n < 1 for n in (*sizes.values(), 1 if count is None else count)):
        raise InputError(
            f"seed={seed}, num_{what}={count}, {what} of the splits {dict(sizes)}: the seed must "
            "not be negative and every number at least 1"
        )
    parts = ("val", "test") if split == "all" else (split,)
    return [(part, i) for part in parts for i in range(count or sizes[part])][:count]


def stream(seed: int, member: tuple[str, int], *purpose: int) -> np.random.SeedSequence:
    """The randomness of an item: of seed, split and number alone, whatever the order of access.

    Args:
        seed: of the set.
        member: split and number, see :func:`members`.
        purpose: tells several streams of one item apart.
    """
    split, number = member
    return np.random.SeedSequence(seed, spawn_key=(_STREAMS[split], number, *purpose))


def kept_on_disk(
    root: str | None,
    name: str,
    state: object,
    member: tuple[str, int],
    cls: Callable[..., Item],
    make: Callable[[], Item],
) -> Item:
    """An item with arrays as its attributes, from ``root`` or made and put there.

    A damaged file is made again and replaced.

    Args:
        root: folder; None: nothing is kept.
        name: of the set.
        state: all that decides the items; another one has another folder.
        member: split and number, see :func:`members`.
        cls: of the item; takes its arrays by name.
        make: makes it.
    """
    if root is None:
        return make()
    key = hashlib.sha256(repr(state).encode()).hexdigest()[:16]
    split, number = member
    path = Path(root) / f"{name}-{key}" / split / f"{number:06d}.npz"
    arrays = _read(path)
    if arrays is not None:
        try:
            return cls(**arrays)
        except TypeError:  # arrays of another version under the same name
            arrays = None
    item = make()
    with atomic_path(path) as temporary:
        np.savez(temporary, **vars(item))
    return item


def _read(path: Path) -> dict[str, Any] | None:
    try:
        with np.load(path, allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile):  # not there, or damaged
        return None
