"""The images of a COCO JSON file, found by the names of their files."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from geoinfluencer.errors import InputError
from geoinfluencer.files.coco_entries import by_id, read_json


@dataclass(frozen=True)
class ListedImage:
    """An image of the file.

    Attributes:
        id: In the annotations.
        size: Width and height in pixels; None: not stated.
    """

    id: int
    size: tuple[int, int] | None


class ImageList:
    """The ``images`` of a COCO JSON file; nothing else of it is looked at.

    Args:
        path: The file.

    Raises:
        InputError: It is missing, has no images, or one of them is wrong; names it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        content = read_json(path, "annotation file")
        entries = content.get("images") if isinstance(content, dict) else None
        if not isinstance(entries, list) or not entries:
            raise InputError(f"{path}: has no images; give COCO JSON with a list 'images'")
        self._images: dict[str, ListedImage] = {}
        for number, entry in by_id(path, "image", entries).items():
            name = entry.get("file_name")
            if not isinstance(name, str) or not name:
                raise InputError(f"{path}: image {number} has file_name {name!r}; give it one")
            width, height = entry.get("width"), entry.get("height")
            stated = isinstance(width, int) and isinstance(height, int)
            image = ListedImage(number, (width, height) if stated else None)
            other = self._images.setdefault(str(PurePosixPath(name)), image)
            if other.id != number:
                raise InputError(
                    f"{path}: images {other.id} and {number} both have file_name {name}; correct "
                    "one"
                )
        self._named = Counter(PurePosixPath(name).name for name in self._images)
        self._of_base = {PurePosixPath(name).name: each for name, each in self._images.items()}

    def find(self, name: str) -> ListedImage:
        """The image of a ``file_name``; without its folders where they differ and only one image
        has that last part.

        Raises:
            InputError: There is none, or several have that last part.
        """
        base = PurePosixPath(name).name
        if name in self._images:
            return self._images[name]
        if self._named[base] == 1:
            return self._of_base[base]
        why = (
            f"{self._named[base]} images are called {base}; give the folder that file_name starts "
            "from as INPUT"
            if self._named[base]
            else "give the annotations of these images, or add it to them"
        )
        raise InputError(f"{self.path}: has no image with file_name {name}; {why}")
