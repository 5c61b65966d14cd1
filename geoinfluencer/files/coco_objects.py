"""Images and objects of COCO annotation files: one set of rules for all who read them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from geoinfluencer.errors import InputError
from geoinfluencer.files.coco_entries import area_of, integer, is_crowd
from geoinfluencer.files.coco_masks import check_segmentation

Size = tuple[int, int]  # height and width


@dataclass(frozen=True)
class CocoObject:
    """An annotation, checked.

    Attributes:
        image_id: Of an image of the file.
        category_id: Of a category of the file.
        crowd: A region of objects that were not told apart.
        area: Pixels, as the file says; None: it does not.
        segmentation: Polygons, or a run-length code.
    """

    image_id: int
    category_id: int
    crowd: bool
    area: float | None
    segmentation: Any


def size_of(what: str, entry: Any) -> Size:
    """Height and width of an image.

    Raises:
        InputError: They are no positive integers, or of more pixels than run lengths can count.
    """
    width, height = (integer(what, entry, key) for key in ("width", "height"))
    if min(width, height) < 1 or width * height >= 2**32:
        raise InputError(
            f"{what} has size {width} x {height}; it needs a positive one, of less than 2^32 pixels"
        )
    return height, width


def object_of(
    what: str, entry: Any, sizes: Mapping[int, Size], categories: Collection[int]
) -> CocoObject:
    """The object of an annotation with a mask.

    A mask without a pixel inside the image is an object all the same, as in COCO's own scores.

    Args:
        what: File and annotation, for the message.
        entry: As in the file.
        sizes: Of the images of the file by their ids.
        categories: Ids of the file.

    Raises:
        InputError: It is wrong; names the remedy.
    """
    image, category = integer(what, entry, "image_id"), integer(what, entry, "category_id")
    if image not in sizes:
        raise InputError(f"{what} is of image {image}, which is not in images; remove it")
    if category not in categories:
        raise InputError(f"{what} has category_id {category}, which is not in categories; add it")
    code = entry.get("segmentation")
    if not code:
        raise InputError(f"{what} has no segmentation; remove it, or give it a mask")
    check_segmentation(what, code, image, *sizes[image])
    return CocoObject(image, category, is_crowd(what, entry), area_of(what, entry), code)
