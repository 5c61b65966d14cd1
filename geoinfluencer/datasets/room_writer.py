"""Generated rooms in the raw layout of S3DIS, with the faults of the original on request."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from geoinfluencer.datasets.room import Room
from geoinfluencer.errors import InputError, suggest
from geoinfluencer.files.scene_names import S3DIS_CLASSES

# name -> what is wrong, and where the original has it
S3DIS_DEFECTS = {
    "nul": "a NUL byte in place of a space, in an annotation (Area_5/hallway_6 ceiling_1)",
    "control": "byte 0x16 within a coordinate of the room's file (Area_3/hallway_2)",
    "control-annotation": "byte 0x10 within a number of an annotation (Area_5/office_19)",
    "short-color": "a colour that lost its last digit, in the room's file (Area_6/hallway_2)",
    "misnamed": "the room's file under another name (Area_6/copyRoom_1/copy_Room_1.txt)",
    "copy": "an annotation twice, as 'wall_3 (1).txt' (Area_5/office_36)",
    "stairs": "an annotation of a class that is none of the 13 (Area_5, stairs)",
    "staris": "the same, misspelt",
}


def write_s3dis_room(
    room: Room, folder: Path, *, defects: Collection[str] = (), whole: bool = True
) -> None:
    """Write ``folder`` as ``Area_k/<room>`` is: ``<room>.txt`` and ``Annotations/<class>_<n>.txt``.

    Lines are ``x y z r g b``: metres to the millimetre, colours 0 to 255. Instances of a class
    count from 1.

    Args:
        room: What to write.
        folder: Its name is the room's; it is created.
        defects: Names of ``S3DIS_DEFECTS`` to build in, each once; those of annotations stand in
            the first one but that of "stairs" or "staris", where the last clutter is misnamed.
        whole: Write ``<room>.txt`` too.

    Raises:
        InputError: On an unknown defect, or one of ``<room>.txt`` when that is not written.
    """
    for name in defects:
        if name not in S3DIS_DEFECTS:
            raise InputError(f"defect {name!r} is unknown; {suggest(name, S3DIS_DEFECTS)}")
    of_whole = sorted({"control", "short-color", "misnamed"} & set(defects))
    if of_whole and not whole:
        raise InputError(f"defect {of_whole[0]!r} is one of the room's file; write it, whole=True")
    annotations = folder / "Annotations"
    annotations.mkdir(parents=True, exist_ok=True)
    table = pd.DataFrame(np.round(room.pos.astype(np.float64), 3), columns=list("xyz"))
    table[["r", "g", "b"]] = room.color
    names = _file_names(room.label, set(defects) & {"stairs", "staris"})
    for number, name in enumerate(names):
        lines = _lines(table[room.instance == number])
        if number == 0:
            lines = _damaged(lines, set(defects) & {"nul", "control-annotation"})
        _write(annotations / f"{name}.txt", lines)
        if number == 0 and "copy" in defects:
            _write(annotations / f"{name} (1).txt", lines)
    if whole:
        title = folder.name.replace("Room", "_Room") if "misnamed" in defects else folder.name
        if title == folder.name and "misnamed" in defects:
            title = f"{folder.name}_copy"
        lines = _damaged(_lines(table), set(defects) & {"control", "short-color"})
        _write(folder / f"{title}.txt", lines)


def _file_names(label: np.ndarray, misnamed: set[str]) -> list[str]:
    """``<class>_<n>`` of each instance."""
    counts: dict[int, int] = {}
    names = []
    for one in label.tolist():
        counts[one] = counts.get(one, 0) + 1
        names.append(f"{S3DIS_CLASSES[one]}_{counts[one]}")
    if misnamed:
        last = [i for i, one in enumerate(label) if S3DIS_CLASSES[one] == "clutter"]
        if not last:
            raise InputError(f"defect {min(misnamed)!r} misnames clutter, and this room has none")
        names[last[-1]] = f"{min(misnamed)}_1"
    return names


def _lines(table: pd.DataFrame) -> list[bytes]:
    text = table.to_csv(sep=" ", header=False, index=False, float_format="%.3f")
    return text.encode().splitlines()


def _damaged(lines: list[bytes], defects: Iterable[str]) -> list[bytes]:
    """The lines with one fault of each kind, the first in the middle."""
    lines = list(lines)
    for row, name in enumerate(sorted(defects), start=len(lines) // 2):
        fields = lines[row].split(b" ")
        if name == "nul":
            fields[3:5] = [fields[3] + b"\x00" + fields[4]]
        elif name in ("control", "control-annotation"):
            code = b"\x16" if name == "control" else b"\x10"
            fields[0] = fields[0][:-2] + code + fields[0][-1:]
        else:
            fields[5] = fields[5][:-1] or b"0"
        lines[row] = b" ".join(fields)
    return lines


def _write(path: Path, lines: list[bytes]) -> None:
    path.write_bytes(b"\n".join(lines) + b"\n")
