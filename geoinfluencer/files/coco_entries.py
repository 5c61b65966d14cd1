"""COCO JSON files: read whole, asked for what entries hold, and results written one by one."""

from __future__ import annotations

import json
import operator
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from geoinfluencer.errors import InputError
from geoinfluencer.files.atomic import atomic_path


def read_json(path: Path, kind: str) -> Any:
    """The contents of a JSON file; ``kind`` is what to call one that is not there."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such {kind}") from error
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: cannot be read as JSON ({error}); is the file whole?") from error


def integer(what: str, entry: Any, key: str) -> int:
    """``entry[key]``, an integer of 64 bits; ``what`` names file and entry in the message."""
    value = entry.get(key) if isinstance(entry, dict) else None
    wanted = "an integer"
    if not isinstance(value, bool):
        try:
            number = operator.index(value)  # type: ignore[arg-type]  # NumPy's integers too
        except TypeError:
            pass
        else:
            if -(2**63) <= number < 2**63:  # what tensors of ids hold
                return number
            wanted = "an integer of 64 bits"
    raise InputError(f"{what} has {key} {value!r:.60}; it must be {wanted}")


def by_id(file: object, kind: str, entries: Sequence[Any]) -> dict[int, Any]:
    """Entries by their ids, in the order of the file; ``kind`` is what to call one.

    Raises:
        InputError: An id is no integer, which names the entry by its place, or is there twice.
    """
    found: dict[int, Any] = {}
    for place, entry in enumerate(entries):
        number = integer(f"{file}: {kind} at place {place}", entry, "id")
        if number in found:
            raise InputError(f"{file}: {kind} {number} is there twice; ids must differ")
        found[number] = entry
    return found


def is_crowd(what: str, entry: dict[str, Any]) -> bool:
    """``iscrowd`` of an annotation, false where it is absent.

    Raises:
        InputError: It is neither 0 nor 1.
    """
    value = entry.get("iscrowd")
    if value is not None and value not in (0, 1):  # bool("0") is true
        raise InputError(f"{what} has iscrowd {value!r:.60}; it must be 0 or 1, or absent")
    return bool(value)


def area_of(what: str, entry: dict[str, Any]) -> float | None:
    """``area`` of an annotation in pixels; ``None``: it is absent.

    Raises:
        InputError: It is negative, or no finite number.
    """
    value = entry.get("area")
    if value is None:
        return None
    good = isinstance(value, int | float) and not isinstance(value, bool)
    if not good or not 0 <= value < 1e300:
        raise InputError(f"{what} has area {value!r:.60}; it must be a number of pixels, or absent")
    return float(value)


def write_results(path: Path, entries: Iterable[dict[str, Any]]) -> None:
    """Write COCO results as they come, one per line; none of them is kept."""
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        separator = "[\n"
        for entry in entries:
            file.write(separator + json.dumps(entry))
            separator = ",\n"
        file.write("[]\n" if separator == "[\n" else "\n]\n")
