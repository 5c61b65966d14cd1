"""Image files to predict: read once before anything is computed, and their ids in annotations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from geoinfluencer.datasets.cityscapes import Cityscapes
from geoinfluencer.datasets.coco import Coco
from geoinfluencer.datasets.image_files import find_images, read_image
from geoinfluencer.datasets.lines import Lines
from geoinfluencer.errors import InputError
from geoinfluencer.files.coco_images import ImageList
from geoinfluencer.training.fitting.progress import Progress


@dataclass(frozen=True)
class ImageInput:
    """An image file, and its name below its INPUT, folders included."""

    file: Path
    name: str


def image_inputs(path: Path, cls: type) -> list[ImageInput]:
    """The image files of an INPUT, in the order of the samples that a dataset class makes of them;
    empty: it makes them of something else."""
    reader = getattr(cls, "file_reader", None) or cls
    if not issubclass(reader, (Coco, Cityscapes, Lines)):
        return []
    root = path.parent if path.is_file() else path
    return [ImageInput(file, file.relative_to(root).as_posix()) for file in find_images(path)]


def check_images(
    paths: Sequence[Path], cls: type, annotations: Path | None = None, *, quiet: bool = True
) -> dict[Path, int]:
    """Read every image, so that a bad one among many is known before work is done.

    Args:
        paths: The INPUTs.
        cls: Dataset class that reads them; of one that does not read images nothing is checked.
        annotations: COCO JSON that has the ids of the images; None: there is none.
        quiet: No progress.

    Returns:
        The ids of the files, where there are annotations.

    Raises:
        InputError: An image cannot be read, is not annotated, is there twice, or has another size
            than its annotations.
    """
    listed = None if annotations is None else ImageList(annotations)
    images = [each for path in paths for each in image_inputs(path, cls)]
    ids: dict[Path, int] = {}
    if listed is not None and not images:
        raise InputError(
            f"--annotations {annotations}: gives ids to image files, but {cls.__name__} reads none "
            "that are known by name; leave it out"
        )
    if listed is not None:  # names first: they cost nothing
        owner: dict[int, Path] = {}
        for each in images:
            ids[each.file] = number = listed.find(each.name).id
            if number in owner:
                raise InputError(
                    f"{each.file}: is image {number} of {listed.path}, as {owner[number]} is; give "
                    "each image once, in the folders that file_name has"
                )
            owner[number] = each.file
    progress = Progress("reading images", len(images), unit="images", enabled=not quiet)
    for done, each in enumerate(images, 1):
        height, width = read_image(each.file).shape[:2]
        size = None if listed is None else listed.find(each.name).size
        if size is not None and size != (width, height):
            raise InputError(
                f"{each.file}: the image is {width} x {height}, upright, its annotations are for "
                f"{size[0]} x {size[1]}; take the image that was annotated"
            )
        progress.update(done)
    progress.clear()
    return ids
