"""What the segments of an image are like, and which of them touch."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from geoinfluencer.errors import InputError
from geoinfluencer.ops import library, native, reference
from geoinfluencer.ops.slic import MAX_CHANNELS

_MOST = 2**31 - 1  # pixels, segments: csrc/cpu/image_regions.cpp


class ImageRegions(NamedTuple):
    """Statistics of S segments and of the P borders between them, all but ``pair`` float64.

    ========= ======= ==============================================================================
    mass      (S,)    pixels
    center    (S, 2)  mean x and y of the pixels
    mean      (S, C)  of the colours
    deviation (S, C)  standard deviation of the colours, with divisor n
    gradient  (S,)    mean over the pixels of the mean distance in colour to their up to four
                      neighbours, those beyond the segment's border included
    pair      (2, P)  int64, segments that share a border, the smaller number first; ordered
    length    (P,)    pairs of neighbouring pixels on both sides
    strength  (P,)    mean distance in colour of those
    ========= ======= ==============================================================================
    """

    mass: Tensor
    center: Tensor
    mean: Tensor
    deviation: Tensor
    gradient: Tensor
    pair: Tensor
    length: Tensor
    strength: Tensor


def image_regions(
    label: Tensor,  # (H, W)
    image: Tensor,  # (H, W, C)
    segments: int,
) -> ImageRegions:
    """Statistics of the segments of an image and of the borders between those that touch (4
    neighbours), in one pass over the pixels.

    Distances of colours are reckoned in float32, sums in float64; of a segment of one colour the
    mean is that colour and the deviation 0, however many pixels there are.

    Args:
        label: segment of each pixel, 0..S-1.
        image: colours on a scale on which distances are alike (CIELAB), up to 4 channels; reckoned
            in float32.
        segments: S; those without pixels have statistics 0.

    Shapes:
        label (H, W) int64, image (H, W, C) -> :class:`ImageRegions`.

    Raises:
        InputError: shape, dtype, device or labels that do not fit.
    """
    _check(label, image, segments)
    found = torch.ops.geoinfluencer.image_regions(label, image.detach().float(), segments)
    return ImageRegions(*found)


def _check(label: Tensor, image: Tensor, segments: int) -> None:
    if image.dim() != 3 or not 1 <= image.shape[2] <= MAX_CHANNELS:
        raise InputError(
            f"image has shape {tuple(image.shape)}; expected (H, W, C) with 1 to {MAX_CHANNELS} "
            "channels"
        )
    if not image.is_floating_point():
        raise InputError(f"image is {image.dtype}; expected floating point, such as CIELAB")
    if label.shape != image.shape[:2] or label.dtype != torch.int64:
        raise InputError(
            f"label is {tuple(label.shape)} {label.dtype}; expected {tuple(image.shape[:2])} int64"
        )
    for name, tensor in (("label", label), ("image", image)):
        if tensor.device.type != "cpu":
            raise InputError(f"{name} is on {tensor.device}; images are described on the CPU")
    if label.numel() > _MOST or not 0 <= segments <= _MOST:
        raise InputError(
            f"label has {label.numel()} pixels and {segments} segments; both must be less than 2^31"
        )


def _image_regions(label: Tensor, image: Tensor, segments: int) -> tuple[Tensor, ...]:
    kernels = native.cpu_library(image)
    if kernels is None:
        _check_labels(label, segments)
        return reference.image_regions(label, image, segments)
    height, width, channels = image.shape
    room = min(2 * height * width, segments * (segments - 1) // 2)
    statistics = [
        torch.empty(segments, *columns, dtype=torch.float64)
        for columns in ((), (2,), (channels,), (channels,), ())
    ]
    pair = torch.empty(2, room, dtype=torch.int64)
    borders = torch.empty(2, room, dtype=torch.float64)
    count = torch.zeros(1, dtype=torch.int64)
    code = native.call(
        kernels, "geo_image_regions", None, label.contiguous(), image.contiguous(), height, width,
        channels, segments, *statistics, *pair, *borders, count,
    )  # fmt: skip
    if code == native.ID_RANGE:
        _check_labels(label, segments)
    pairs = int(count)
    return *statistics, pair[:, :pairs].clone(), *(row[:pairs].clone() for row in borders)


def _check_labels(label: Tensor, segments: int) -> None:
    if label.numel() and not 0 <= int(label.min()) <= int(label.max()) < segments:
        raise InputError(
            f"label has entries from {int(label.min())} to {int(label.max())}; expected 0 to "
            f"segments - 1 = {segments - 1}"
        )


def _fake(label: Tensor, image: Tensor, segments: int) -> tuple[Tensor, ...]:
    pairs = torch.library.get_ctx().new_dynamic_size()
    channels = image.shape[2]
    statistics = [
        image.new_empty((segments, *columns), dtype=torch.float64)
        for columns in ((), (2,), (channels,), (channels,), ())
    ]
    borders = [image.new_empty(pairs, dtype=torch.float64) for _ in range(2)]
    return *statistics, label.new_empty(2, pairs), *borders


library.define(
    "image_regions(Tensor label, Tensor image, SymInt segments) "
    "-> (Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor)",
    _image_regions,
    _fake,
)
