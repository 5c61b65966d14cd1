"""Pixels and their truth, from the datasets whose graphs the other models see."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset, Subset
from torch_geometric.data import Data

from geoinfluencer.datasets.pixel_codes import BACKGROUND, FIRST, IGNORED
from geoinfluencer.datasets.sample_cache import SampleCache, access_rng
from geoinfluencer.errors import InputError
from geoinfluencer.graphs.colour import as_rgb
from geoinfluencer.training.data import attribute

_KEPT = 500  # images between accesses, some 3 MB each, as long as they have less than:
_BYTES = 2**30
_LEAST_SPREAD = 0.02  # of the colours of an image that is nearly of one colour


def to_input(image: np.ndarray) -> Tensor:
    """(3, H, W) float32 of an image of any kind, with mean 0 and standard deviation 1 over all its
    values: training and scoring both see images through here."""
    pixels = as_rgb(image)
    spread = max(float(pixels.std()), _LEAST_SPREAD)
    return torch.from_numpy((pixels - pixels.mean()) / spread).permute(2, 0, 1).contiguous()


class PixelSamples(Dataset[Data]):
    """The images of a dataset as samples of pixels.

    A sample has ``image`` (1, 3, H, W), ``instance`` (1, H, W) int64, -1 = none, and ``ignore``
    (1, H, W) bool: crowds, overlaps of lines, what is outside of the image. Where a graph has
    pixels for nodes, the other pixels are in question nowhere and are ignored too.

    Args:
        samples: a dataset of protocol ``images`` with ``image(idx)`` and ``truth(idx)``, or of
            another one with ``image(idx)`` and nodes that are pixels.
        crop: side of the square, at a random place, that a sample is; None: the whole image.
        mirror: mirror with probability 1/2.
        turn: turn by a random multiple of 90 degrees.

    Raises:
        InputError: a dataset of another kind.
    """

    def __init__(
        self,
        samples: Dataset[Any],
        *,
        crop: int | None = None,
        mirror: bool = False,
        turn: bool = False,
    ) -> None:
        self.samples = samples
        self.given_pixels = has_given_pixels(samples)
        self.crop, self.mirror, self.turn = crop, mirror, turn
        self._kept = SampleCache(_KEPT, _BYTES)

    def __len__(self) -> int:
        return len(self.samples)  # type: ignore[arg-type]

    def __getitem__(self, index: int) -> Data:
        sample = self._kept.get(index, lambda: self._build(index))
        if self.crop is None and not self.mirror and not self.turn:
            return sample
        return self._changed(sample, access_rng())

    def image(self, index: int) -> np.ndarray:
        """The image of a sample as it was read."""
        samples, index = behind(self.samples, index)
        found: np.ndarray = samples.image(index)
        return found

    def codes(self, index: int) -> np.ndarray:
        """(H, W) int32 code of every pixel: 0 background, 1 ignored, 2 + k object k.

        Raises:
            InputError: its truth is not known.
        """
        if not self.given_pixels:
            samples, place = behind(self.samples, index)
            truth = samples.truth(place)
            if truth is None:
                raise InputError(f"sample {index} has no truth; the baseline needs annotations")
            code: np.ndarray = truth.code
            return code
        node = self.samples[index]
        if node.get("instance") is None:
            raise InputError(f"sample {index} has no `instance`; the baseline needs annotations")
        found = np.full(tuple(node.image_size[0].tolist()), IGNORED, np.int32)
        row, column = node_pixels(node)
        owner = torch.where(node.instance >= 0, node.instance + FIRST, BACKGROUND)
        ignore = node.get("ignore")
        if ignore is not None:
            owner = torch.where(ignore, IGNORED, owner)
        found[row, column] = owner.numpy()
        return found

    def _build(self, index: int) -> Data:
        samples, place = behind(self.samples, index)
        together = getattr(samples, "image_and_codes", None)
        if together is None:
            pixels, codes = self.image(index), self.codes(index)
        else:  # of charts: neither drawn twice, nor made a graph of
            pixels, codes = together(place)
        image, code = to_input(pixels), torch.from_numpy(codes)
        if image.shape[1:] != code.shape:
            raise InputError(
                f"sample {index}: its image is {tuple(image.shape[1:])}, its truth "
                f"{tuple(code.shape)}; both must have the same height and width"
            )
        instance = torch.where(code >= FIRST, code.long() - FIRST, -1)
        return _sample(image, instance, code == IGNORED)

    def _changed(self, sample: Data, rng: np.random.Generator) -> Data:
        image, instance, ignore = sample.image[0], sample.instance[0], sample.ignore[0]
        if self.crop is not None:
            rows, columns = (_window(size, self.crop, rng) for size in instance.shape)
            missing = [0, self.crop - len(range(*columns)), 0, self.crop - len(range(*rows))]
            part = (slice(*rows), slice(*columns))
            image, instance, ignore = (
                torch.nn.functional.pad(each[(..., *part)], missing, value=fill)
                for each, fill in ((image, 0), (instance, -1), (ignore, 1))
            )
        maps = [image, instance, ignore]
        for axis in (-1, -2) if self.given_pixels else (-1,):  # charts upside down too
            if self.mirror and rng.random() < 0.5:
                maps = [each.flip(axis) for each in maps]
        if self.turn:
            quarters = int(rng.integers(4))
            maps = [torch.rot90(each, quarters, (-2, -1)) for each in maps]
        return _sample(*(each.contiguous() for each in maps))


def has_given_pixels(samples: object) -> bool:
    """Whether it is known which pixels belong to objects: those that the graph has for nodes.

    Raises:
        InputError: the dataset is not one of images.
    """
    of_segments = attribute(samples, "protocol", "nodes") == "images"
    needed = ("image", "truth") if of_segments else ("image",)
    if not all(attribute(samples, name, None) for name in needed):
        raise InputError(
            f"--dataset: {type(samples).__name__} is no set of images; this baseline is for "
            "those, such as nuclei, coco or synthetic-charts"
        )
    return not of_segments


def behind(samples: Any, index: int) -> tuple[Any, int]:
    """The dataset that a ``Subset`` is a part of, and the place of a sample there."""
    while isinstance(samples, Subset):
        samples, index = samples.dataset, samples.indices[index]
    return samples, index


def node_pixels(node: Data) -> tuple[np.ndarray, np.ndarray]:
    """Row and column (N,) of the nodes of a graph of pixels."""
    column, row = node.pos[:, :2].round().long().numpy().T
    return row, column


def _window(size: int, wanted: int, rng: np.random.Generator) -> tuple[int, int]:
    start = int(rng.integers(max(size - wanted, 0) + 1))
    return start, min(start + wanted, size)


def _sample(image: Tensor, instance: Tensor, ignore: Tensor) -> Data:
    return Data(
        image=image[None], instance=instance[None], ignore=ignore[None].bool(),
        num_nodes=instance.numel(),
    )  # fmt: skip
