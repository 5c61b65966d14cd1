"""PLY files of points: every property kept, other elements (faces) too."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from plyfile import PlyData, PlyElement, PlyElementParseError, PlyParseError

from geoinfluencer.errors import InputError
from geoinfluencer.files.atomic import atomic_path

_UNFIT = re.compile(r"[^!-~]")  # blanks end a name in the header, which is ASCII
_TRIANGLES = {"face": {"vertex_indices": 3, "vertex_index": 3}}


def read_ply(path: Path) -> tuple[np.ndarray, tuple[PlyElement, ...], list[str]]:
    """Read the element ``vertex`` as a structured array, and the other elements as they are.

    Returns:
        The vertices (P,), the other elements, the comments.

    Raises:
        InputError: The file is no whole PLY; names the vertex or the line where that is known.
    """
    try:
        try:
            content = PlyData.read(str(path), known_list_len=_TRIANGLES)
        except PlyParseError:  # faces of more corners are read one by one
            content = PlyData.read(str(path))
        vertex = content["vertex"]
    except PlyElementParseError as error:
        place = f"element {error.element.name!r}" if error.element is not None else "an element"
        row = "" if error.row is None else f" {error.row}"
        column = "" if error.prop is None else f", property {error.prop.name!r}"
        raise InputError(
            f"{path}: {place}{row}{column}: {error.message}; is the file whole?"
        ) from error
    except (PlyParseError, KeyError, OSError, ValueError, MemoryError) as error:
        raise InputError(
            f"{path}: cannot be read as PLY with an element 'vertex' ({error}); is the file whole?"
        ) from error
    others = tuple(element for element in content.elements if element.name != "vertex")
    return np.asarray(vertex.data), others, list(content.comments)


def write_ply(
    path: Path,
    columns: dict[str, np.ndarray],
    others: Sequence[PlyElement] = (),
    comments: Sequence[str] = (),
) -> None:
    """Write columns (P,) as the element ``vertex`` of a binary little-endian PLY, at once or not
    at all. 64-bit integers, which PLY has not, become 32-bit ones, or doubles if they are larger;
    names are those of :func:`ply_names`, comments those of :func:`ply_comment`.
    """
    names = ply_names(columns)
    stored = {names[name]: _storable(values) for name, values in columns.items()}
    count = len(next(iter(stored.values())))
    vertex = np.empty(count, [(name, values.dtype) for name, values in stored.items()])
    for name, values in stored.items():
        vertex[name] = values
    elements = [PlyElement.describe(vertex, "vertex"), *others]
    ply = PlyData(elements, text=False, byte_order="<", comments=[*map(ply_comment, comments)])
    with atomic_path(path) as temporary:
        ply.write(str(temporary))


def ply_names(names: Iterable[str]) -> dict[str, str]:
    """Names to those that PLY can hold, all different: ``_`` for what is blank or not ASCII."""
    given = list(names)
    taken = {name for name in given if name and not _UNFIT.search(name)}
    found = {}
    for name in given:
        new = name
        if name not in taken:
            new = _UNFIT.sub("_", name) or "_"
            while new in taken:
                new += "_"
            taken.add(new)
        found[name] = new
    return found


def ply_comment(text: str) -> str:
    """A comment that PLY can hold: one line, with ``\\xfc`` for what is not ASCII."""
    return " ".join(text.splitlines()).encode("ascii", "backslashreplace").decode("ascii")


def _storable(values: np.ndarray) -> np.ndarray:
    if values.dtype.kind == "b":
        return values.astype(np.uint8)
    if values.dtype.kind in "iu" and values.dtype.itemsize == 8:
        fits = values.min(initial=0) >= -(2**31) and values.max(initial=0) < 2**31
        return values.astype(np.int32 if fits else np.float64)
    if values.dtype.kind == "f" and values.dtype.itemsize not in (4, 8):
        return values.astype(np.float32 if values.dtype.itemsize < 4 else np.float64)
    return values.astype(values.dtype.newbyteorder("<"))
