"""Images of any kind -> float RGB -> CIELAB."""

from __future__ import annotations

import functools

import numpy as np

from geoinfluencer.errors import InputError

# sRGB (IEC 61966-2-1) to XYZ, in units of the white point D65
_XYZ = np.array(
    [[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]]
)
_WHITE = np.array([0.95047, 1.0, 1.08883])
_LEVELS = 1 << 16  # of the tables; what they round is below 0.02 of L*


def as_rgb(image: np.ndarray) -> np.ndarray:
    """(H, W, 3) float32 in [0, 1] of a grey, RGB or RGBA image.

    Integers are divided by the largest number of their type, so that uint8 and the same image as
    floats give equal results. Alpha is laid on white.

    Args:
        image: (H, W), (H, W, 1), (H, W, 3) or (H, W, 4); uint8, uint16, bool, or floats in [0, 1].

    Raises:
        InputError: another shape or type, or floats outside [0, 1].
    """
    image = np.asarray(image)
    channels = image.shape[2] if image.ndim == 3 else 1
    if image.ndim not in (2, 3) or channels not in (1, 3, 4) or 0 in image.shape:
        raise InputError(
            f"image has shape {image.shape}; give (H, W), or (H, W, C) with 1, 3 or 4 channels"
        )
    image = image.reshape(*image.shape[:2], channels)
    if image.dtype in (np.uint8, np.uint16):
        pixels = image.astype(np.float32) / np.float32(np.iinfo(image.dtype).max)
    elif image.dtype == bool or np.issubdtype(image.dtype, np.floating):
        pixels = image.astype(np.float32)
        if not (pixels.min() >= 0 and pixels.max() <= 1):
            raise InputError(
                f"image holds values from {pixels.min():g} to {pixels.max():g}; floats must be in "
                "[0, 1]: divide by the largest value of the format"
            )
    else:
        raise InputError(f"image is {image.dtype}; give uint8, uint16, bool or floats in [0, 1]")
    if pixels.shape[2] == 4:
        alpha = pixels[..., 3:]
        pixels = pixels[..., :3] * alpha + (1 - alpha)
    if pixels.shape[2] == 1:
        pixels = np.broadcast_to(pixels, (*pixels.shape[:2], 3))
    return np.ascontiguousarray(pixels)


def cielab(rgb: np.ndarray) -> np.ndarray:
    """(H, W, 3) float32 CIELAB (D65, 2 degrees) of sRGB in [0, 1]: L* in [0, 100], a*, b*."""
    linear = _linear()[(rgb * (_LEVELS - 1) + 0.5).astype(np.uint16)]
    xyz = linear @ (_XYZ / _WHITE[:, None]).T.astype(np.float32)
    np.clip(xyz, 0, 1, out=xyz)
    f = _cube_root()[(xyz * (_LEVELS - 1) + 0.5).astype(np.uint16)]
    lab = np.empty_like(f)
    lab[..., 0] = 116 * f[..., 1] - 16
    lab[..., 1] = 500 * (f[..., 0] - f[..., 1])
    lab[..., 2] = 200 * (f[..., 1] - f[..., 2])
    return lab


@functools.cache
def _linear() -> np.ndarray:
    v = np.arange(_LEVELS) / (_LEVELS - 1)
    return np.where(v > 0.04045, ((v + 0.055) / 1.055) ** 2.4, v / 12.92).astype(np.float32)


@functools.cache
def _cube_root() -> np.ndarray:
    t = np.arange(_LEVELS) / (_LEVELS - 1)
    return np.where(t > 0.008856, np.cbrt(t), 7.787 * t + 16 / 116).astype(np.float32)
