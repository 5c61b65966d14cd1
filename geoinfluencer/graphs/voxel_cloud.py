"""The voxels of a point cloud with their colour, shape and nearest: what its graphs start from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from geoinfluencer import ops
from geoinfluencer.errors import InputError
from geoinfluencer.graphs.surface_shape import SurfaceShape, surface_shape
from geoinfluencer.graphs.voxels import VoxelGrid, voxel_grid

MOST_NEIGHBORS = 128  # of ops.knn


@dataclass(frozen=True)
class VoxelCloud:
    """N voxels of P points.

    Attributes:
        pos: (P, 3) float64, m.
        color: (P, 3) 0 to 255, or ``None``.
        voxel: Edge of a cell, m.
        grid: Which point is in which voxel.
        center: (N, 3) float32, mean of the points of each.
        tint: (N, 3) float32, their mean colour, 0 to 1, or ``None``.
        shape: Of the surface around each.
        nearest: (N, k) other voxels, nearest first, -1 where there are fewer.
    """

    pos: np.ndarray
    color: np.ndarray | None
    voxel: float
    grid: VoxelGrid
    center: np.ndarray
    tint: np.ndarray | None
    shape: SurfaceShape
    nearest: np.ndarray

    @cached_property
    def floor(self) -> float:
        """Height above which the highest 99 % of the voxels lie."""
        return float(np.quantile(self.center[:, 2], 0.01)) if len(self.center) else 0.0

    @cached_property
    def pairs(self) -> np.ndarray:
        """(2, E) pairs of voxels of which either is near the other, each once, the smaller number
        first, sorted."""
        count = max(len(self.nearest), 1)
        node = np.repeat(np.arange(len(self.nearest)), self.nearest.shape[1])
        other = self.nearest.reshape(-1)
        back = np.flatnonzero((node > other) & (other >= 0))
        # those that the other end lists too are there already
        known = (self.nearest[other[back]] == node[back, None]).any(1)
        lone, there = back[~known], np.flatnonzero(node < other)
        low = np.concatenate([node[there], other[lone]])
        keys = low * count + np.concatenate([other[there], node[lone]])
        keys.sort()
        return np.ascontiguousarray(np.stack(np.divmod(keys, count)), np.int64)


def voxel_cloud(
    pos: np.ndarray,  # (P, 3) m
    color: np.ndarray | None,  # (P, 3) 0 to 255
    *,
    voxel: float,
    neighbors: int,
    shape_neighbors: int,
) -> VoxelCloud:
    """Voxels, their nearest ``neighbors``, and the shape of the surface over ``shape_neighbors``.

    Raises:
        InputError: Shapes do not fit, a value is not finite, or a colour not within 0 to 255.
    """
    pos, color = _checked(pos, color)
    grid = voxel_grid(pos, voxel)
    center = grid.mean(pos).astype(np.float32)
    found, _ = ops.knn(torch.from_numpy(center), k=max(neighbors, shape_neighbors))
    nearest = found.numpy()
    return VoxelCloud(
        pos=pos,
        color=color,
        voxel=voxel,
        grid=grid,
        center=center,
        tint=None if color is None else grid.mean(color).astype(np.float32) / 255,
        shape=surface_shape(pos, grid, nearest[:, :shape_neighbors]),
        nearest=nearest[:, :neighbors],
    )


def _checked(pos: np.ndarray, color: np.ndarray | None) -> tuple[np.ndarray, np.ndarray | None]:
    pos = np.ascontiguousarray(pos, np.float64)
    if pos.ndim != 2 or pos.shape[1] != 3:
        raise InputError(f"`pos` has shape {pos.shape}; points need (P, 3) positions in metres")
    if not np.isfinite(pos).all():
        bad = int(np.flatnonzero(~np.isfinite(pos).all(1))[0])
        raise InputError(f"`pos` has {pos[bad].tolist()} in row {bad}; drop points not finite")
    if color is None:
        return pos, None
    color = np.asarray(color)
    if color.shape != pos.shape:
        raise InputError(f"`color` has shape {color.shape}; expected {pos.shape}, as `pos`")
    low, high = color.min(initial=0), color.max(initial=0)
    if not (low >= 0 and high <= 255):
        raise InputError(f"`color` holds {low} to {high}; give red, green and blue in 0 to 255")
    return pos, color
