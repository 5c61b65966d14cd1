"""Image files -> arrays, upright."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from geoinfluencer.errors import InputError
from geoinfluencer.files.atomic import atomic_path
from geoinfluencer.files.images import IMAGE_SUFFIXES

_ORIENTATION = 0x0112  # of EXIF; 5 to 8 are turned by a quarter


def find_images(root: str | os.PathLike[str]) -> list[Path]:
    """The image files of a folder and those below it, by name; or the one file that is named.

    Raises:
        InputError: There is none.
    """
    root = Path(root)
    if root.is_file():
        return [root]
    if not root.is_dir():
        raise InputError(f"{root}: no such file or folder; give an image or a folder of images")
    found = sorted(p for p in root.rglob("*") if p.suffix.lower() in IMAGE_SUFFIXES and p.is_file())
    if not found:
        raise InputError(f"{root}: holds no images ({', '.join(sorted(IMAGE_SUFFIXES))})")
    return found


def read_image(path: Path, size: tuple[int, int] | None = None) -> np.ndarray:
    """(H, W) or (H, W, 3 or 4) array of an image: uint8, or float32 in [0, 1] from 16 bits.

    The orientation that EXIF names is applied. Greys of more than 8 bits are stretched from their
    least to their largest value, because cameras of 10 to 14 bits seldom fill the range.

    Args:
        path: The file.
        size: W and H in the annotations. Where they fit the pixels as they are stored and not the
            upright ones, the annotations were made without regard to EXIF, and so is the reading.

    Raises:
        InputError: The file is missing, is no image, or has another size.
    """
    image_module, transpose = _pillow(path)
    try:
        with image_module.open(path) as file:
            file.load()
            upright = transpose(file)
            turned_away = size is not None and upright.size != size and file.size == size
            image = _array(file if turned_away else upright)
    except FileNotFoundError as error:
        raise InputError(
            f"{path}: no such image; is the folder of images the right one?"
        ) from error
    except (OSError, ValueError, SyntaxError, image_module.DecompressionBombError) as error:
        raise InputError(f"{path}: cannot be read as an image ({error})") from error
    height, width = image.shape[:2]
    if size is not None and (width, height) != size:
        raise InputError(
            f"{path}: the image is {width} x {height}, its annotations are for {size[0]} x "
            f"{size[1]}; take the image that was annotated"
        )
    return image


def image_sizes(path: Path) -> tuple[tuple[int, int], tuple[int, int]]:
    """Width and height of an image as it is stored, and upright; its pixels are not read.

    Raises:
        InputError: The file is missing or no image.
    """
    image_module, _ = _pillow(path)
    try:
        with image_module.open(path) as file:
            stored, turned = file.size, file.getexif().get(_ORIENTATION, 1) in (5, 6, 7, 8)
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such image") from error
    except (OSError, ValueError, SyntaxError, image_module.DecompressionBombError) as error:
        raise InputError(f"{path}: cannot be read as an image ({error})") from error
    return stored, stored[::-1] if turned else stored


def write_image(path: Path, pixels: np.ndarray) -> None:
    """Write (H, W) or (H, W, 3) integers as PNG, at once or not at all.

    Raises:
        InputError: Pillow is missing.
    """
    image_module, _ = _pillow(path)
    with atomic_path(path) as temporary:
        image_module.fromarray(pixels).save(temporary)


def _array(image: Any) -> np.ndarray:
    if image.mode.startswith("I") or image.mode == "F":
        grey = np.asarray(image).astype(np.float64)
        if not np.isfinite(grey).all():
            raise ValueError(f"{(~np.isfinite(grey)).sum()} of its pixels are NaN or infinite")
        low, high = float(grey.min()), float(grey.max())
        return ((grey - low) / max(high - low, 1e-12)).astype(np.float32)
    if image.mode == "1":
        image = image.convert("L")
    elif image.mode in ("P", "PA", "LA", "La", "RGBa"):
        image = image.convert("RGBA")
    elif image.mode not in ("L", "RGB", "RGBA"):
        image = image.convert("RGB")
    return np.asarray(image)


def _pillow(path: Path) -> tuple[Any, Callable[[Any], Any]]:
    try:
        from PIL import Image, ImageOps
    except ImportError as error:
        raise InputError(
            f"{path}: images are read by Pillow, which is not installed: "
            "pip install 'geoinfluencer[images]'"
        ) from error
    return Image, ImageOps.exif_transpose
