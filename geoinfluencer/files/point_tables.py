"""Any file of points as named columns: PLY, NPZ, NPY, CSV, TXT."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from geoinfluencer.errors import InputError
from geoinfluencer.files.atomic import atomic_path
from geoinfluencer.files.npz import read_npz
from geoinfluencer.files.ply import read_ply, write_ply
from geoinfluencer.files.point_text import (
    TextLayout,
    first_non_number,
    line_of_point,
    read_point_text,
)

TEXT_FORMATS = (".csv", ".txt", ".xyz", ".pts", ".asc")
POINT_FORMATS = (".ply", ".npz", ".npy", *TEXT_FORMATS)
_PARTS = {  # (P, 3) arrays of NPZ files, by the names that people give them
    **dict.fromkeys(("pos", "xyz", "coord", "coords", "points", "positions"), ("x", "y", "z")),
    **dict.fromkeys(("color", "colors", "rgb", "colour", "colours"), ("red", "green", "blue")),
}
_OTHER = {
    ".las": "pdal translate IN.las OUT.ply",
    ".laz": "pdal translate IN.laz OUT.ply",
    ".e57": "pdal translate IN.e57 OUT.ply",
    ".pcd": "pcl_pcd2ply IN.pcd OUT.ply",
}


@dataclass(frozen=True)
class PointTable:
    """The points of a file.

    Attributes:
        path: Of the file.
        columns: Name to (P,) numbers, in the order of the file; P at least 1.
        left_out: Columns that hold no single numbers, and where and why.
        named: Whether the file itself names the columns; else they are ``"1"``, ``"2"`` ...
        others: Further elements of a PLY file.
        comments: Of a PLY file.
        arrays: Of an NPZ file, as they are in it.
    """

    path: Path
    columns: dict[str, np.ndarray]
    left_out: dict[str, str] = field(default_factory=dict)
    named: bool = True
    others: tuple[Any, ...] = ()
    comments: tuple[str, ...] = ()
    arrays: dict[str, np.ndarray] | None = None
    layout: TextLayout | None = None

    @property
    def count(self) -> int:
        """P, the number of points."""
        return len(next(iter(self.columns.values())))

    def place(self, row: int) -> str:
        """Where a point stands in the file, in words."""
        if self.layout is not None:
            return f"line {line_of_point(self.path, self.layout, row)}"
        return f"{'vertex' if is_kind(self.path, '.ply') else 'row'} {row}"


def is_kind(path: Path, *suffixes: str) -> bool:
    """Whether the name of a file ends so, in capitals or not, compressed text included."""
    name = path.name.lower()
    text = tuple(f"{s}.gz" for s in suffixes if s in TEXT_FORMATS)
    return name.endswith(suffixes + text)


def read_points(path: Path) -> PointTable:
    """Read all columns of a file of points.

    Raises:
        InputError: Names the file, the line or array, and the remedy.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    if is_kind(path, ".ply"):
        vertex, others, comments = read_ply(path)
        return _checked(
            PointTable(
                path,
                {name: vertex[name] for name in vertex.dtype.names or ()},
                others=others,
                comments=tuple(comments),
            )
        )
    if is_kind(path, ".npz"):
        arrays = read_npz(path)
        return _checked(PointTable(path, _columns_of(path, arrays), arrays=arrays))
    if is_kind(path, ".npy"):
        columns, named = _columns_of_rows(path, read_npz(path)[""])
        return _checked(PointTable(path, columns, named=named))
    if is_kind(path, *TEXT_FORMATS):
        layout, columns = read_point_text(path)
        return _checked(PointTable(path, columns, named=layout.has_header, layout=layout))
    how = _OTHER.get(path.suffix.lower())
    hint = f", for example with: {how}" if how else ""
    raise InputError(
        f"{path}: unknown format; give one of {' '.join(POINT_FORMATS)}"
        f" (text also as .gz){', convert it' if how else ''}{hint}"
    )


def write_points_ply(
    path: Path,
    table: PointTable,
    added: Mapping[str, np.ndarray],
    comments: Sequence[str] = (),
) -> None:
    """Write a table with further properties as PLY; points keep their order."""
    write_ply(path, {**table.columns, **added}, table.others, [*table.comments, *comments])


def write_points_npz(path: Path, table: PointTable, added: Mapping[str, np.ndarray]) -> None:
    """Write a table with further arrays as NPZ; those of an NPZ file stay as they are."""
    kept = table.columns if table.arrays is None else table.arrays
    with (
        atomic_path(path) as temporary,
        zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        # not np.savez: it has a parameter called file, as an array may be
        for name, values in {**kept, **added}.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as stream:
                np.lib.format.write_array(stream, np.asarray(values), allow_pickle=False)


def _checked(table: PointTable) -> PointTable:
    """The table without columns that are no numbers, which ``left_out`` names."""
    good: dict[str, np.ndarray] = {}
    for name, values in table.columns.items():
        if values.ndim == 1 and values.dtype.kind in "iufb":
            good[name] = values
        elif table.layout is not None:
            row = first_non_number(values)
            what = repr(str(values[row]))[:40] if row >= 0 else "numbers too long for 64 bits"
            table.left_out[name] = (
                f"{table.place(max(row, 0))}: column {name!r} is {what}, not a number"
            )
        else:
            table.left_out[name] = f"property {name!r} is not one number per point"
    if not good or not len(next(iter(good.values()))):
        why = f": {next(iter(table.left_out.values()))}" if table.left_out else ""
        raise InputError(f"{table.path}: holds no points{why}; is it the right file?")
    lengths = {name: len(values) for name, values in good.items()}
    if len(set(lengths.values())) > 1:
        raise InputError(f"{table.path}: arrays differ in length: {lengths}; give one per point")
    table.columns.clear()
    table.columns.update(good)
    return table


def _columns_of(path: Path, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Arrays (P,) and (P, C) as columns; others, of another length, are no columns."""
    lengths = [len(a) for n, a in arrays.items() if n.lower() in (*_PARTS, "x") and a.ndim]
    if not lengths:
        raise InputError(
            f"{path}: no array 'pos', 'xyz', 'coord' or 'points' (P, 3), nor 'x'; it has "
            f"{', '.join(arrays) or 'none'}; rename one"
        )
    columns: dict[str, np.ndarray] = {}
    for name, array in arrays.items():
        if array.ndim not in (1, 2) or len(array) != lengths[0]:
            continue
        if array.ndim == 1:
            columns[name] = array
            continue
        parts: tuple[str, ...] = _PARTS.get(name.lower(), ())
        if len(parts) != array.shape[1]:
            parts = tuple(f"{name}_{i}" for i in range(array.shape[1]))
        columns |= {part: array[:, i] for i, part in enumerate(parts)}
    return columns


def _columns_of_rows(path: Path, array: np.ndarray) -> tuple[dict[str, np.ndarray], bool]:
    if array.dtype.names:
        return {name: array[name] for name in array.dtype.names}, True
    if array.ndim != 2:
        raise InputError(
            f"{path}: has shape {array.shape}; give (P, C), or a structured array with named fields"
        )
    return {str(i + 1): array[:, i] for i in range(array.shape[1])}, False
