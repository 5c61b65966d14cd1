"""Points -> voxels, and sums and means over these."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from geoinfluencer import ops
from geoinfluencer.errors import InputError


@dataclass(frozen=True)
class VoxelGrid:
    """The N cells of a grid that hold points, lexicographically by cell.

    Attributes:
        voxel_of_point: (P,) int64.
        mass: (N,) int64 points of each voxel, at least one.
    """

    voxel_of_point: np.ndarray
    mass: np.ndarray

    def mean(self, values: np.ndarray) -> np.ndarray:
        """Mean over the points of each voxel: (P, C) -> (N, C) float64."""
        return self.total(values) / self.mass[:, None]

    def total(self, values: np.ndarray) -> np.ndarray:
        """Sum over the points of each voxel: (P, C) -> (N, C) float64."""
        rows = torch.from_numpy(np.ascontiguousarray(values, np.float64))
        cluster = torch.from_numpy(self.voxel_of_point)
        found: np.ndarray = ops.segment_sum(rows, cluster, len(self.mass)).numpy()
        return found


def voxel_grid(pos: np.ndarray, size: float) -> VoxelGrid:
    """The voxels of points (P, 3) on a grid of cells of ``size``, the first at the origin.

    Raises:
        InputError: On a size that is not positive, or points that are not finite.
    """
    if not 0 < size < np.inf:
        raise InputError(f"voxel must be positive, in metres, got {size}")
    found = ops.grid_pool(torch.from_numpy(np.ascontiguousarray(pos)), size)
    return VoxelGrid(found.cluster.numpy(), found.counts.numpy())
