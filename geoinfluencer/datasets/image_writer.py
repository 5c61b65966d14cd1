"""Sets of images as COCO JSON: what :class:`~geoinfluencer.datasets.coco.Coco` reads."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from geoinfluencer.datasets.image_files import write_image
from geoinfluencer.files.atomic import atomic_path
from geoinfluencer.files.coco_masks import encoded_labels, mask_module


def coco_content(
    images: Iterable[tuple[int, str, np.ndarray, Sequence[int], Sequence[bool]]],
    categories: Sequence[tuple[int, str]],
) -> dict[str, Any]:
    """The content of an annotation file.

    Args:
        images: Of each image its id, its file name, (H, W) the object of each pixel (0..K-1, other
            integers: none), and of the K objects the category id and whether it is a crowd.
        categories: Id and name of each.

    Raises:
        InputError: pycocotools is missing.
    """
    mask = mask_module("COCO annotations")
    entries: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for number, name, labels, kinds, crowd in images:
        height, width = labels.shape
        entries.append({"id": number, "file_name": name, "height": height, "width": width})
        for k, code in enumerate(encoded_labels(labels, len(kinds))):
            area = int(mask.area(code))
            if area:
                annotations.append(
                    {
                        "id": len(annotations) + 1,
                        "image_id": number,
                        "category_id": int(kinds[k]),
                        "segmentation": code,
                        "area": area,
                        "bbox": mask.toBbox(code).tolist(),
                        "iscrowd": int(crowd[k]),
                    }
                )
    named = [{"id": number, "name": name} for number, name in categories]
    return {"images": entries, "annotations": annotations, "categories": named}


def write_coco_set(
    folder: str | os.PathLike[str],
    split: str,
    content: dict[str, Any],
    images: Iterable[tuple[str, np.ndarray]],
) -> Path:
    """Write ``SPLIT.json`` and the images, by their file names, below ``SPLIT/``.

    Returns:
        The annotation file.
    """
    for name, pixels in images:
        write_image(Path(folder) / split / name, pixels)
    path = Path(folder) / f"{split}.json"
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(content), encoding="utf-8")
    return path
