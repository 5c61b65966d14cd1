"""Generated images of overlapping shapes as a PyG dataset."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np

from geoinfluencer.datasets.coco import Coco
from geoinfluencer.datasets.generated import kept_on_disk, members, stream
from geoinfluencer.datasets.image_sample import PixelTruth, pixel_codes
from geoinfluencer.datasets.image_set import ImageSet
from geoinfluencer.datasets.image_writer import coco_content, write_coco_set
from geoinfluencer.datasets.shape_generator import (
    SHAPES,
    ShapeImage,
    ShapeOptions,
    generate_shapes,
)

_VERSION = 1  # raise when a seed no longer gives the same image


class Shapes(ImageSet):
    """Seeded images of discs, rectangles, triangles, stars and rings that overlap.

    ``pos`` is in **pixels**. Image ``i`` of a split depends on ``seed``, the split, ``i`` and the
    options alone, whatever the order or the number of workers; the splits are disjoint random
    streams. Nothing is stored unless ``root`` is given: then all images are kept there.

    Args:
        root: Folder for generated images; ``None`` = generate at every access.
        split: ``"train"``, ``"calib"``, ``"val"``, ``"test"``, or ``"all"`` = val, then test: the
            unseen images.
        num_images: Number of images of this split; ``None`` = the split's own number below.
        train_images: Number of training images (an epoch).
        calib_images: Number of images for calibration.
        val_images: Number of validation images.
        test_images: Number of test images.
        seed: Seed of all splits.
        height: Of an image, pixels.
        width: Of an image, pixels.
        min_shapes: Fewest shapes of an image.
        max_shapes: Most of them.
        radius_min: Smallest circumscribed radius, in units of the shorter side.
        radius_max: Largest one.
        visible: Share of every shape that the ones above it leave free, at least.
        contrast: Standard deviation of the colours of shapes and ground, 0 to 255.
        texture: Amplitude of stripes, checks and ramps, 0 to 255.
        noise: Standard deviation of the noise of a pixel, 0 to 255.
        class_agnostic: Leave the classes out.
        mirror: Mirror training samples with probability 1/2.
        turn: Turn training samples by a random multiple of 90 degrees.
        keep: Number of built samples kept in memory.
        pixels: Keep the pixels too, for a model with a stem; 11 bytes per pixel.
        graph: Options of :class:`~geoinfluencer.graphs.images.ImageGraph`.

    Raises:
        InputError: On options that make no sense.
    """

    has_truth = True
    file_reader: ClassVar[type[ImageSet]] = Coco  # of images that a model is to predict

    def __init__(
        self,
        root: str | os.PathLike[str] | None = None,
        split: Literal["train", "calib", "val", "test", "all"] = "train",
        *,
        num_images: int | None = None,
        train_images: int = 1000,
        calib_images: int = 20,
        val_images: int = 50,
        test_images: int = 100,
        seed: int = 0,
        height: int = 120,
        width: int = 160,
        min_shapes: int = 3,
        max_shapes: int = 9,
        radius_min: float = 0.08,
        radius_max: float = 0.25,
        visible: float = 0.4,
        contrast: float = 60.0,
        texture: float = 18.0,
        noise: float = 8.0,
        class_agnostic: bool = False,
        mirror: bool = True,
        turn: bool = True,
        keep: int = 1000,
        pixels: bool = False,
        graph: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(split, mirror=mirror, turn=turn, keep=keep, pixels=pixels, graph=graph)
        sizes = dict(train=train_images, calib=calib_images, val=val_images, test=test_images)
        self._images = members(split, sizes, num_images, seed, "images")
        self.root = None if root is None else str(root)
        self.seed = seed
        self.options = ShapeOptions(
            height=height, width=width, min_shapes=min_shapes, max_shapes=max_shapes,
            radius_min=radius_min, radius_max=radius_max, visible=visible, contrast=contrast,
            texture=texture, noise=noise,
        )  # fmt: skip
        self.category_ids = tuple(range(1, len(SHAPES) + 1))
        if not class_agnostic:
            self.class_names = SHAPES

    def len(self) -> int:
        """Number of images."""
        return len(self._images)

    def shapes(self, idx: int) -> ShapeImage:
        """Image ``idx`` with its shapes, without a graph."""
        state = (_VERSION, self.seed, self.options)
        where = (self.root, "shapes", state, self._images[idx])
        return kept_on_disk(*where, ShapeImage, lambda: self._generate(idx))

    def image(self, idx: int) -> np.ndarray:
        """Pixels of image ``idx``: (H, W, 3) uint8."""
        return self.shapes(idx).image

    def truth(self, idx: int) -> PixelTruth:
        """Its shapes."""
        shapes = self.shapes(idx)
        return PixelTruth(pixel_codes(shapes.instance), shapes.category)

    def image_name(self, idx: int) -> str:
        """``shapes-SPLIT-NUMBER``."""
        split, number = self._images[idx]
        return f"shapes-{split}-{number:06d}"

    def image_id(self, idx: int) -> int:
        """Its place in the split, from 1."""
        return idx + 1

    def coco_content(self) -> dict[str, Any]:
        """The truth of the split as COCO JSON has it: what its masks are scored against."""
        return coco_content(self._annotated(), list(zip(self.category_ids, SHAPES, strict=True)))

    def write_coco(self, folder: str | os.PathLike[str]) -> Path:
        """Write the split as a set that :class:`~geoinfluencer.datasets.coco.Coco` reads: the
        images ``SPLIT/NAME.png`` and ``SPLIT.json``, whose path is returned."""
        images = ((f"{self.image_name(i)}.png", self.image(i)) for i in range(self.len()))
        return write_coco_set(folder, self.split, self.coco_content(), images)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.split!r}, {len(self)}, seed={self.seed})"

    def _annotated(self) -> Iterator[tuple[int, str, np.ndarray, list[int], list[bool]]]:
        for i in range(self.len()):
            shapes = self.shapes(i)
            kinds = [self.category_ids[k] for k in shapes.category.tolist()]
            name = f"{self.image_name(i)}.png"
            yield self.image_id(i), name, shapes.instance, kinds, [False] * len(kinds)

    def _generate(self, idx: int) -> ShapeImage:
        return generate_shapes(
            np.random.default_rng(stream(self.seed, self._images[idx])), self.options
        )
