"""Which images that annotations name are there, asked before any of them is read."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from geoinfluencer.errors import InputError
from geoinfluencer.files.images import IMAGE_SUFFIXES


def check_images_exist(paths: Sequence[Path], annotations: Path) -> None:
    """Raise InputError, which names the first missing image and how many are missing, unless all
    are there.

    Args:
        paths: Of the images.
        annotations: The file that names them, for the message.
    """
    names = {folder: _names(folder) for folder in {path.parent for path in paths}}
    # A folder may take other letters for a name, or may not be listed: what is not in it is asked.
    absent = [path for path in paths if path.name not in names[path.parent]]
    missing = [path for path in absent if not os.path.exists(path)]
    if missing:
        raise InputError(
            f"{missing[0]}: no such image (missing: {len(missing)} of {len(paths)} of "
            f"{annotations}); is the folder of images the right one?"
        )


def images_by_stem(folder: Path) -> dict[str, str]:
    """The image files of a folder by their names without ending.

    Raises:
        InputError: There is no such folder.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder of images; name the one that holds them")
    files = (path for path in sorted(folder.iterdir()) if path.suffix.lower() in IMAGE_SUFFIXES)
    return {path.stem: path.name for path in files}


def _names(folder: Path) -> set[str]:
    try:
        return set(os.listdir(folder))
    except (OSError, ValueError):
        return set()
