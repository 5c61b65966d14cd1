"""Any image set with COCO-JSON annotations as a PyG dataset of segment graphs."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from geoinfluencer.datasets.coco_json import CocoImage, read_coco_json
from geoinfluencer.datasets.image_files import find_images, read_image
from geoinfluencer.datasets.image_folders import check_images_exist
from geoinfluencer.datasets.image_sample import PixelTruth, pixel_truth
from geoinfluencer.datasets.image_set import ImageSet, check_parts, part_of_training
from geoinfluencer.errors import InputError

Split = Literal["train", "calib", "val", "test", "all"]


class Coco(ImageSet):
    """Images with COCO-JSON annotations; nodes are segments, instances are objects.

    ``pos`` is in **pixels**. Only the annotation file of the asked split is opened. An image
    without annotations is a sample of background. Crowd regions are ignored, not missed.

    Args:
        root: Folder that the other paths start from. For ``"all"``: an image file, or a folder
            whose images, at any depth, are read without truth.
        split: ``"train"``, ``"calib"`` (a part of the training images, which ``"train"`` lacks),
            ``"val"``, ``"test"`` or ``"all"``.
        train_images: Folder of the training images; looked for in the folder ``images`` too, as
            all three.
        train_annotations: Their JSON file.
        val_images: Folder of the validation images.
        val_annotations: Their JSON file.
        test_images: Folder of the test images; None = there are none.
        test_annotations: Their JSON file.
        calib_share: Share of the training images that calibrate and are not trained on.
        seed: Which those are.
        max_images: At most so many images of a split, the first; None = all. ``"all"`` is always
            all.
        all_images: Train, calib, val and test are all the training images, to see whether a model
            can learn them at all: no score of such a run says anything about other images.
        class_agnostic: Leave the classes out.
        mirror: Mirror training samples with probability 1/2.
        turn: Turn training samples by a random multiple of 90 degrees.
        keep: Number of built samples kept in memory, about 0.3 MB for 1000 segments (and 4 bytes
            per pixel outside ``train``).
        pixels: Keep the pixels too, for a model with a stem; 11 bytes per pixel.
        graph: Options of :class:`~geoinfluencer.graphs.images.ImageGraph`.

    Raises:
        InputError: On options that make no sense, and on files that are missing or wrong.
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        split: Split = "train",
        *,
        train_images: str = "train2017",
        train_annotations: str = "annotations/instances_train2017.json",
        val_images: str = "val2017",
        val_annotations: str = "annotations/instances_val2017.json",
        test_images: str | None = None,
        test_annotations: str | None = None,
        calib_share: float = 0.1,
        seed: int = 0,
        max_images: int | None = None,
        all_images: bool = False,
        class_agnostic: bool = False,
        mirror: bool = True,
        turn: bool = False,
        keep: int = 1000,
        pixels: bool = False,
        graph: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(split, mirror=mirror, turn=turn, keep=keep, pixels=pixels, graph=graph)
        check_parts(calib_share, max_images)
        self.root = str(root)
        self.has_truth = split != "all"
        self.annotation_file: Path | None = None
        self._files: Sequence[tuple[Path, CocoImage | None]]
        if split == "all":
            self._files = [(path, None) for path in find_images(root)]
        else:
            folder, annotations = {
                "val": (val_images, val_annotations),
                "test": (test_images, test_annotations),
            }.get("train" if all_images else split, (train_images, train_annotations))
            if folder is None or annotations is None:
                raise InputError(f"split {split!r} needs {split}_images and {split}_annotations")
            self.annotation_file = Path(root) / annotations
            content = read_coco_json(self.annotation_file)
            self.category_ids = content.category_ids
            images: Sequence[CocoImage] = content.images
            if not all_images:
                images = part_of_training(images, split, calib_share, seed, str(content.path))
            place = _image_folder(Path(root), folder)
            files = [(place / image.file_name, image) for image in images]
            self._files = files[:max_images]
            check_images_exist([path for path, _ in self._files], self.annotation_file)
            if not class_agnostic:
                self.class_names = content.class_names

    def len(self) -> int:
        """Number of images."""
        return len(self._files)

    def image(self, idx: int) -> np.ndarray:
        """Pixels of image ``idx``, upright: (H, W) or (H, W, 3 or 4)."""
        path, entry = self._files[idx]
        return read_image(path, None if entry is None else (entry.width, entry.height))

    def truth(self, idx: int) -> PixelTruth | None:
        """Objects and crowds of image ``idx``; None: it has no annotations."""
        _, entry = self._files[idx]
        if entry is None:
            return None
        assert self.annotation_file is not None
        return pixel_truth(self.annotation_file, entry)

    def image_name(self, idx: int) -> str:
        """Its file without folder and ending."""
        return self._files[idx][0].stem

    def image_id(self, idx: int) -> int | None:
        """Its id in the annotation file."""
        entry = self._files[idx][1]
        return None if entry is None else entry.id

    def __repr__(self) -> str:
        return f"{type(self).__name__}({Path(self.root).name!r}, {self.split!r}, {len(self)})"


def _image_folder(root: Path, name: str) -> Path:
    """``root/name``; where only ``root/images/name`` is there, that."""
    direct, under = root / name, root / "images" / name
    return under if under.is_dir() and not direct.is_dir() else direct
