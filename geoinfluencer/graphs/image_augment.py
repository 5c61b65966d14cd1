"""Symmetries of a built image graph, without segmenting again."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch_geometric.data import Data

from geoinfluencer.graphs.image_features import IMAGE_EDGE_FEATURES, IMAGE_NODE_FEATURES

_X, _Y = (IMAGE_NODE_FEATURES.index(name) for name in ("x", "y"))
_DX, _DY = (IMAGE_EDGE_FEATURES.index(name) for name in ("dx", "dy"))
_MAPS = ("segment_map", "image", "pixel_instance")  # (H W, ...), row by row


def transform_image(data: Data, *, mirror: bool = False, quarter_turns: int = 0) -> Data:
    """A copy of an image graph mirrored left to right, then turned counter-clockwise.

    Only what names a place changes: ``pos``, two columns of ``x`` and of ``edge_attr``,
    ``image_size``, and where they are there the maps ``segment_map``, ``image`` and
    ``pixel_instance``. Segments stay those of the image as it was.

    Args:
        data: A sample of :class:`~geoinfluencer.graphs.images.ImageGraph`.
        mirror: x -> W - 1 - x.
        quarter_turns: Of 90 degrees.
    """
    out = data.__copy__()
    out.x, out.edge_attr = data.x.clone(), data.edge_attr.clone()
    place, (height, width) = data.pos, data.image_size[0].tolist()
    share, offset = data.x[:, [_X, _Y]], data.edge_attr[:, [_DX, _DY]]
    if mirror:
        place, share = _mirrored(place, width - 1.0), _mirrored(share, 1.0)
        offset = _mirrored(offset, 0.0)
    for _ in range(quarter_turns % 4):
        place, share = _turned(place, width - 1.0), _turned(share, 1.0)
        offset = _turned(offset, 0.0)
        height, width = width, height
    out.pos = place
    out.x[:, [_X, _Y]], out.edge_attr[:, [_DX, _DY]] = share, offset
    out.image_size = torch.tensor([[height, width]])
    for name in _MAPS:
        if data.get(name) is not None:
            out[name] = _moved(data[name], data.image_size[0].tolist(), mirror, quarter_turns)
    return out


def augmented_image(sample: Data, rng: np.random.Generator, *, mirror: bool, turn: bool) -> Data:
    """The sample under a random one of the eight symmetries of the square, or of those asked."""
    return transform_image(
        sample,
        mirror=bool(mirror and rng.random() < 0.5),
        quarter_turns=int(rng.integers(4)) if turn else 0,
    )


def _mirrored(xy: Tensor, last: float) -> Tensor:
    return torch.stack([last - xy[:, 0], xy[:, 1]], dim=1)


def _turned(xy: Tensor, last: float) -> Tensor:
    return torch.stack([xy[:, 1], last - xy[:, 0]], dim=1)


def _moved(flat: Tensor, size: list[int], mirror: bool, quarter_turns: int) -> Tensor:
    pixels = flat.view(*size, *flat.shape[1:])
    if mirror:
        pixels = pixels.flip(1)
    return torch.rot90(pixels, quarter_turns % 4, (0, 1)).reshape(flat.shape)
