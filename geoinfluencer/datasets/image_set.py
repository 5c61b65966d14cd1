"""What all sets of images share: from images and their truth to samples."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, TypeVar

import numpy as np
import torch
from torch_geometric.data import Data, Dataset

from geoinfluencer.datasets.graph_options import build_with_options
from geoinfluencer.datasets.image_sample import PixelTruth, attach_pixels, attach_truth
from geoinfluencer.datasets.sample_cache import SampleCache, access_rng
from geoinfluencer.errors import InputError
from geoinfluencer.graphs.image_augment import augmented_image
from geoinfluencer.graphs.images import ImageGraph

Image = TypeVar("Image")


class ImageSet(Dataset):
    """Images whose nodes are segments and whose instances are objects; ``pos`` is in **pixels**.

    A set says what image ``idx`` is: :meth:`image`, :meth:`truth`, :meth:`image_name`,
    :meth:`image_id` and :meth:`len`.

    Args:
        split: ``"train"``, ``"calib"``, ``"val"``, ``"test"`` or ``"all"``.
        mirror: Mirror training samples with probability 1/2.
        turn: Turn training samples by a random multiple of 90 degrees.
        keep: Number of built samples kept in memory, as long as they have less than 1 GiB together.
        pixels: Keep the pixels of images and what they belong to, which a model with a stem reads:
            ``image`` (H W, 3) uint8, ``pixel_instance`` (H W,) int32, ``segment_map`` of training
            samples too; 11 bytes per pixel.
        graph: Options of :class:`~geoinfluencer.graphs.images.ImageGraph`.

    Raises:
        InputError: On a split or option that there is not.
    """

    protocol: ClassVar[str] = "images"
    primary_metric: ClassVar[str] = "pq"

    def __init__(
        self,
        split: str,
        *,
        mirror: bool,
        turn: bool,
        keep: int,
        graph: dict[str, Any] | None,
        pixels: bool = False,
    ) -> None:
        super().__init__(None)
        if split not in ("train", "calib", "val", "test", "all"):
            raise InputError(f"no split {split!r}; choose train, calib, val, test or all")
        self.split = split
        self._training = split == "train"
        self.class_names: tuple[str, ...] = ()
        self.category_ids: tuple[int, ...] = ()
        self._builder = build_with_options(ImageGraph, graph)
        self._augment = {"mirror": mirror, "turn": turn}
        self._kept = SampleCache(keep, max_bytes=2**30)
        self._pixels = pixels

    @abstractmethod
    def image(self, idx: int) -> np.ndarray:
        """Pixels of image ``idx``, upright: (H, W) or (H, W, 3 or 4)."""

    @abstractmethod
    def truth(self, idx: int) -> PixelTruth | None:
        """What its pixels belong to; None: not known."""

    @abstractmethod
    def image_name(self, idx: int) -> str:
        """Name of the sample."""

    @abstractmethod
    def image_id(self, idx: int) -> int | None:
        """Its id in annotations; None: it has none."""

    def get(self, idx: int) -> Data:
        """Build sample ``idx``; training samples come under another random symmetry each time."""
        sample = self._kept.get(idx, lambda: self._build(idx))
        if not self._training:
            return sample
        return augmented_image(sample, access_rng(), **self._augment)

    def use_for_scoring(self) -> None:
        """From now on training samples too come as they are, not mirrored or turned."""
        self._training = False
        self._kept.clear()  # without what leads back to pixels

    def _build(self, idx: int) -> Data:
        image = self.image(idx)  # before its truth: its size is true, the stated one may be absurd
        truth, number = self.truth(idx), self.image_id(idx)
        if truth is not None and truth.code.shape != image.shape[:2]:
            size, shown = (" x ".join(map(str, s[1::-1])) for s in (truth.code.shape, image.shape))
            raise InputError(
                f"{self.image_name(idx)}: its truth has {size} pixels, its image {shown}; take the "
                "truth of the same images"
            )
        data = attach_truth(
            self._builder(image), truth, classes=bool(self.class_names), pixels=self._pixels
        )
        data.name = self.image_name(idx)
        data.image_number = torch.tensor([idx])
        if number is not None:
            data.image_id = torch.tensor([number])
        if self._pixels:
            attach_pixels(data, image)
        elif self._training:
            del data.segment_map  # nothing in training leads back to pixels
        return data


def check_parts(calib_share: float, max_images: int | None) -> None:
    """Raises InputError unless these say how a set of files is parted."""
    if not 0 < calib_share < 1:
        raise InputError(f"calib_share must be between 0 and 1, got {calib_share}")
    if max_images is not None and max_images < 1:
        raise InputError(f"max_images must be at least 1, got {max_images}")


def part_of_training(
    images: Sequence[Image], split: str, calib_share: float, seed: int, source: str
) -> list[Image]:
    """The images of a split: ``calib`` is a random part of those that ``train`` is the rest of;
    for any other split they are all.

    Args:
        images: Those of the split's folder or file.
        split: Name of the split.
        calib_share: Share that calibrates; one image at least, and one is left.
        seed: Which those are.
        source: What to call their place in an error.

    Raises:
        InputError: There is only one to divide.
    """
    if split not in ("train", "calib"):
        return list(images)
    if len(images) < 2:
        raise InputError(f"{source}: has {len(images)} images; train and calib need one each")
    count = min(max(1, round(calib_share * len(images))), len(images) - 1)
    held = set(np.random.default_rng(seed).permutation(len(images))[:count].tolist())
    return [image for i, image in enumerate(images) if (i in held) == (split == "calib")]
