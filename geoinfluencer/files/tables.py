"""CSV tables (plain or gzip) as NumPy columns, with errors that name file, line and remedy."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from geoinfluencer.errors import InputError
from geoinfluencer.files.lines import (
    UNREADABLE,
    line_of_row,
    open_text,
    plain_rows,
    read_bytes,
)

Kind = Literal["int", "float"]
Table = dict[str, np.ndarray]

# Identifiers may have been written as "17.0" by a tool that went through floats. Up to 15 digits a
# float is exact; longer ones have already lost digits and are refused.
_INTEGRAL = re.compile(r"[+-]?\d{1,15}\.0*")


def read_header(path: Path) -> list[str]:
    """Return the column names of a CSV file.

    Raises:
        InputError: If the file is missing, unreadable or empty.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    try:
        with open_text(path) as stream:
            header = next(csv.reader(stream), None)
    except UNREADABLE as error:
        raise InputError(f"{path}: cannot be read ({error}); is the file whole?") from error
    if not header:
        raise InputError(f"{path}: line 1: the file is empty; expected a header line")
    return [name.strip() for name in header]


def read_table(
    path: Path,
    required: Mapping[str, Kind],
    optional: Mapping[str, Kind] | None = None,
    *,
    what: str = "table",
    finite: Sequence[str] = (),
    allow_empty: bool = False,
) -> Table:
    """Read the named columns of a CSV file as int64 and float64 arrays.

    Integers never pass through a float, so that 64-bit identifiers survive. Every row must have as
    many values as the header has columns; a blank value of a float column is nan.

    Args:
        path: A ``.csv`` or ``.csv.gz`` file whose first line names the columns.
        required: Column name to kind; all must be there.
        optional: Columns that are read when the file has them.
        what: What the file is, for the messages ("TrackML hits").
        finite: Float columns in which every value must be a finite number.
        allow_empty: Whether a header without rows is good input.

    Returns:
        Column name to array, all of the number of rows.

    Raises:
        InputError: Names the file, the line and the remedy.
    """
    header = read_header(path)
    missing = [name for name in required if name not in header]
    if missing:
        raise InputError(
            f"{path}: line 1: {what} needs column(s) {', '.join(map(repr, missing))}; "
            f"the header has {','.join(header)}"
        )
    kinds = {**required, **(optional or {})}
    kinds = {name: kind for name, kind in kinds.items() if name in header}
    for name in kinds:
        if header.count(name) > 1:
            raise InputError(f"{path}: line 1: column {name!r} is there twice; keep one of them")
    table = _read_fast(path, header, kinds)
    if table is None:
        table = _read_slowly(path, header, kinds, what)
    rows = len(next(iter(table.values())))
    if rows == 0 and not allow_empty:
        raise InputError(f"{path}: {what} has a header but no rows")
    for name in finite:
        bad = np.flatnonzero(~np.isfinite(table[name])) if name in table else np.empty(0, np.int64)
        if len(bad):
            raise InputError(
                f"{path}: line {line_of_row(path, int(bad[0]))}: column {name!r} is not a finite "
                f"number ({len(bad)} such row(s)); every row needs one"
            )
    return table


def _read_fast(path: Path, header: list[str], kinds: Mapping[str, Kind]) -> Table | None:
    """Let pandas parse; None when a value is not of its column's kind, or a row is not whole.

    pandas alone would drop the values after the last column and fill up short rows with nan.
    """
    try:
        data = read_bytes(path)
        rows = plain_rows(data, len(header))
        if rows is None:
            return None
        frame = pd.read_csv(
            io.BytesIO(data),
            header=0,
            names=header,
            usecols=list(kinds),
            dtype={n: np.float64 for n, k in kinds.items() if k == "float"},
            encoding="utf-8-sig",
            skipinitialspace=True,
            index_col=False,
        )
    except UNREADABLE as error:
        raise InputError(f"{path}: cannot be read ({error}); is the file whole?") from error
    except (ValueError, OverflowError, pd.errors.ParserError):
        return None
    if len(frame) != rows:
        return None
    table = {name: frame[name].to_numpy() for name in kinds}
    # Asked for int64, pandas would take "17.0" through a float and lose digits: it infers instead.
    if any(kind == "int" and table[name].dtype != np.int64 for name, kind in kinds.items()):
        return None
    return table


def no_duplicates(
    path: Path, column: str, values: np.ndarray, *, place: Callable[[int], str] | None = None
) -> None:
    """Raise InputError when an id appears twice; names the first repeated one and its place.

    Args:
        path: The file, for the message.
        column: Name of the ids.
        values: (N,) ids.
        place: Says where a row stands; default: the line of the CSV file.
    """
    order = np.argsort(values, kind="stable")
    again = order[1:][values[order][1:] == values[order][:-1]]
    if len(again):
        row = int(again.min())
        where = place(row) if place is not None else f"line {line_of_row(path, row)}"
        raise InputError(
            f"{path}: {where}: {column} {values[row]} appears a second time "
            f"({len(again)} repeated row(s)); every {column} must be unique"
        )


def _read_slowly(path: Path, header: list[str], kinds: Mapping[str, Kind], what: str) -> Table:
    """Parse value by value: only reached when the fast parser failed, to say where and why."""
    columns: dict[str, list[int | float]] = {name: [] for name in kinds}
    readers: dict[str, Callable[[str], int | float]] = {
        name: _integer if kind == "int" else _real for name, kind in kinds.items()
    }
    places = {name: header.index(name) for name in kinds}
    try:
        with open_text(path) as stream:
            reader = csv.reader(stream, skipinitialspace=True)
            next(reader)
            for values in reader:
                if not values:
                    continue
                line = reader.line_num
                if len(values) != len(header):
                    raise InputError(
                        f"{path}: line {line}: {len(values)} values where the header names "
                        f"{len(header)} columns; "
                        + ("is the file cut off?" if len(values) < len(header) else "correct it")
                    )
                for name, place in places.items():
                    text = values[place].strip()
                    try:
                        columns[name].append(readers[name](text))
                    except ValueError:
                        kind = "a 64-bit integer" if kinds[name] == "int" else "a number"
                        raise InputError(
                            f"{path}: line {line}: column {name!r} of {what} has {text!r}, "
                            f"expected {kind}"
                        ) from None
    except InputError:
        raise
    except UNREADABLE as error:
        raise InputError(f"{path}: cannot be read ({error}); is the file whole?") from error
    return {
        name: np.array(values, dtype=np.int64 if kinds[name] == "int" else np.float64)
        for name, values in columns.items()
    }


def _integer(text: str) -> int:
    value = int(float(text)) if _INTEGRAL.fullmatch(text) else int(text)
    if not -(2**63) <= value < 2**63:
        raise ValueError(text)
    return value


def _real(text: str) -> float:
    return math.nan if text == "" else float(text)
