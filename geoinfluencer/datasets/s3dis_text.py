"""Text files of S3DIS, ``x y z r g b`` in every line, with the known faults of the original."""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import numpy as np
import pandas as pd

from geoinfluencer.errors import InputError

_PLAIN = b"0123456789.-+eE \t\r\n"
_SPACE = b" \t\r\n"
_REMEDY = "unpack the file again from the archive, or correct the line"


def read_point_files(paths: Sequence[Path]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Read the points of several files, one after the other.

    In the published files some bytes have lost the bit 0x20: a space became NUL, a digit a control
    character. Such a byte gets its bit back, with a warning that names the file and the line.

    Args:
        paths: Files of lines ``x y z r g b``, metres and 0 to 255.

    Shapes:
        ``pos`` (P, 3) float32, ``color`` (P, 3) uint8, and the number of points of each file.

    Raises:
        InputError: Anything else that cannot be read; names the file and the line.
    """
    texts = [_text(path) for path in paths]
    counts = np.array([text.count(b"\n") for text in texts])
    table = _parsed(b"".join(texts))
    if table is None or len(table) != counts.sum():
        texts = [_spaced(path, text) for path, text in zip(paths, texts, strict=True)]
        counts = np.array([text.count(b"\n") for text in texts])
        table = _parsed(b"".join(texts))
    if table is None:  # line by line all was well
        raise InputError(f"{paths[0].parent}: cannot be parsed; {_REMEDY}")
    pos = np.stack([table[i].to_numpy(np.float32) for i in range(3)], axis=1)
    color = np.stack([table[i].to_numpy() for i in range(3, 6)], axis=1)
    in_range = color.dtype == np.uint8 or (color.min() >= 0 and color.max() <= 255)
    if not (in_range and np.isfinite(pos).all()):
        good = np.isfinite(pos).all(1) & ((color >= 0) & (color <= 255)).all(1)
        row = int(np.argmin(good))
        file = int(np.searchsorted(counts.cumsum(), row, side="right"))
        line = row - int(counts[:file].sum()) + 1
        shown = " ".join(f"{v:g}" for v in (*pos[row], *color[row]))
        _stop(paths[file], line, f"'{shown}' is not finite metres and colours of 0 to 255")
    if color.dtype != np.uint8:
        color = np.rint(color).astype(np.uint8)
    return pos, color, counts


def _text(path: Path) -> bytes:
    """The file with its damaged bytes repaired, ending in a newline."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); {_REMEDY}") from error
    if not text.strip():
        raise InputError(f"{path}: is empty; {_REMEDY}")
    if text.translate(None, _PLAIN):
        text = _repaired(path, text)
    return text if text.endswith(b"\n") else text + b"\n"


def _repaired(path: Path, text: bytes) -> bytes:
    lines = text.split(b"\n")
    for row, line in enumerate(lines):
        if not line.translate(None, _PLAIN):
            continue
        fixed = bytes(b | 0x20 if b < 32 and b not in _SPACE else b for b in line)
        if _problem(fixed):
            _stop(path, row + 1, f"{_shown(line)} is not x y z r g b")
        warnings.warn(
            f"{path}: line {row + 1}: {_shown(line)} has a damaged byte; read as {_shown(fixed)}",
            stacklevel=4,
        )
        lines[row] = fixed
    return b"\n".join(lines)


def _parsed(text: bytes) -> pd.DataFrame | None:
    """The six columns, or None where the text is not six numbers with single spaces throughout."""
    whole_colors = text[: text.index(b"\n")].count(b".") <= 3  # else "103.000000"
    color = "u1" if whole_colors else "f4"
    kinds = {i: "f4" if i < 3 else color for i in range(6)}
    for kind in (kinds, dict.fromkeys(range(6), "f4")):
        try:
            with np.errstate(over="ignore"):  # infinite values are found below
                table = pd.read_csv(
                    io.BytesIO(text), sep=" ", header=None, engine="c", dtype=kind,
                    na_filter=False, quoting=3, skip_blank_lines=False,
                )  # fmt: skip
        except (ValueError, OverflowError):  # pandas' own ParserError is one
            continue
        if table.shape[1] == 6:
            return table
    return None


def _spaced(path: Path, text: bytes) -> bytes:
    """The text with single spaces; slow, line by line, to say which one cannot be read."""
    lines = text.rstrip().split(b"\n")
    for row, line in enumerate(lines):
        problem = _problem(line)
        if problem:
            _stop(path, row + 1, problem)
    return b"".join(b" ".join(line.split()) + b"\n" for line in lines)


def _problem(line: bytes) -> str:
    """What is wrong with a line; empty: nothing."""
    fields = line.split()
    if len(fields) != 6:
        return f"{_shown(line)} has {len(fields)} values where x y z r g b are 6"
    try:
        finite = not line.translate(None, _PLAIN) and all(math.isfinite(float(f)) for f in fields)
    except ValueError:
        finite = False
    return "" if finite else f"{_shown(line)} is not six numbers"


def _shown(line: bytes) -> str:
    return repr(line.strip().decode("latin-1"))[:80]


def _stop(path: Path, line: int, problem: str) -> NoReturn:
    raise InputError(f"{path}: line {line}: {problem}; {_REMEDY}")
