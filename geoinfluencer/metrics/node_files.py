"""Files with one row per node: CSV, CSV.GZ, NPZ or PLY, from any tool."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from geoinfluencer.errors import InputError
from geoinfluencer.files.npz import read_npz
from geoinfluencer.files.ply import read_ply
from geoinfluencer.files.tables import (
    Kind,
    Table,
    line_of_row,
    read_header,
    read_table,
)
from geoinfluencer.metrics.arrays import as_array

Role = Literal["prediction", "truth"]

FORMATS = (".csv", ".csv.gz", ".npz", ".ply")
LABELS: dict[Role, tuple[str, ...]] = {
    "prediction": ("instance", "track_id"),
    "truth": ("instance", "particle_id"),
}
_IDS = ("node_id", "hit_id")
_OPTIONAL: dict[str, Kind] = {
    **{name: "int" for name in ("node_id", "hit_id", "event_id", "semantic", "ignore")},
    **{name: "float" for name in ("score", "weight", "pt", "eta")},
    **{name: "float" for name in ("tx", "ty", "tz", "tpx", "tpy", "tpz")},
}
_VALUES: dict[str, tuple[Callable[[np.ndarray], np.ndarray], str]] = {
    "score": (np.isfinite, "a finite number"),
    "weight": (lambda weight: np.isfinite(weight) & (weight >= 0), "a finite number >= 0"),
    "ignore": (lambda ignore: np.isin(ignore, (0, 1)), "0 or 1"),
}


@dataclass(frozen=True)
class NodeFile:
    """Columns of a per-node file.

    Attributes:
        path: The file.
        label: Name of the label column that was found.
        table: All columns by name, each (N,).
        rows: (N,) row of the file of each node; ``None`` = all of them, in order.
    """

    path: Path
    label: str
    table: Table
    rows: np.ndarray | None = None

    @property
    def labels(self) -> np.ndarray:
        """(N,) int64 labels."""
        return self.table[self.label]

    @property
    def id_name(self) -> str | None:
        """Name of the column with the nodes' ids, if there is one."""
        return next((name for name in _IDS if name in self.table), None)

    def place(self, row: int) -> str:
        """Say where a row stands in the file, for a message."""
        if self.rows is not None:
            row = int(self.rows[row])
        if self.path.suffix.lower() in (".npz", ".ply"):
            return f"row {row}"
        return f"line {line_of_row(self.path, row)}"

    def select(self, rows: np.ndarray) -> NodeFile:
        """Return the file with only these rows."""
        table = {name: values[rows] for name, values in self.table.items()}
        return NodeFile(
            self.path, self.label, table, rows if self.rows is None else self.rows[rows]
        )

    def refuse(self, column: str, bad: np.ndarray, wanted: str) -> None:
        """Raise InputError where ``bad`` (N,) is true, naming the first place and their number."""
        rows = np.flatnonzero(bad)
        if len(rows):
            row = int(rows[0])
            raise InputError(
                f"{self.path}: {self.place(row)}: {column} is not {wanted}, but "
                f"{self.table[column][row]} ({len(rows)} such row(s)); correct it"
            )


def read_nodes(path: str | Path, role: Role) -> NodeFile:
    """Read a prediction or truth file.

    The label is the column ``instance``; predictions may also call it ``track_id`` (a TrackML
    submission), the truth ``particle_id`` (TrackML truth). Optional columns are ``node_id`` or
    ``hit_id``, ``event_id``, ``semantic``, ``score``, ``weight``, ``ignore``, ``pt``, ``eta`` and
    TrackML's ``tx ... tpz``. In PLY files they are properties of the element ``vertex``.

    Raises:
        InputError: On a missing file, an unknown format, missing columns or bad values.
    """
    file = Path(path)
    if not file.is_file():
        raise InputError(f"{file}: no such file")
    name = file.name.lower()
    if name.endswith((".csv", ".csv.gz")):
        label = _label(file, role, read_header(file))
        table = read_table(file, {label: "int"}, _OPTIONAL, what=f"{role} file")
    elif name.endswith((".npz", ".ply")):
        label, table = _from_arrays(file, role, read_arrays(file))
    else:
        raise InputError(f"{file}: unknown format; give one of {', '.join(FORMATS)}")
    nodes = NodeFile(file, label, table)
    for column, (good, wanted) in _VALUES.items():
        if column in table:
            nodes.refuse(column, ~good(table[column]), wanted)
    return nodes


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Arrays of an NPZ file, or properties of the vertices of a PLY file, by name.

    Raises:
        InputError: The file cannot be read.
    """
    if path.name.lower().endswith(".npz"):
        return read_npz(path)
    vertex, _, _ = read_ply(path)
    return {name: vertex[name] for name in vertex.dtype.names or ()}


def _label(path: Path, role: Role, columns: list[str]) -> str:
    for name in LABELS[role]:
        if name in columns:
            return name
    raise InputError(
        f"{path}: a {role} needs a column {' or '.join(map(repr, LABELS[role]))}; "
        f"it has {', '.join(columns)}"
    )


def _from_arrays(path: Path, role: Role, arrays: dict[str, np.ndarray]) -> tuple[str, Table]:
    label = _label(path, role, list(arrays))
    kinds: dict[str, Kind] = {label: "int", **_OPTIONAL}
    length = None
    table: Table = {}
    for name, kind in kinds.items():
        if name in arrays:
            dtype: Any = np.int64 if kind == "int" else np.float64
            table[name] = as_array(f"{path}: array {name!r}", arrays[name], dtype, length)
            length = len(table[name])
    return label, table
