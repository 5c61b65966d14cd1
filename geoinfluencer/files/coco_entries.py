"""COCO JSON files: read whole, asked for their integers, and results written one by one."""

from __future__ import annotations

import json
import operator
from collections.abc import Iterable
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
    """``entry[key]``, an integer; ``what`` names file and entry in the message."""
    value = entry.get(key) if isinstance(entry, dict) else None
    if not isinstance(value, bool):
        try:
            return operator.index(value)  # type: ignore[arg-type]  # NumPy's integers too
        except TypeError:
            pass
    raise InputError(f"{what} has {key} {value!r}; it must be an integer")


def write_results(path: Path, entries: Iterable[dict[str, Any]]) -> None:
    """Write COCO results as they come, one per line; none of them is kept."""
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        separator = "[\n"
        for entry in entries:
            file.write(separator + json.dumps(entry))
            separator = ",\n"
        file.write("[]\n" if separator == "[\n" else "\n]\n")
