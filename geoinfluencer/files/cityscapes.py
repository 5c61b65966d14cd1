"""Files of Cityscapes: what the numbers in ``*_gtFine_instanceIds.png`` stand for."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from geoinfluencer.errors import InputError

# Label ids of the classes that have instances and are scored.
CITYSCAPES_THINGS = {
    24: "person", 25: "rider", 26: "car", 27: "truck", 28: "bus", 31: "train", 32: "motorcycle",
    33: "bicycle",
}  # fmt: skip
# Label ids of what nobody is scored on, caravans (29) and trailers (30) among them.
CITYSCAPES_VOID = (0, 1, 2, 3, 4, 5, 6, 9, 10, 14, 15, 16, 18, 29, 30)
INSTANCES = "_gtFine_instanceIds"


def instance_files(place: Path) -> list[Path]:
    """The files of true instances in a folder, at any depth, by city and name; or the one named.

    Raises:
        InputError: There is none.
    """
    if place.is_file():
        return [place]
    found = sorted(place.rglob(f"*{INSTANCES}.png")) if place.is_dir() else []
    if not found:
        raise InputError(
            f"{place}: no file *{INSTANCES}.png in it; name gtFine/val or the like, as unpacked "
            "from gtFine_trainvaltest.zip"
        )
    return found


def frame_name(path: Path) -> str:
    """``CITY_SEQUENCE_FRAME`` of a file of true instances or of an image."""
    for end in (INSTANCES, "_leftImg8bit"):
        if path.stem.endswith(end):
            return path.stem.removesuffix(end)
    return path.stem


def read_instance_ids(path: Path) -> np.ndarray:
    """(H, W) int32 numbers: class * 1000 + n of an object, the bare class of all else.

    Raises:
        InputError: The file cannot be read, Pillow is missing, or it holds no numbers.
    """
    try:
        from PIL import Image
    except ImportError as error:
        raise InputError(
            f"{path}: images are read by Pillow, which is not installed: "
            "pip install 'geoinfluencer[images]'"
        ) from error
    try:
        with Image.open(path) as file:
            numbers = np.asarray(file)
    except (OSError, ValueError, SyntaxError) as error:
        raise InputError(f"{path}: cannot be read as an image ({error})") from error
    if numbers.ndim != 2 or numbers.dtype.kind not in "iub":
        raise InputError(
            f"{path}: holds {numbers.dtype} of shape {numbers.shape}, expected one whole number "
            "per pixel; give the file *_instanceIds.png, not the one of colours"
        )
    return numbers.astype(np.int32)
