"""Points in lines of text: CSV, TXT, XYZ, PTS, with or without a header, plain or gzip."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np
import pandas as pd

from geoinfluencer.errors import InputError
from geoinfluencer.files.lines import UNREADABLE, read_bytes

_REMEDY = "correct the line, or write the file again"
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?(nan|inf)", re.IGNORECASE)


@dataclass(frozen=True)
class TextLayout:
    """How the lines of a file are to be read.

    Attributes:
        names: Of the columns; ``"1"``, ``"2"`` ... where there is no header.
        separator: One character, or ``r"\\s+"``.
        first_line: Number of lines before the first point.
        has_header: Whether a line names the columns.
    """

    names: tuple[str, ...]
    separator: str
    first_line: int
    has_header: bool

    def fields(self, line: bytes) -> list[str]:
        """The values of one line."""
        text = line.decode("latin-1").strip("\r\n")
        if self.separator == r"\s+":
            return text.split()
        return [value.strip().strip('"') for value in text.split(self.separator)]


def read_point_text(path: Path) -> tuple[TextLayout, dict[str, np.ndarray]]:
    """Read the columns of a file of points: numbers as int64 or float64, what is no number as text.

    A header is a line with a value that is no number, first or behind ``#`` or ``//``. The first
    line of PTS files, the number of points, is skipped.

    Raises:
        InputError: The file cannot be read, or a line has too few or too many values; names it.
    """
    try:
        data = _without_mark(path)
    except UNREADABLE as error:
        raise InputError(f"{path}: cannot be read ({error}); is the file whole?") from error
    if b"\0" in data:
        line = data.count(b"\n", 0, data.index(b"\0")) + 1
        raise InputError(f"{path}: line {line}: holds a NUL byte; {_REMEDY}")
    layout = _layout(path, data)
    try:
        table = pd.read_csv(
            io.BytesIO(data), sep=layout.separator, header=None, skiprows=layout.first_line,
            engine="c", na_filter=False, low_memory=False, encoding="latin-1",
            skipinitialspace=True,
        )  # fmt: skip
    except (ValueError, OverflowError, pd.errors.ParserError) as error:
        _check_widths(path, data, layout)
        raise InputError(f"{path}: cannot be parsed ({error}); {_REMEDY}") from error
    if table.shape[1] != len(layout.names):
        _check_widths(path, data, layout)
    columns = {name: table[i].to_numpy() for i, name in enumerate(layout.names)}
    if any(values.dtype.kind not in "iuf" for values in columns.values()):
        _check_widths(path, data, layout)  # a short line leaves empty text behind
    return layout, columns


def line_of_point(path: Path, layout: TextLayout, row: int) -> int:
    """The 1-based line of point ``row``; empty lines hold none."""
    lines = _without_mark(path).split(b"\n")
    filled = [n for n, line in enumerate(lines, 1) if n > layout.first_line and line.strip()]
    return filled[row]


def first_non_number(values: np.ndarray) -> int:
    """The first row of a column of text that is no number, -1 if all are."""
    for row, value in enumerate(values.tolist()):
        if not _is_number(str(value)):
            return row
    return -1


def _without_mark(path: Path) -> bytes:
    """The file without the mark that some editors put before UTF-8."""
    return read_bytes(path).removeprefix(b"\xef\xbb\xbf")


def _layout(path: Path, data: bytes) -> TextLayout:
    names: list[str] | None = None
    at = 0
    for number, line in enumerate(io.BytesIO(data)):
        text = line.decode("latin-1").strip()
        if not text:
            continue
        comment = text.startswith(("#", "//"))
        plain = text.lstrip("#/ \t")
        separator = _separator(plain)
        values = [v.strip().strip('"') for v in re.split(separator, plain.strip())]
        if comment or not all(map(_is_number, values)):
            if names is not None and not comment:
                break  # the second line that is not one of numbers
            names, at = (values if plain else names), number + 1
            continue
        if len(values) == 1 and names is None and number == 0 and ".pts" in path.name.lower():
            at = number + 1
            continue
        has_header = names is not None and len(names) == len(values)
        found = names if has_header and names else [str(i + 1) for i in range(len(values))]
        twice = {name for name in found if found.count(name) > 1}
        if twice:
            raise InputError(
                f"{path}: line {at}: column {sorted(twice)[0]!r} is there twice; rename one"
            )
        if names is not None and not has_header and at and not _commented(data, at):
            _stop(path, at, f"the header names {len(names)} columns, the points have {len(values)}")
        return TextLayout(tuple(found), separator, at, has_header)
    if names is None:
        raise InputError(f"{path}: is empty; give a file with one point per line")
    _stop(path, at + 1, "no line of numbers follows; one point per line is expected")


def _commented(data: bytes, line: int) -> bool:
    return data.split(b"\n", line)[line - 1].lstrip().startswith((b"#", b"//"))


def _separator(text: str) -> str:
    for mark in (",", ";", "\t"):
        if mark in text:
            return mark
    return r"\s+"


def _is_number(text: str) -> bool:
    return _NUMBER.fullmatch(text.strip()) is not None


def _check_widths(path: Path, data: bytes, layout: TextLayout) -> None:
    """Stops at the first line whose number of values is not that of the first point."""
    width = len(layout.names)
    for number, line in enumerate(data.split(b"\n"), 1):
        if number <= layout.first_line or not line.strip():
            continue
        found = layout.fields(line)
        if len(found) != width or not found[-1]:
            count = sum(1 for value in found if value) if len(found) <= width else len(found)
            shown = repr(line.strip().decode("latin-1"))[:60]
            _stop(path, number, f"{shown} has {count} values where the other lines have {width}")


def _stop(path: Path, line: int, problem: str) -> NoReturn:
    raise InputError(f"{path}: line {line}: {problem}; {_REMEDY}")
