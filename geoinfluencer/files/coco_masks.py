"""Masks as COCO JSON holds them: polygons, or run-length codes; checked, and encoded."""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np

from geoinfluencer.errors import InputError
from geoinfluencer.files.run_lengths import run_lengths, runs_of_labels


def masks_available() -> bool:
    """Whether pycocotools is installed, without which there are no run lengths of masks."""
    return importlib.util.find_spec("pycocotools") is not None


def mask_module(source: object) -> Any:
    """``pycocotools.mask``.

    Raises:
        InputError: It is not installed; names the extra, and ``source``, which needs it.
    """
    try:
        from pycocotools import mask
    except ImportError as error:
        raise InputError(
            f"{source}: masks need pycocotools, which is not installed: "
            "pip install 'geoinfluencer[images]'"
        ) from error
    return mask


def _finite(value: Any) -> bool:
    return isinstance(value, int | float) and abs(value) < 1e9  # an integer may have any length


def check_segmentation(what: str, code: Any, image: int, height: int, width: int) -> None:
    """Raise InputError unless ``code`` is a mask of an image of that size.

    Args:
        what: The file and the entry, for the message.
        code: Polygons ``[[x, y, ...], ...]``, or ``size`` and ``counts``: a list of run lengths,
            or their compressed form as str or bytes.
        image: Id of the image, for the message.
        height: Of the image, pixels.
        width: Of the image, pixels.
    """
    if isinstance(code, list):
        for polygon in code:
            if not isinstance(polygon, list) or len(polygon) < 6 or len(polygon) % 2:
                raise InputError(
                    f"{what}: a polygon must be a list of at least three x, y; got {polygon!r:.60}"
                )
            if not all(_finite(v) for v in polygon):
                raise InputError(f"{what}: a polygon holds what is no number: {polygon!r:.60}")
        return
    if not isinstance(code, dict) or not isinstance(code.get("counts"), str | bytes | list):
        raise InputError(
            f"{what}: segmentation must be polygons or size and counts, got {code!r:.60}"
        )
    if code.get("size") not in ([height, width], (height, width)):
        raise InputError(
            f"{what}: its run lengths have size {code.get('size')}, image {image} has "
            f"[{height}, {width}] (height, width)"
        )
    counts, pixels = code["counts"], height * width
    if isinstance(counts, list):
        good = all(isinstance(v, int) and v >= 0 for v in counts) and sum(counts) == pixels
    else:
        try:
            runs = run_lengths(_bytes(counts))
        except ValueError as error:
            raise InputError(f"{what}: {error}; write it with pycocotools.mask.encode") from error
        good = bool((runs >= 0).all()) and int(runs.sum()) == pixels
    if not good:
        raise InputError(f"{what}: run lengths must be integers that sum to {pixels}")


def encoded(code: Any, height: int, width: int) -> dict[str, Any]:
    """A checked mask as compressed run lengths with ``counts`` in bytes; ``code`` stays as it is.

    Raises:
        InputError: pycocotools is missing.
    """
    mask = mask_module("segmentation")
    found: dict[str, Any]
    if isinstance(code, list):
        found = mask.merge(mask.frPyObjects(code, height, width))
    elif isinstance(code["counts"], list):
        found = mask.frPyObjects(code, height, width)
    else:
        found = {"size": [height, width], "counts": _bytes(code["counts"])}
    return found


def encoded_labels(labels: np.ndarray, count: int) -> list[dict[str, Any]]:
    """The masks ``labels == 0 ... count - 1`` of an (H, W) array as compressed run lengths, with
    ``counts`` as str, which JSON takes.

    Raises:
        InputError: pycocotools is missing.
    """
    size = list(labels.shape)
    runs = [{"size": size, "counts": each.tolist()} for each in runs_of_labels(labels, count)]
    codes = mask_module("COCO results").frPyObjects(runs, *size) if runs else []
    return [{"size": size, "counts": code["counts"].decode("ascii")} for code in codes]


def _bytes(counts: str | bytes) -> bytes:
    return counts.encode("utf-8") if isinstance(counts, str) else counts
