"""The text files of the ScanNet benchmark: truth, and a submission's lists and masks."""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from geoinfluencer.errors import InputError
from geoinfluencer.metrics.scene_points import FoundMasks, TruthPoints


def read_integers(path: Path) -> np.ndarray:
    """(P,) int64: one whole number per line.

    Raises:
        InputError: A line is something else; names it.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read ({error.strerror}); is the path right?"
        ) from error
    values = _bits(data)
    if values is None:
        values = _parsed(data)
    return _one_by_one(path, data) if values is None else values


def read_codes(path: Path) -> TruthPoints:
    """Truth of a scene: class * 1000 + instance of each point, 0 = none.

    Raises:
        InputError: The file cannot be read.
    """
    codes = read_integers(path)
    if not len(codes):
        raise InputError(f"{path}: is empty; expected one number class * 1000 + instance per point")
    some = codes > 0
    return TruthPoints(np.where(some, codes, -1), np.where(some, codes // 1000, -1), codes)


def read_submission(
    path: Path, count: int, read_mask: Callable[[Path], np.ndarray] = read_integers
) -> FoundMasks:
    """A scene of a submission: lines ``MASK CLASS CONFIDENCE``, MASK a file beside with a number
    per point that is not 0 inside.

    Args:
        path: The list.
        count: Points of the scene.
        read_mask: Reads a mask, (P,) numbers.

    Raises:
        InputError: A line or a mask is wrong; names it.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        raise InputError(
            f"{path}: is not UTF-8 text; expected lines MASK CLASS CONFIDENCE"
        ) from None
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read ({error.strerror}); is the path right?"
        ) from error
    masks: dict[Path, int] = {}
    label, score = [], []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        where = f"{path}: line {number}"
        parts = line.split()
        try:
            name, number_of_class, confidence = parts[0], float(parts[1]), float(parts[2])
            class_id = int(number_of_class)
            if len(parts) != 3 or math.isnan(confidence) or class_id != number_of_class:
                raise ValueError(line)
        except (IndexError, ValueError, OverflowError):
            raise InputError(f"{where}: expected MASK CLASS CONFIDENCE, got {line!r}") from None
        mask = (path.parent / name).resolve()
        if not mask.is_relative_to(path.parent.resolve()):
            raise InputError(f"{where}: {name} lies outside of {path.parent}; put it below")
        if not mask.is_file():
            raise InputError(f"{where}: no file {name} beside it; name an existing mask")
        if mask in masks:
            raise InputError(
                f"{where}: {name} is in line {masks[mask]} too; give every prediction its own mask"
            )
        masks[mask] = number
        label.append(class_id)
        score.append(confidence)
    files = list(masks)

    def points(k: int) -> np.ndarray:
        values = read_mask(files[k])
        if len(values) != count:
            raise InputError(
                f"{files[k]}: {len(values)} lines for the {count} points of the scene's truth; "
                "give a number for every point"
            )
        return np.flatnonzero(values)

    return FoundMasks(points, np.array(label, np.int64), np.array(score, np.float64), count)


def _bits(data: bytes) -> np.ndarray | None:
    """A mask of lines "0" and "1", without a parser; ``None``: it is something else."""
    text = np.frombuffer(data.removesuffix(b"\n") + b"\n", np.uint8)
    if len(text) % 2 or (text[1::2] != ord("\n")).any():
        return None
    digits = text[::2] - np.uint8(ord("0"))
    return None if (digits > 9).any() else digits.astype(np.int64)


def _parsed(data: bytes) -> np.ndarray | None:
    """What the fast parser makes of the lines; ``None``: one of them is no plain number."""
    try:
        frame = pd.read_csv(
            io.BytesIO(data), header=None, dtype=np.int64, skip_blank_lines=False, engine="c"
        )
    except (ValueError, OverflowError, pd.errors.ParserError):
        return None
    return frame[0].to_numpy() if frame.shape[1] == 1 else None


def _one_by_one(path: Path, data: bytes) -> np.ndarray:
    """Only where the fast reader failed: numbers that it does not know, or the line at fault."""
    values = []
    for number, line in enumerate(data.decode("utf-8", "replace").splitlines(), 1):
        try:
            values.append(int(line))
        except ValueError:
            raise InputError(
                f"{path}: line {number}: {line[:40]!r} is not a whole number; one per point"
            ) from None
    return np.array(values, np.int64)
