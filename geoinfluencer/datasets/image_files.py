"""Image files -> arrays, upright."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from geoinfluencer.errors import InputError
from geoinfluencer.files.atomic import atomic_path
from geoinfluencer.files.deep_images import low_byte_tiles
from geoinfluencer.files.images import IMAGE_SUFFIXES

_ORIENTATION = 0x0112  # of EXIF; 5 to 8 are turned by a quarter
_RESULTS = "coco_results.json"  # of predict and eval; beside it lie pictures of theirs
_PICTURES = ("overlays", "plots")
_PAGES = ("TIFF", "GIF", "PNG", "WEBP")  # MPO is left out: its further pictures are of the camera
_SAID: set[str] = set()  # an image is read again for each of its pictures


def find_images(root: str | os.PathLike[str]) -> list[Path]:
    """The image files of a folder and those below it, by name; or the one file that is named.

    Links to folders are followed. Left out are names that begin with a dot, and the folders
    ``overlays`` and ``plots`` beside a ``coco_results.json``, which ``predict`` and ``eval`` wrote.

    Raises:
        InputError: There is none, or a folder cannot be listed.
    """
    root = Path(root)
    if root.is_file():
        return [root]
    if not root.is_dir():
        raise InputError(f"{root}: no such file or folder; give an image or a folder of images")
    found = sorted(_below(root, ()))
    if not found:
        raise InputError(f"{root}: holds no images ({', '.join(sorted(IMAGE_SUFFIXES))})")
    return found


def read_image(path: Path, size: tuple[int, int] | None = None) -> np.ndarray:
    """(H, W) or (H, W, 3 or 4) array of an image: uint8, or float32 in [0, 1] from 16 bits.

    The orientation that EXIF names is applied. Greys of more than 8 bits, and colours of 16, are
    stretched from their least to their largest value, because cameras of 10 to 14 bits seldom fill
    the range. Of several pages the first is read, with a warning.

    Args:
        path: The file.
        size: W and H in the annotations. Where they fit the pixels as they are stored and not the
            upright ones, the annotations were made without regard to EXIF, and so is the reading.

    Raises:
        InputError: The file is missing, is no image, is too large, or has another size.
    """
    _, transpose = _pillow(path)
    with _opened(path) as file:
        _say_what_is_lost(path, file)
        low_bytes = low_byte_tiles(file)
        image = _array(_turned(file, transpose, size))
    if low_bytes is not None:
        with _opened(path) as file:
            file.tile = low_bytes
            low = _array(_turned(file, transpose, size))
        image = _stretched_colours(image.astype(np.uint16) << 8 | low)
    height, width = image.shape[:2]
    if size is not None and (width, height) != size:
        raise InputError(
            f"{path}: the image is {width} x {height}, its annotations are for {size[0]} x "
            f"{size[1]}; take the image that was annotated"
        )
    return image


def image_sizes(path: Path) -> tuple[tuple[int, int], tuple[int, int]]:
    """Width and height of an image as it is stored, and upright; of TIFF both are upright. Of most
    formats only the header is read; PNG is decoded, since what turns it may stand behind the
    pixels.

    Raises:
        InputError: The file is missing or no image.
    """
    with _opened(path) as file:
        stored, turned = file.size, file.getexif().get(_ORIENTATION, 1) in (5, 6, 7, 8)
        turned = turned and file.format != "TIFF"  # Pillow turns these itself
    return stored, stored[::-1] if turned else stored


def write_image(path: Path, pixels: np.ndarray) -> None:
    """Write (H, W) or (H, W, 3) integers as PNG, at once or not at all.

    Raises:
        InputError: Pillow is missing.
    """
    image_module, _ = _pillow(path)
    with atomic_path(path) as temporary:
        image_module.fromarray(pixels).save(temporary)


def _below(folder: Path, above: tuple[Path, ...]) -> Iterator[Path]:
    """The images of a folder and those below it; ``above`` are the folders that it lies in, to
    which a link may lead back."""
    place = folder.resolve()
    if place in above:
        return
    try:
        entries = [each for each in folder.iterdir() if not each.name.startswith(".")]
    except OSError as error:
        reason = error.strerror or error
        raise InputError(f"{folder}: cannot be listed ({reason}); make it readable") from error
    ours = _PICTURES if (folder / _RESULTS).is_file() else ()
    for entry in entries:
        if entry.is_dir():
            if entry.name not in ours:
                yield from _below(entry, (*above, place))
        elif entry.suffix.lower() in IMAGE_SUFFIXES and entry.is_file():
            yield entry


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """An image file; what goes wrong while it is open is an InputError."""
    image_module, _ = _pillow(path)
    try:
        # by handle: what Pillow opens by name it may map, and maps TIFF to be turned in wrong rows
        with path.open("rb") as handle:
            with warnings.catch_warnings():  # Pillow's own has no remedy, see _say_what_is_lost
                warnings.simplefilter("ignore", image_module.DecompressionBombWarning)
                file = image_module.open(handle)
            with file:
                yield file
    except FileNotFoundError as error:
        raise InputError(
            f"{path}: no such image; is the folder of images the right one?"
        ) from error
    except image_module.DecompressionBombError as error:
        raise InputError(
            f"{path}: has more than {2 * image_module.MAX_IMAGE_PIXELS / 1e6:.3g} megapixels, the "
            "most that are read; cut it into tiles, or make it smaller"
        ) from error
    except (OSError, ValueError, SyntaxError) as error:
        raise InputError(
            f"{path}: cannot be read as an image ({error}); save it again as PNG or JPEG of 8 bits "
            "per channel, or take it out"
        ) from error


def _say_what_is_lost(path: Path, file: Any) -> None:
    """Warn, once for each file, of further pages and of a size that takes much memory."""
    image_module, _ = _pillow(path)
    pages, pixels = getattr(file, "n_frames", 1), file.width * file.height
    said = []
    if pages > 1 and file.format in _PAGES:
        said.append(
            f"has {pages} pages, of which the first is read; save those you need as files of their "
            "own"
        )
    if image_module.MAX_IMAGE_PIXELS is not None and pixels > image_module.MAX_IMAGE_PIXELS:
        said.append(
            f"has {pixels / 1e6:.3g} megapixels, which take much memory; where it does not "
            "suffice cut the image into tiles, or make it smaller"
        )
    for text in said:
        if f"{path}: {text}" not in _SAID:
            _SAID.add(f"{path}: {text}")
            warnings.warn(f"{path}: {text}", stacklevel=3)


def _turned(file: Any, transpose: Callable[[Any], Any], size: tuple[int, int] | None) -> Any:
    """The image upright, or as it is stored where ``size`` says so."""
    file.load()
    upright = transpose(file)
    return file if size is not None and upright.size != size and file.size == size else upright


def _stretched_colours(pixels: np.ndarray) -> np.ndarray:
    """(H, W, 3 or 4) float32 in [0, 1] of uint16; alpha is a share already."""
    stretched = pixels.astype(np.float32) / np.float32(65535)
    colours = stretched[..., :3]
    low, high = float(colours.min()), float(colours.max())
    stretched[..., :3] = (colours - low) / max(high - low, 1e-12)
    return stretched


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
