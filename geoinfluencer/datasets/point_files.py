"""Files of points of any make: which column is what, and the points in metres."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from geoinfluencer.errors import InputError, suggest
from geoinfluencer.files.point_tables import PointTable, read_points

POSITION, COLOR = ("x", "y", "z"), ("red", "green", "blue")
ROLES = (*POSITION, *COLOR, "instance", "semantic")
_NAMES = {
    **{axis: (axis, f"pos_{axis}", f"coord_{axis}", f"point_{axis}") for axis in POSITION},
    **{c: (c, c[0], f"diffuse_{c}", f"color_{c}") for c in COLOR},
}
_FAR = 1000.0  # metres; float32 is a tenth of a millimetre there


@dataclass(frozen=True)
class Cloud:
    """Points of a file.

    Attributes:
        table: All that the file holds.
        used: Role to column: what was taken for what.
        pos: (P, 3) float32, metres, ``origin`` taken off.
        origin: (3,) float64, metres; zero unless the points lie far out.
        color: (P, 3) uint8, or None.
        instance: (P,) int64, or None.
        semantic: (P,) int64, or None.
    """

    table: PointTable
    used: dict[str, str]
    pos: np.ndarray
    origin: np.ndarray
    color: np.ndarray | None
    instance: np.ndarray | None
    semantic: np.ndarray | None

    def words(self) -> str:
        """What was taken for what."""
        return " ".join(f"{role}={name}" for role, name in self.used.items())


def parse_columns(text: str | None) -> dict[str, str]:
    """Roles to columns from ``x=X,y=Y,z=Z,red=R``; ``color=none`` leaves colour out.

    Raises:
        InputError: On an unknown role, or one named twice.
    """
    given: dict[str, str] = {}
    for part in (text or "").split(","):
        if not part.strip():
            continue
        role, equals, name = (piece.strip() for piece in part.partition("="))
        if not equals or not name:
            raise InputError(
                f"columns {text!r}: {part.strip()!r} is not ROLE=COLUMN, such as x=east"
            )
        if role == "color" and name == "none":
            given |= dict.fromkeys(COLOR, "")
            continue
        if role not in ROLES:
            raise InputError(f"columns {text!r}: {role!r} is unknown; {suggest(role, ROLES)}")
        if given.get(role):
            raise InputError(f"columns {text!r}: {role!r} is given twice; give one column")
        given[role] = name
    return given


def read_cloud(path: Path, columns: Mapping[str, str] | None = None, unit: float = 1.0) -> Cloud:
    """Read points and what belongs to them.

    Positions and colours are found by the usual names, where the file names its columns; without
    names the first three columns are x, y, z and the next three red, green, blue, where they look
    like it. Instance and class are read from the columns named alone.

    Args:
        path: PLY, NPZ, NPY, CSV or TXT.
        columns: Role to column, as of :func:`parse_columns`; ``""`` = none.
        unit: Metres per unit of the file.

    Raises:
        InputError: A column is missing or a value wrong; names the place and the remedy.
    """
    return cloud_of(read_points(path), columns, unit)


def cloud_of(
    table: PointTable, columns: Mapping[str, str] | None = None, unit: float = 1.0
) -> Cloud:
    """The points of a table that has been read, as of :func:`read_cloud`."""
    used = _assigned(table, dict(columns or {}))
    place = np.stack([_numbers(table, used[axis]) for axis in POSITION], axis=1)
    if not 0 < unit < np.inf:
        raise InputError(f"unit must be positive, metres per unit of the file, got {unit}")
    place *= unit
    low = np.floor(place.min(0))
    origin = low if np.abs(place).max() > _FAR else np.zeros(3)
    color = None
    if all(name in used for name in COLOR):
        color = _eight_bit(table, [used[name] for name in COLOR])
    found = {role: whole_numbers(table, used[role]) for role in ROLES[6:] if role in used}
    return Cloud(
        table=table,
        used=used,
        pos=(place - origin).astype(np.float32),
        origin=origin,
        color=color,
        instance=found.get("instance"),
        semantic=found.get("semantic"),
    )


def _assigned(table: PointTable, given: dict[str, str]) -> dict[str, str]:
    used = {role: name for role, name in given.items() if name}
    for role, name in used.items():
        if name not in table.columns and name not in table.left_out:
            raise InputError(
                f"{table.path}: no column {name!r} for {role}; {suggest(name, table.columns)}"
            )
    guess = _by_name(table) if table.named else _by_position(table)
    used |= {role: name for role, name in guess.items() if role not in given}
    missing = [axis for axis in POSITION if axis not in used]
    if missing:
        raise InputError(
            f"{table.path}: no column for {', '.join(missing)}; it has "
            f"{', '.join(table.columns)}; name them with --columns "
            f"{','.join(f'{axis}=NAME' for axis in missing)}"
        )
    for role, name in used.items():
        if name in table.left_out:
            raise InputError(f"{table.path}: {table.left_out[name]}; correct it ({role})")
    partly = [name for name in COLOR if name in used]
    if len(partly) not in (0, 3):
        if any(given.get(name) for name in partly):
            raise InputError(
                f"{table.path}: columns for {', '.join(partly)} alone; name all of red, green "
                "and blue, or none"
            )
        used = {role: name for role, name in used.items() if role not in COLOR}
    return {role: used[role] for role in ROLES if role in used}


def _by_name(table: PointTable) -> dict[str, str]:
    there = {name.lower(): name for name in [*table.left_out, *reversed(table.columns)]}
    known = {role: [n for n in names if n in there] for role, names in _NAMES.items()}
    return {role: there[names[0]] for role, names in known.items() if names}


def _by_position(table: PointTable) -> dict[str, str]:
    """1 2 3 are x y z; 4 5 6 are a colour where all are whole numbers of 0 to 255."""
    there = {*table.columns, *table.left_out}
    tints = [table.columns.get(name) for name in "456"]
    colored = all(values is not None and _looks_like_colour(values) for values in tints)
    roles = (*POSITION, *COLOR) if colored else POSITION
    return {role: name for role, name in zip(roles, "123456", strict=False) if name in there}


def _looks_like_colour(values: np.ndarray) -> bool:
    within = values.min() >= 0 and values.max() <= 255
    return bool(within and (values == np.floor(values)).all())


def _numbers(table: PointTable, name: str) -> np.ndarray:
    values = table.columns[name].astype(np.float64)
    if not np.isfinite(values).all():
        row = int(np.argmin(np.isfinite(values)))
        raise InputError(
            f"{table.path}: {table.place(row)}: column {name!r} is {values[row]}; drop points that "
            "are not finite"
        )
    return values


def whole_numbers(table: PointTable, name: str) -> np.ndarray:
    """A column (P,) as int64.

    Raises:
        InputError: A value is no whole number, or one that int64 cannot hold; names the place.
    """
    values = table.columns[name]
    if values.dtype.kind == "f":
        real = values.astype(np.float64)
        whole = (real >= -(2.0**63)) & (real < 2.0**63) & (real == np.floor(real))
    elif values.dtype.kind == "u":
        whole = values <= np.uint64(2**63 - 1)
    else:
        return values.astype(np.int64)
    if not whole.all():
        row = int(np.argmin(whole))
        raise InputError(
            f"{table.path}: {table.place(row)}: column {name!r} is {values[row]:g}, expected a "
            "whole number of at most 64 bits; negative = none"
        )
    return values.astype(np.int64)


def _eight_bit(table: PointTable, names: list[str]) -> np.ndarray:
    """(P, 3) uint8 from 0 to 255, from shares of 1, or from 16 bits."""
    raw = [table.columns[name] for name in names]
    tint = np.stack([_numbers(table, name) for name in names], axis=1)
    high = tint.max()
    bad = tint.min(1) < 0
    # a single 255.4 of an interpolated colour is no sign of 16 bits, which would make all black
    sixteen = 255 < high <= 65535 and bool((tint == np.floor(tint)).all())
    if (high > 255 and not sixteen) or bad.any():
        row = int(np.argmax(bad)) if bad.any() else int(tint.max(1).argmax())
        shown = " ".join(f"{value:g}" for value in tint[row])
        raise InputError(
            f"{table.path}: {table.place(row)}: columns {', '.join(names)} are {shown}, expected "
            "a colour of 0 to 255, or whole numbers of 16 bits; leave colour out with --columns "
            "color=none"
        )
    if high <= 1 and all(values.dtype.kind == "f" for values in raw):
        tint *= 255
    elif sixteen:
        tint /= 257
    return np.rint(tint).astype(np.uint8)
