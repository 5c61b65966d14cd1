"""Text and lines of files, and of CSV files, plain or gzip, without their values."""

from __future__ import annotations

import csv
import gzip
import zlib
from pathlib import Path
from typing import TextIO, cast

import numpy as np

from geoinfluencer.errors import InputError

UNREADABLE: tuple[type[Exception], ...] = (
    OSError,
    EOFError,
    zlib.error,
    UnicodeDecodeError,
    csv.Error,
)


def open_text(path: Path) -> TextIO:
    """Open a ``.csv`` or ``.csv.gz`` file for reading as text."""
    if path.suffix.lower() == ".gz":
        return cast(TextIO, gzip.open(path, "rt", encoding="utf-8-sig", newline=""))
    return open(path, encoding="utf-8-sig", newline="")


def read_bytes(path: Path) -> bytes:
    """Return the whole content of a ``.csv`` or ``.csv.gz`` file."""
    if path.suffix.lower() == ".gz":
        with gzip.open(path, "rb") as stream:
            return stream.read()
    return path.read_bytes()


def read_lines(path: Path) -> list[str]:
    """Return the lines of a small text file, such as a list of names.

    Raises:
        InputError: It cannot be read, or is not UTF-8; names the line.
    """
    try:
        data = path.read_bytes()
        return data.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(f"{path}: line {line}: is not UTF-8; save the file as UTF-8") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error


def plain_rows(data: bytes, columns: int) -> int | None:
    """Return the number of lines below the header if every line has ``columns`` fields, else None.

    Empty lines do not count. None as well where only the :mod:`csv` module can tell: with quotes,
    lone carriage returns, or lines so long that a field may be over its limit.
    """
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n")
    if b'"' in data or b"\r" in data:
        return None
    text = np.frombuffer(data, dtype=np.uint8)
    end = np.flatnonzero(text == ord("\n"))
    if not data.endswith(b"\n"):
        end = np.append(end, len(text))
    length = np.diff(end, prepend=-1) - 1
    commas = np.diff(np.searchsorted(np.flatnonzero(text == ord(",")), end), prepend=0)
    filled = length > 0
    if (commas[filled] != columns - 1).any() or length.max() > csv.field_size_limit():
        return None
    return int(filled.sum()) - 1


def line_of_row(path: Path, row: int) -> int:
    """Return the 1-based line of the file on which data row ``row`` (0-based) stands."""
    with open_text(path) as stream:
        reader = csv.reader(stream)
        next(reader)
        seen = -1
        for values in reader:
            seen += bool(values)
            if seen == row:
                return reader.line_num
    return row + 2
