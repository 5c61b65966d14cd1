"""What a check of annotations says: a fault, whose it is, and how bad."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from geoinfluencer.errors import InputError
from geoinfluencer.files.coco_entries import integer

Level = Literal["error", "warning", "info"]
Kind = Literal["masks", "lines"]
_SLACK = 1.0  # pixels that a box or a point may reach beyond the image unnoticed


@dataclass(frozen=True)
class Finding:
    """A fault.

    Attributes:
        level: ``error``: the file cannot be used as it is; ``warning``: it can, but look at it;
            ``info``: worth knowing.
        kind: Short name of the fault, the same for all of a kind.
        where: What has it: ``annotation 7``.
        text: What is wrong, and the remedy.
    """

    level: Level
    kind: str
    where: str
    text: str


def whole_number(entry: Any, key: str) -> int | None:
    """The value of a key, None where it is no whole number."""
    try:
        return integer("", entry, key)
    except InputError:
        return None


def bad_id(what: str, place: int, entry: Any) -> Finding:
    """The fault of an entry without an id that is a whole number."""
    value = entry.get("id") if isinstance(entry, dict) else entry
    text = f"has id {value!r:.40}; give it a whole number, of 64 bits at most"
    return Finding("error", "bad-id", f"{what} at place {place}", text)


def duplicate_id(where: str) -> Finding:
    """The fault of an entry with the id of another."""
    return Finding("error", "duplicate-id", where, "is there twice; ids must differ")


def fault(kind: str, where: str, error: InputError) -> Finding:
    """What a reader refuses, whose message begins with ``where``."""
    return Finding("error", kind, where, str(error).removeprefix(where).lstrip(": "))


def beyond(low: float, right: float, down: float) -> bool:
    """Whether something reaches beyond its image: from its least coordinate, and how far it is
    right of and below the image."""
    return low < -_SLACK or right > _SLACK or down > _SLACK
