"""Classes of scanned scenes: their names, the numbers that files give them, things and stuff."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np

from geoinfluencer.errors import InputError, suggest
from geoinfluencer.files.scene_names import (
    NYU40_IDS,
    S3DIS_CLASSES,
    SCANNET_CLASSES,
    SCANNET_STUFF,
    STPLS3D_CLASSES,
)


@dataclass(frozen=True)
class ClassSet:
    """The classes that a protocol scores; C classes, numbered 0..C-1 in this order.

    Attributes:
        names: Of the classes.
        ids: Number of each class in files.
        stuff: Names of the classes without instances: a scene has one segment of each.
    """

    names: tuple[str, ...]
    ids: tuple[int, ...]
    stuff: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.names)

    @property
    def things(self) -> tuple[str, ...]:
        """Names of the classes with instances."""
        return tuple(name for name in self.names if name not in self.stuff)

    @property
    def is_thing(self) -> np.ndarray:
        """(C,) bool."""
        return np.array([name not in self.stuff for name in self.names], bool)

    def numbers(self, ids: np.ndarray) -> np.ndarray:
        """Class numbers of the ids in a file (any shape); -1 = none of these classes."""
        order = np.argsort(self.ids)
        known = np.array(self.ids, np.int64)[order]
        place = np.searchsorted(known, ids).clip(max=len(known) - 1)
        return np.where(known[place] == ids, order[place], -1)

    def with_stuff(self, stuff: Collection[str]) -> ClassSet:
        """The same classes with these as stuff.

        Raises:
            InputError: One of them is no class.
        """
        for name in stuff:
            if name not in self.names:
                raise InputError(f"stuff: no class {name!r}; {suggest(name, self.names)}")
        return replace(self, stuff=tuple(stuff))


_WALLS = len(SCANNET_STUFF)

CLASS_SETS: dict[str, ClassSet] = {
    # the benchmark's: NYU40 ids, of which walls and floors are not scored
    "scannet": ClassSet(SCANNET_CLASSES[_WALLS:], NYU40_IDS[_WALLS:]),
    # numbered 0 to 19, as training sets are
    "scannet20": ClassSet(SCANNET_CLASSES, tuple(range(20)), stuff=SCANNET_STUFF),
    "s3dis": ClassSet(S3DIS_CLASSES, tuple(range(13))),
    "stpls3d": ClassSet(STPLS3D_CLASSES[1:], tuple(range(1, 15))),  # 0 is the ground
}


def parse_classes(text: str) -> ClassSet:
    """Classes by the name of a set, or as ``ID=NAME,ID=NAME``, or as ``NAME,NAME`` from 0 on.

    Raises:
        InputError: The text is none of these, or names a class or an id twice.
    """
    if text in CLASS_SETS:
        return CLASS_SETS[text]
    parts = [part.strip() for part in text.split(",")]
    if parts == [text.strip()] and "=" not in text:
        raise InputError(f"classes {text!r}: no such set; {suggest(text, CLASS_SETS)}")
    pairs = [part.split("=", 1) if "=" in part else (str(i), part) for i, part in enumerate(parts)]
    names = tuple(name.strip() for _, name in pairs)
    try:
        ids = tuple(int(number) for number, _ in pairs)
    except ValueError:
        raise InputError(f"classes {text!r}: expected ID=NAME,ID=NAME with whole ids") from None
    if len(set(names)) < len(names) or len(set(ids)) < len(ids) or "" in names:
        raise InputError(f"classes {text!r}: a name is empty, or a name or id is there twice")
    return ClassSet(names, ids)
