"""Images of overlapping shapes with texture and noise, and which pixel is of which shape."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from geoinfluencer.errors import InputError
from geoinfluencer.graphs.smoothing import smoothed

SHAPES = ("disc", "rectangle", "triangle", "star", "ring")
_PATTERNS = ("plain", "stripes", "checks", "ramp")
_TRIES = 30  # places that are tried for a shape


@dataclass(frozen=True)
class ShapeOptions:
    """How images of shapes look.

    Args:
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

    Raises:
        InputError: An option is out of its range.
    """

    height: int = 120
    width: int = 160
    min_shapes: int = 3
    max_shapes: int = 9
    radius_min: float = 0.08
    radius_max: float = 0.25
    visible: float = 0.4
    contrast: float = 60.0
    texture: float = 18.0
    noise: float = 8.0

    def __post_init__(self) -> None:
        if min(self.height, self.width) < 16:
            raise InputError(
                f"height={self.height}, width={self.width}: an image needs 16 x 16 pixels"
            )
        if not 0 <= self.min_shapes <= self.max_shapes:
            raise InputError(
                f"min_shapes={self.min_shapes}, max_shapes={self.max_shapes}: must be ascending "
                "and not negative"
            )
        if not 0 < self.radius_min <= self.radius_max <= 1:
            raise InputError(
                f"radius_min={self.radius_min}, radius_max={self.radius_max}: must be ascending, "
                "above 0 and at most 1"
            )
        if not 0 < self.visible <= 1:
            raise InputError(f"visible must be above 0 and at most 1, got {self.visible}")
        for name in ("contrast", "texture", "noise"):
            value = getattr(self, name)
            if not (0 <= value < math.inf):
                raise InputError(f"{name} must not be negative, got {value}")


@dataclass(frozen=True)
class ShapeImage:
    """An image and its shapes.

    Attributes:
        image: (H, W, 3) uint8.
        instance: (H, W) int16, the shape of each pixel 0..K-1; -1 = ground. Later ones lie on top.
        category: (K,) int64, place in ``SHAPES``.
        whole: (K,) int64, pixels of each shape before others covered it.
    """

    image: np.ndarray
    instance: np.ndarray
    category: np.ndarray
    whole: np.ndarray


def generate_shapes(rng: np.random.Generator, options: ShapeOptions) -> ShapeImage:
    """Draw an image. Shapes that find no place where they leave enough of the others are left out,
    so that crowded images may have fewer than ``min_shapes``."""
    height, width = options.height, options.width
    row, column = np.mgrid[:height, :width].astype(np.float64)
    instance = np.full((height, width), -1, np.int16)
    image = _surface(rng, row, column, options)
    categories: list[int] = []
    whole: list[int] = []
    for _ in range(int(rng.integers(options.min_shapes, options.max_shapes + 1))):
        kind = int(rng.integers(len(SHAPES)))
        paint = _surface(rng, row, column, options)
        mask = _place(rng, kind, row, column, instance, whole, options)
        if mask is None:
            continue
        image[mask] = paint[mask]
        instance[mask] = len(categories)
        categories.append(kind)
        whole.append(int(mask.sum()))
    image = smoothed(image) + rng.normal(0, options.noise, image.shape)
    return ShapeImage(
        np.clip(np.rint(image), 0, 255).astype(np.uint8),
        instance,
        np.array(categories, np.int64),
        np.array(whole, np.int64),
    )


def shape_mask(kind: str, u: np.ndarray, v: np.ndarray, flatness: float) -> np.ndarray:
    """Whether places are in a shape of circumscribed radius 1 about the origin.

    Args:
        kind: One of ``SHAPES``.
        u: Coordinates along its main axis, any shape.
        v: Coordinates across.
        flatness: Extent across in units of that along, of discs and rectangles, above 0 to 1.
    """
    radius = np.hypot(u, v)
    if kind == "disc":
        return np.hypot(u, v / flatness) <= 1
    if kind == "rectangle":
        half = 1 / math.hypot(1, flatness)
        return (np.abs(u) <= half) & (np.abs(v) <= half * flatness)
    if kind == "ring":
        return (radius <= 1) & (radius >= 0.55)
    corners, inner = (3, 0.5) if kind == "triangle" else (5, 0.45)
    # A triangle is a star whose inner corners lie on its sides.
    sector = math.pi / corners
    angle = np.abs((np.arctan2(v, u) + sector) % (2 * sector) - sector)
    x, y = radius * np.cos(angle), radius * np.sin(angle)
    tip, notch = (1.0, 0.0), (inner * math.cos(sector), inner * math.sin(sector))
    inside: np.ndarray = (notch[0] - tip[0]) * (y - tip[1]) - (notch[1] - tip[1]) * (
        x - tip[0]
    ) >= -1e-12
    return inside


def _place(
    rng: np.random.Generator,
    kind: int,
    row: np.ndarray,
    column: np.ndarray,
    instance: np.ndarray,
    whole: list[int],
    options: ShapeOptions,
) -> np.ndarray | None:
    """The pixels of a shape at a random place that leaves enough of the shapes below it."""
    side = min(options.height, options.width)
    least = options.visible * np.array(whole)
    for _ in range(_TRIES):
        radius = side * rng.uniform(options.radius_min, options.radius_max)
        y, x = rng.uniform(0, options.height - 1), rng.uniform(0, options.width - 1)
        turn, flatness = rng.uniform(0, 2 * math.pi), rng.uniform(0.45, 1.0)
        dx, dy = (column - x) / radius, (row - y) / radius
        u = dx * math.cos(turn) + dy * math.sin(turn)
        v = dy * math.cos(turn) - dx * math.sin(turn)
        mask = shape_mask(SHAPES[kind], u, v, flatness)
        free = instance[~mask]
        left = np.bincount(free[free >= 0], minlength=len(whole))
        if mask.any() and (left >= least).all():
            return mask
    return None


def _surface(
    rng: np.random.Generator, row: np.ndarray, column: np.ndarray, options: ShapeOptions
) -> np.ndarray:
    """(H, W, 3) colours of a textured surface."""
    color = 128 + rng.normal(0, options.contrast, 3)
    pattern = _PATTERNS[int(rng.integers(len(_PATTERNS)))]
    turn, period, phase = rng.uniform(0, 2 * math.pi), rng.uniform(5, 14), rng.uniform(0, 2)
    along = (column * math.cos(turn) + row * math.sin(turn)) / period + phase
    across = (row * math.cos(turn) - column * math.sin(turn)) / period + phase
    if pattern == "stripes":
        wave = np.sign(np.sin(math.pi * along))
    elif pattern == "checks":
        wave = np.sign(np.sin(math.pi * along) * np.sin(math.pi * across))
    elif pattern == "ramp":
        wave = 2 * (along - along.min()) / max(float(np.ptp(along)), 1e-9) - 1
    else:
        wave = np.zeros_like(along)
    tint = rng.uniform(0.5, 1.0, 3) * options.texture
    surface: np.ndarray = color + wave[..., None] * tint
    return surface
