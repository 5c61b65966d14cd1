"""Superpixels: connected segments of an image, of about equal area and of one colour."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from geoinfluencer.errors import InputError
from geoinfluencer.ops import library, native, reference

MAX_CHANNELS = 4  # csrc/cpu/slic.cpp
_MOST_PIXELS = 2**31 - 1


def slic(
    image: Tensor,  # (H, W, C)
    segments: int,
    *,
    compactness: float = 10.0,
    iterations: int = 10,
    min_size: float = 0.25,
) -> Tensor:
    r"""SLIC superpixels (`Achanta et al., TPAMI 2012 <https://doi.org/10.1109/TPAMI.2012.120>`_).

    Segments start as the cells of a grid; then each pixel joins, of the centres of its own cell and
    of the eight around it, the one with the least

    .. math:: d^2 = |c_i - c_k|^2 + (m / S)^2 |p_i - p_k|^2, \qquad S = \sqrt{H W / K}

    with colours c and pixel positions p, and centres move to the means. In the end every
    connected part (4 neighbours) is a segment, and parts that are too small are joined to the
    neighbour of the nearest mean colour. Bitwise the same for any number of threads.

    Args:
        image: colours on a scale on which distances are alike (CIELAB), up to 4 channels; reckoned
            in float32.
        segments: K, about how many; what comes out differs by the parts that are split or joined.
        compactness: m, in units of the colours: small values follow edges, large ones keep segments
            square. (default: 10, for CIELAB)
        iterations: of assignment. (default: 10)
        min_size: least area of a segment, in units of S². (default: 0.25)

    Shapes:
        image (H, W, C) -> (H, W) int64, segments 0.. by their first pixel in row-major order.

    Raises:
        InputError: shape, dtype, device or values that do not fit.
    """
    _check(image)
    if segments < 1:
        raise InputError(f"segments must be at least 1, got {segments}")
    if not 0 <= compactness <= 1e6:
        raise InputError(f"compactness must be between 0 and 1e6, got {compactness}")
    if iterations < 0:
        raise InputError(f"iterations must not be negative, got {iterations}")
    if not 0 <= min_size < math.inf:
        raise InputError(f"min_size must be finite and not negative, got {min_size}")
    height, width = image.shape[:2]
    pixels = min(round(min_size * height * width / segments), _MOST_PIXELS)
    label: Tensor = torch.ops.geoinfluencer.slic(
        image.detach().float(), segments, float(compactness), iterations, pixels
    )
    return label


def _check(image: Tensor) -> None:
    if image.dim() != 3 or not 1 <= image.shape[2] <= MAX_CHANNELS:
        raise InputError(
            f"image has shape {tuple(image.shape)}; expected (H, W, C) with 1 to {MAX_CHANNELS} "
            "channels"
        )
    if not image.is_floating_point():
        raise InputError(f"image is {image.dtype}; expected floating point, such as CIELAB")
    if image.device.type != "cpu":
        raise InputError(f"image is on {image.device}; superpixels are made on the CPU")
    if image.shape[0] * image.shape[1] > _MOST_PIXELS:
        raise InputError(f"image has shape {tuple(image.shape)}; 2^31 pixels are too many: tile it")
    if not bool(torch.isfinite(image).all()):
        raise InputError("image holds NaN or infinite values; clean the input")


def _slic(
    image: Tensor, segments: int, compactness: float, iterations: int, min_size: int
) -> Tensor:
    kernels = native.cpu_library(image)
    if kernels is None:
        return reference.slic(image, segments, compactness, iterations, min_size)
    height, width, channels = image.shape
    label = torch.empty(height, width, dtype=torch.int64)
    count = torch.empty(1, dtype=torch.int64)
    native.call(
        kernels, "geo_slic", None, image.contiguous(), height, width, channels, segments,
        compactness, iterations, min_size, native.threads(), label, count,
    )  # fmt: skip
    return label


def _fake(
    image: Tensor, segments: int, compactness: float, iterations: int, min_size: int
) -> Tensor:
    return image.new_empty(image.shape[:2], dtype=torch.int64)


library.define(
    "slic(Tensor image, int segments, float compactness, int iterations, int min_size) -> Tensor",
    _slic,
    _fake,
)
