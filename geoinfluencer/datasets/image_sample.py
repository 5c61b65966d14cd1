"""From an image and its objects to one graph sample: what all image sets share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch_geometric.data import Data

from geoinfluencer.datasets.coco_json import CocoImage, decode_mask
from geoinfluencer.datasets.pixel_codes import BACKGROUND, FIRST, IGNORED
from geoinfluencer.graphs.colour import as_rgb
from geoinfluencer.graphs.majority import segment_majority


@dataclass(frozen=True)
class PixelTruth:
    """What every pixel belongs to.

    Attributes:
        code: (H, W) int32: 0 background, 1 ignored, 2 + k object k.
        category: (K,) int64, class of each object.
    """

    code: np.ndarray
    category: np.ndarray

    def labels(self) -> np.ndarray:
        """(H, W) int32 object of each pixel, 0..K-1; -1 = background, -2 = ignored."""
        return np.where(self.code == IGNORED, -2, np.maximum(self.code - FIRST, -1)).astype(
            np.int32
        )


def pixel_codes(instance: np.ndarray, ignored: np.ndarray | None = None) -> np.ndarray:
    """(H, W) int32 codes of pixels.

    Args:
        instance: (H, W) object of each pixel, 0..K-1; negative: none.
        ignored: (H, W) bool, where those without an object are ignored, not background.
    """
    code = np.where(instance < 0, BACKGROUND, instance.astype(np.int32) + FIRST)
    if ignored is not None:
        code[ignored & (instance < 0)] = IGNORED
    return code.astype(np.int32)


def pixel_truth(path: Path, image: CocoImage) -> PixelTruth:
    """Paint the objects of an image: where masks overlap the one with fewer pixels is on top.

    Crowd regions are ignored where no object is. ``path`` is named in errors.
    """
    code = np.full((image.height, image.width), BACKGROUND, np.int32)
    masks = [decode_mask(path, image, a) for a in image.annotations]
    kept = [k for k, a in enumerate(image.annotations) if not a.crowd]
    for k, annotation in enumerate(image.annotations):
        if annotation.crowd:
            code[masks[k]] = IGNORED
    largest_first = sorted(range(len(kept)), key=lambda n: -int(masks[kept[n]].sum()))
    for number in largest_first:
        code[masks[kept[number]]] = FIRST + number
    category = [image.annotations[k].category for k in kept]
    return PixelTruth(code, np.array(category, np.int64))


def attach_truth(
    data: Data, truth: PixelTruth | None, *, classes: bool, pixels: bool = False
) -> Data:
    """Give the nodes their truth: the object, background or ignored region that most of a node's
    pixels belong to; of equal ones the object comes first, then the ignored region.

    Sets ``instance`` (N,) 0..K-1 or -1, ``ignore``, ``weight`` (1) and, with ``classes``, ``y``
    (N,), -1 for background. An object that is the majority nowhere has no node: scores on nodes
    do not miss it. Without truth every node has instance -1 and is ignored.

    With ``pixels`` also ``pixel_instance`` (H W,) int32: the objects that nodes have by their
    numbers, the others by further ones, -1 background, -2 ignored; absent without truth.
    """
    count = int(data.num_nodes)
    data.weight = torch.ones(count)
    if truth is None:
        data.instance = torch.full((count,), -1)
        data.ignore = torch.ones(count, dtype=torch.bool)
        if classes:
            data.y = torch.full((count,), -1)
        return data
    # of equal ones the largest code
    owner = -segment_majority(data.segment_map.numpy(), -truth.code.reshape(-1), count)
    signal = owner >= FIRST
    present, number = np.unique(owner[signal], return_inverse=True)
    instance = np.full(count, -1, np.int64)
    instance[signal] = number
    data.instance = torch.from_numpy(instance)
    data.ignore = torch.from_numpy(owner == IGNORED)
    if pixels:
        data.pixel_instance = torch.from_numpy(_numbered(truth.code.reshape(-1), present))
    if classes:
        y = np.full(count, -1, np.int64)
        y[signal] = truth.category[present - FIRST][number]
        data.y = torch.from_numpy(y)
    return data


def attach_pixels(data: Data, image: np.ndarray) -> Data:
    """Give the sample its pixels: ``image`` (H W, 3) uint8, row by row.

    Levels of uint8 stay as they are; others are stretched over the 256 there are, since what reads
    them takes levels relative to those of the image.

    Args:
        data: The sample.
        image: (H, W) grey, (H, W, 3) RGB or (H, W, 4) RGBA, as
            :func:`~geoinfluencer.graphs.images.image_to_graph` takes it.
    """
    rgb = as_rgb(image)
    if image.dtype != np.uint8:
        low, high = float(rgb.min()), float(rgb.max())
        rgb = (rgb - low) / (high - low if high > low else 1.0)
    data.image = torch.from_numpy(np.rint(rgb * 255).astype(np.uint8).reshape(-1, 3))
    return data


def _numbered(code: np.ndarray, present: np.ndarray) -> np.ndarray:
    """int32 instances of pixel codes, those of ``present`` (ascending codes of objects) first."""
    absent = np.setdiff1d(np.unique(code[code >= FIRST]), present)
    number = np.empty(int(code.max(initial=0)) + 2, np.int32)
    number[BACKGROUND], number[IGNORED] = -1, -2
    number[present] = np.arange(len(present))
    number[absent] = len(present) + np.arange(len(absent))
    return number[code]
