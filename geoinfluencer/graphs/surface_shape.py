"""The shape of a surface around each voxel, from the covariance of the points there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geoinfluencer.graphs.voxels import VoxelGrid

_UPPER = np.triu_indices(3)


@dataclass(frozen=True)
class SurfaceShape:
    r"""Of eigenvalues :math:`l_1 \ge l_2 \ge l_3` of the covariance, with :math:`s_i = \sqrt{l_i}`,
    after `"Dimensionality based scale selection in 3D lidar point clouds" (Demantke et al., ISPRS
    Laser Scanning, 2011) <https://doi.org/10.5194/isprsarchives-XXXVIII-5-W12-97-2011>`_.

    Attributes:
        normal: (N, 3) unit vector of the smallest eigenvalue, towards the middle of the cloud.
        linearity: (N,) :math:`(s_1 - s_2) / s_1`.
        planarity: (N,) :math:`(s_2 - s_3) / s_1`.
        scatter: (N,) :math:`s_3 / s_1`.
        curvature: (N,) :math:`l_3 / (l_1 + l_2 + l_3)`.
        extent: (N, 3) :math:`s_1, s_2, s_3`, in the unit of the points.
    """

    normal: np.ndarray
    linearity: np.ndarray
    planarity: np.ndarray
    scatter: np.ndarray
    curvature: np.ndarray
    extent: np.ndarray


def surface_shape(
    points: np.ndarray,  # (P, 3)
    grid: VoxelGrid,
    neighbor: np.ndarray,  # (N, k) voxels, -1 = none
) -> SurfaceShape:
    """The shape around each voxel, of all points in it and in its ``neighbor`` voxels.

    Moments of points, and not of the voxels' means, keep what lies within a voxel: normals are
    right on surfaces that are thinner than a cell. They are summed per voxel, then over voxels, so
    that no neighbourhood is ever listed. Normals point to the side where the middle of the cloud
    is, which for the inside of a room is the side that was scanned.
    """
    middle = points.mean(0, dtype=np.float64) if len(points) else np.zeros(3)
    moments = grid.total(point_moments(points, middle))
    around = moments.copy()
    for column in neighbor.T:  # k passes over (N, 10) in place of one (N, k, 10)
        there = column >= 0
        around += moments[column] if there.all() else np.where(there[:, None], moments[column], 0.0)
    return shape_of_moments(around, moments[:, 1:4] / moments[:, :1])


def point_moments(
    points: np.ndarray,  # (P, 3)
    middle: np.ndarray,  # (3,)
) -> np.ndarray:
    """(P, 10) 1, the offset from ``middle`` and the upper half of its square; their sums over a set
    of points hold its covariance."""
    centred = points.astype(np.float64) - middle
    second = (centred[:, :, None] * centred[:, None, :])[:, _UPPER[0], _UPPER[1]]
    return np.concatenate([np.ones((len(points), 1)), centred, second], axis=1)


def shape_of_moments(
    around: np.ndarray,  # (N, 10) sums of the moments of sets of points
    own: np.ndarray,  # (N, 3) where the sets are, from the middle
) -> SurfaceShape:
    """The shape of each set of points, its normal towards the middle."""
    count = around[:, :1]
    mean = around[:, 1:4] / count
    covariance = np.empty((len(around), 3, 3))
    upper = around[:, 4:] / count - mean[:, _UPPER[0]] * mean[:, _UPPER[1]]
    covariance[:, _UPPER[0], _UPPER[1]] = covariance[:, _UPPER[1], _UPPER[0]] = upper
    values, vectors = np.linalg.eigh(covariance)
    values = np.maximum(values, 0.0)
    normal = vectors[:, :, 0]
    normal = normal * np.where((normal * own).sum(1, keepdims=True) > 0, -1.0, 1.0)
    s3, s2, s1 = np.sqrt(values).T
    longest = np.maximum(s1, 1e-9)
    return SurfaceShape(
        normal=normal,
        linearity=(s1 - s2) / longest,
        planarity=(s2 - s3) / longest,
        scatter=s3 / longest,
        curvature=values[:, 0] / np.maximum(values.sum(1), 1e-18),
        extent=np.stack([s1, s2, s3], 1),
    )
