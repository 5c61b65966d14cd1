"""Cityscapes: street scenes with finely drawn instances of eight classes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np

from geoinfluencer.datasets.image_files import find_images, read_image
from geoinfluencer.datasets.image_sample import PixelTruth, pixel_codes
from geoinfluencer.datasets.image_set import ImageSet, check_parts, part_of_training
from geoinfluencer.datasets.image_writer import coco_content
from geoinfluencer.errors import InputError
from geoinfluencer.files.cityscapes import (
    CITYSCAPES_THINGS,
    CITYSCAPES_VOID,
    INSTANCES,
    frame_name,
    instance_files,
    read_instance_ids,
)

_IMAGE = "_leftImg8bit"
_UNSCORED = tuple(i for i in CITYSCAPES_VOID if i >= 24)  # instances of these count nowhere


class Cityscapes(ImageSet):
    """Street scenes of 50 cities (`Cordts et al., CVPR 2016 <https://arxiv.org/abs/1604.01685>`_):
    ``leftImg8bit/SPLIT/CITY/*_leftImg8bit.png`` and ``gtFine/SPLIT/CITY/*_gtFine_instanceIds.png``.

    Instances are the persons, riders, cars, trucks, buses, trains, motorcycles and bicycles. Groups
    of them that were not told apart, and void regions, are ignored; all else is background. The
    truth of the official ``test`` is not public: here ``"test"`` is ``"val"``.

    Args:
        root: Folder that holds ``leftImg8bit`` and ``gtFine``. For ``"all"``: an image, or a folder
            whose images, at any depth, are read without truth.
        split: ``"train"``, ``"calib"`` (a part of the training images, which ``"train"`` lacks),
            ``"val"``, ``"test"`` or ``"all"``.
        calib_share: Share of the training images that calibrate and are not trained on.
        seed: Which those are.
        max_images: At most so many images of a split, the first; None = all. ``"all"`` is always
            all.
        class_agnostic: Leave the classes out.
        mirror: Mirror training samples with probability 1/2.
        turn: Turn training samples by a random multiple of 90 degrees.
        keep: Number of built samples kept in memory.
        pixels: Keep the pixels too, for a model with a stem; 11 bytes per pixel.
        graph: Options of :class:`~geoinfluencer.graphs.images.ImageGraph`.

    Raises:
        InputError: On options that make no sense, and on files that are missing or wrong.
    """

    title = "Cityscapes"
    how_to_get = (
        "leftImg8bit_trainvaltest.zip and gtFine_trainvaltest.zip of "
        "https://www.cityscapes-dataset.com/downloads (registration), unpacked there so that it "
        "holds leftImg8bit/ and gtFine/"
    )

    def __init__(
        self,
        root: str | os.PathLike[str],
        split: Literal["train", "calib", "val", "test", "all"] = "train",
        *,
        calib_share: float = 0.05,
        seed: int = 0,
        max_images: int | None = None,
        class_agnostic: bool = False,
        mirror: bool = True,
        turn: bool = False,
        keep: int = 100,
        pixels: bool = False,
        graph: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(split, mirror=mirror, turn=turn, keep=keep, pixels=pixels, graph=graph)
        check_parts(calib_share, max_images)
        self.root = str(root)
        self.has_truth = split != "all"
        self.category_ids = tuple(CITYSCAPES_THINGS)
        self._files: list[tuple[int, Path, Path | None]]
        if split == "all":
            self._files = [(i, path, None) for i, path in enumerate(find_images(root))]
        else:
            files = _frames(Path(root), "train" if split in ("train", "calib") else "val")
            self._files = part_of_training(files, split, calib_share, seed, str(root))[:max_images]
            if not class_agnostic:
                self.class_names = tuple(CITYSCAPES_THINGS.values())

    def len(self) -> int:
        """Number of images."""
        return len(self._files)

    def image(self, idx: int) -> np.ndarray:
        """Pixels of image ``idx``: (H, W, 3) uint8."""
        return read_image(self._files[idx][1])

    def truth(self, idx: int) -> PixelTruth | None:
        """Objects, groups and void of image ``idx``; None: it has no truth."""
        path = self._files[idx][2]
        if path is None:
            return None
        ids = read_instance_ids(path)
        labels, codes = _objects(ids)
        ignored = np.isin(ids, (*CITYSCAPES_VOID, *CITYSCAPES_THINGS))
        ignored |= np.isin(ids // 1000, _UNSCORED)
        kinds = np.array(self.category_ids)
        return PixelTruth(
            pixel_codes(labels, ignored), np.searchsorted(kinds, codes // 1000).astype(np.int64)
        )

    def image_name(self, idx: int) -> str:
        """``CITY_SEQUENCE_FRAME``."""
        return frame_name(self._files[idx][1])

    def image_id(self, idx: int) -> int | None:
        """Its place among the images of its folder, by city and name, from 0."""
        return self._files[idx][0]

    def coco_content(self) -> dict[str, Any]:
        """The truth of the split as COCO JSON has it; groups are crowds. COCO knows no void: masks
        there are false, which the Cityscapes protocol forgives."""
        return coco_content(self._annotated(), list(CITYSCAPES_THINGS.items()))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({Path(self.root).name!r}, {self.split!r}, {len(self)})"

    def _annotated(self) -> Iterator[tuple[int, str, np.ndarray, list[int], list[bool]]]:
        for number, image, path in self._files:
            assert path is not None
            ids = read_instance_ids(path)
            labels, codes = _objects(ids)
            groups = np.intersect1d(ids, self.category_ids)
            for place, group in enumerate(groups.tolist(), len(codes)):
                labels[ids == group] = place
            kinds = [*(codes // 1000).tolist(), *groups.tolist()]
            crowd = [False] * len(codes) + [True] * len(groups)
            yield number, image.name, labels, kinds, crowd


def _objects(ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(H, W) object of each pixel, -1 = none, and (K,) the number of each object."""
    codes, place = np.unique(ids, return_inverse=True)
    scored = (codes >= 1000) & np.isin(codes // 1000, tuple(CITYSCAPES_THINGS))
    number = np.where(scored, np.cumsum(scored) - 1, -1)
    return number[place.reshape(ids.shape)], codes[scored]


def _frames(root: Path, split: str) -> list[tuple[int, Path, Path | None]]:
    """Number, image and truth of each frame of a split."""
    images, truths = root / "leftImg8bit" / split, root / "gtFine" / split
    for folder in (images, truths):
        if not folder.is_dir():
            raise InputError(f"{folder}: no such folder; Cityscapes is {Cityscapes.how_to_get}")
    found: list[tuple[int, Path, Path | None]] = []
    for number, truth in enumerate(instance_files(truths)):
        name = truth.name.removesuffix(f"{INSTANCES}.png") + f"{_IMAGE}.png"
        image = images / truth.relative_to(truths).parent / name
        if not image.is_file():
            raise InputError(f"{image}: no such image, but its truth {truth.name} is there; "
                             "unpack leftImg8bit_trainvaltest.zip again")  # fmt: skip
        found.append((number, image, truth))
    return found
