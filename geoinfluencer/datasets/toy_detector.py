"""The toy detector: concentric barrel layers and, in 3-D, end-cap discs."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np

from geoinfluencer.errors import InputError


@dataclass(frozen=True)
class ToyDetector:
    """Layers about the z axis; lengths in millimetres.

    The default is the standard 2-D setting: ten circles evenly from r = 0.1 m to 1 m. In 3-D they
    are cylinders of ``half_length``, closed by ``num_discs`` discs on each side. Layers are
    numbered barrel first, from inside out, then discs from -z to +z.

    Attributes:
        dim: 2 or 3.
        num_layers: Barrel layers.
        r_min: Radius of the innermost one, and inner edge of the discs.
        r_max: Radius of the outermost one, and outer edge of the discs.
        half_length: Half length of the barrel; used in 3-D.
        num_discs: Discs on each side; used in 3-D.
        disc_z_min: Distance of the first disc from the centre.
        disc_z_max: Distance of the last disc.
    """

    dim: int = 2
    num_layers: int = 10
    r_min: float = 100.0
    r_max: float = 1000.0
    half_length: float = 1200.0
    num_discs: int = 7
    disc_z_min: float = 1300.0
    disc_z_max: float = 3000.0

    def __post_init__(self) -> None:
        if self.dim not in (2, 3):
            raise InputError(f"dim must be 2 or 3, got {self.dim}")
        if self.num_layers < 1 or self.num_discs < 0:
            raise InputError(
                f"num_layers={self.num_layers}, num_discs={self.num_discs}: give at least one layer"
            )
        if not 0 < self.r_min <= self.r_max:
            raise InputError(f"r_min={self.r_min}, r_max={self.r_max}: give 0 < r_min <= r_max")
        if self.dim == 3 and not 0 < self.half_length <= self.disc_z_min <= self.disc_z_max:
            raise InputError(
                f"half_length={self.half_length}, disc_z_min={self.disc_z_min}, disc_z_max="
                f"{self.disc_z_max}: give 0 < half_length <= disc_z_min <= disc_z_max"
            )

    @functools.cached_property
    def barrel_r(self) -> np.ndarray:
        """Radii (B,) of the barrel layers."""
        return np.linspace(self.r_min, self.r_max, self.num_layers)

    @functools.cached_property
    def disc_z(self) -> np.ndarray:
        """Positions (D,) of the discs along z, ascending; none in 2-D."""
        if self.dim == 2 or self.num_discs == 0:
            return np.empty(0)
        side = np.linspace(self.disc_z_min, self.disc_z_max, self.num_discs)
        return np.concatenate([-side[::-1], side])

    @functools.cached_property
    def is_disc(self) -> np.ndarray:
        """(L,) which layers are discs."""
        return np.arange(self.num_layers + len(self.disc_z)) >= self.num_layers

    def contains(self, r: np.ndarray, z: np.ndarray) -> np.ndarray:
        """Return which points (P, L) on the layers' infinite surfaces lie on the layers."""
        if self.dim == 2:
            return np.ones(r.shape, dtype=bool)
        on_disc = (r >= self.r_min) & (r <= self.r_max)
        return np.where(self.is_disc, on_disc, np.abs(z) <= self.half_length)

    def random_points(self, rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Draw points (M, 3) on random layers (M,): uniform in phi, in z, over a disc."""
        layer = rng.integers(len(self.is_disc), size=count)
        phi = rng.uniform(-math.pi, math.pi, count)
        u = rng.random(count)
        disc = self.is_disc[layer]
        area_r = np.sqrt(self.r_min**2 + u * (self.r_max**2 - self.r_min**2))
        r = np.where(disc, area_r, self.barrel_r[np.minimum(layer, self.num_layers - 1)])
        z = np.zeros(count)
        if self.dim == 3:
            planes = np.append(self.disc_z, 0.0)
            on_plane = planes[(layer - self.num_layers).clip(0, len(planes) - 1)]
            z = np.where(disc, on_plane, (2 * u - 1) * self.half_length)
        return np.stack([r * np.cos(phi), r * np.sin(phi), z], axis=1), layer
