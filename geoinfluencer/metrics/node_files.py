"""Files with one row per node: CSV, CSV.GZ, NPZ or PLY, from any tool."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from geoinfluencer.errors import InputError
from geoinfluencer.files.tables import (
    Kind,
    Table,
    line_of_row,
    no_duplicates,
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


@dataclass(frozen=True)
class NodeFile:
    """Columns of a per-node file.

    Attributes:
        path: The file.
        label: Name of the label column that was found.
        table: All columns by name, each (N,).
    """

    path: Path
    label: str
    table: Table

    @property
    def labels(self) -> np.ndarray:
        """(N,) int64 labels."""
        return self.table[self.label]

    @property
    def id_name(self) -> str | None:
        """Name of the column with the nodes' ids, if there is one."""
        return next((name for name in _IDS if name in self.table), None)

    def place(self, row: int) -> str:
        """Say where a row stands, for a message."""
        if self.path.suffix in (".npz", ".ply"):
            return f"row {row}"
        return f"line {line_of_row(self.path, row)}"

    def select(self, rows: np.ndarray) -> NodeFile:
        """Return the file with only these rows; places then count within them."""
        return NodeFile(self.path, self.label, {n: v[rows] for n, v in self.table.items()})


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
    elif name.endswith(".npz"):
        label, table = _from_arrays(file, role, _read_npz(file))
    elif name.endswith(".ply"):
        label, table = _from_arrays(file, role, _read_ply(file))
    else:
        raise InputError(f"{file}: unknown format; give one of {', '.join(FORMATS)}")
    for column in ("weight", "score"):
        values = table.get(column)
        if values is not None and not np.isfinite(values).all():
            row = int(np.flatnonzero(~np.isfinite(values))[0])
            where = NodeFile(file, label, table).place(row)
            raise InputError(f"{file}: {where}: {column} is not a finite number; correct it")
    return NodeFile(file, label, table)


def join_nodes(prediction: NodeFile, truth: NodeFile) -> NodeFile:
    """Return the prediction in the order of the truth.

    Rows are joined on the ids when both files have them, else by order.

    Raises:
        InputError: On missing, repeated or unknown ids, or unequal lengths; with counts, the first
            offending id and its place.
    """
    if prediction.id_name is None or truth.id_name is None:
        return _join_by_order(prediction, truth)
    wanted, given = truth.table[truth.id_name], prediction.table[prediction.id_name]
    for file, ids in ((truth, wanted), (prediction, given)):
        is_text = file.path.suffix not in (".npz", ".ply")
        no_duplicates(file.path, str(file.id_name), ids, lines=is_text)
    unknown = np.flatnonzero(~np.isin(given, wanted))
    if len(unknown):
        raise InputError(
            f"{prediction.path}: {prediction.place(int(unknown[0]))}: {prediction.id_name} "
            f"{given[unknown[0]]} is not in {truth.path.name} ({len(unknown)} unknown id(s)); "
            "give the truth of the same event"
        )
    lost = np.flatnonzero(~np.isin(wanted, given))
    if len(lost):
        raise InputError(
            f"{prediction.path}: {len(lost)} of {len(wanted)} nodes of {truth.path.name} are "
            f"missing, first {truth.id_name} {wanted[lost[0]]} ({truth.place(int(lost[0]))} "
            "there); list every node, with a negative label when it is unassigned"
        )
    order = np.argsort(given)
    return prediction.select(order[np.searchsorted(given[order], wanted)])


def _join_by_order(prediction: NodeFile, truth: NodeFile) -> NodeFile:
    rows, expected = len(prediction.labels), len(truth.labels)
    if rows != expected:
        raise InputError(
            f"{prediction.path}: {rows} rows, but {truth.path.name} has {expected}; give both "
            "files a node_id (or hit_id) column, or equally many rows in the same order"
        )
    return prediction


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


def _read_npz(path: Path) -> dict[str, np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(f"{path}: cannot be read as NPZ ({error}); is the file whole?") from error


def _read_ply(path: Path) -> dict[str, np.ndarray]:
    try:
        from plyfile import PlyData, PlyParseError
    except ImportError as error:
        raise InputError(f"{path}: PLY needs the package plyfile: pip install plyfile") from error
    try:
        vertex = PlyData.read(str(path))["vertex"]
    except (PlyParseError, KeyError, OSError, ValueError) as error:
        raise InputError(
            f"{path}: cannot be read as PLY with an element 'vertex' ({error}); is the file whole?"
        ) from error
    return {p.name: np.asarray(vertex[p.name]) for p in vertex.properties}
