"""From an image and its objects to one graph sample: what all image sets share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch_geometric.data import Data

from geoinfluencer.datasets.coco_json import CocoImage, decode_mask
from geoinfluencer.graphs.majority import segment_majority

_BACKGROUND, _IGNORED, _FIRST = 0, 1, 2  # codes of pixels; instance k is _FIRST + k


@dataclass(frozen=True)
class PixelTruth:
    """What every pixel belongs to.

    Attributes:
        code: (H, W) int32: 0 background, 1 ignored, 2 + k object k.
        category: (K,) int64, class of each object.
    """

    code: np.ndarray
    category: np.ndarray


def pixel_truth(path: Path, image: CocoImage) -> PixelTruth:
    """Paint the objects of an image: where masks overlap the one with fewer pixels is on top.

    Crowd regions are ignored where no object is. ``path`` is named in errors.
    """
    code = np.full((image.height, image.width), _BACKGROUND, np.int32)
    masks = [decode_mask(path, image, a) for a in image.annotations]
    kept = [k for k, a in enumerate(image.annotations) if not a.crowd]
    for k, annotation in enumerate(image.annotations):
        if annotation.crowd:
            code[masks[k]] = _IGNORED
    largest_first = sorted(range(len(kept)), key=lambda n: -int(masks[kept[n]].sum()))
    for number in largest_first:
        code[masks[kept[number]]] = _FIRST + number
    category = [image.annotations[k].category for k in kept]
    return PixelTruth(code, np.array(category, np.int64))


def attach_truth(data: Data, truth: PixelTruth | None, *, classes: bool) -> Data:
    """Give the nodes their truth: the object, background or ignored region that most of a node's
    pixels belong to; of equal ones the object comes first, then the ignored region.

    Sets ``instance`` (N,) 0..K-1 or -1, ``ignore``, ``weight`` (1) and, with ``classes``, ``y``
    (N,), -1 for background. An object that is the majority nowhere has no node: scores on nodes
    do not miss it. Without truth every node has instance -1 and is ignored.
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
    signal = owner >= _FIRST
    present, number = np.unique(owner[signal], return_inverse=True)
    instance = np.full(count, -1, np.int64)
    instance[signal] = number
    data.instance = torch.from_numpy(instance)
    data.ignore = torch.from_numpy(owner == _IGNORED)
    if classes:
        y = np.full(count, -1, np.int64)
        y[signal] = truth.category[present - _FIRST][number]
        data.y = torch.from_numpy(y)
    return data
