"""Mean place, shape and colour of each superpoint, and which superpoints touch."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch

from geoinfluencer import ops
from geoinfluencer.graphs.superpoints import Partition
from geoinfluencer.graphs.surface_shape import SurfaceShape, point_moments, shape_of_moments

_CLEAR = 0.1  # length of a mean normal; a shorter one is that of a body seen from all sides


@dataclass(frozen=True)
class SuperpointMeans:
    """Of the S superpoints of a partition.

    Attributes:
        mass: (S,) float64, points.
        center: (S, 3) float32, m, mean of the points.
        shape: Of the points of each; its normal is the mean of those of the voxels.
        agreement: (S,) length of that mean, 1 where all agree.
        tint: (S, 3) mean colour, 0 to 1, or ``None``.
        spread: (S,) of the colour, 0 to 1.
    """

    mass: np.ndarray
    center: np.ndarray
    shape: SurfaceShape
    agreement: np.ndarray
    tint: np.ndarray | None
    spread: np.ndarray


@dataclass(frozen=True)
class Contacts:
    """Where the superpoints of a partition touch.

    Attributes:
        pair: (2, L) superpoints that touch, the smaller number first, sorted.
        between: (E,) of the pairs of voxels of the cloud, whether they are of two superpoints.
        row: (E',) of those between two, their column of ``pair``.
    """

    pair: np.ndarray
    between: np.ndarray
    row: np.ndarray


def superpoint_means(partition: Partition) -> SuperpointMeans:
    """The means of a partition."""
    mass = np.bincount(partition.superpoint_of_point, minlength=partition.count).astype(np.float64)
    center, shape, agreement = _shapes(partition, mass)
    tint, spread = _tints(partition, mass)
    return SuperpointMeans(mass, center, shape, agreement, tint, spread)


def superpoint_contacts(partition: Partition) -> Contacts:
    """The contacts of a partition: a voxel of one superpoint near a voxel of another."""
    count = max(partition.count, 1)
    ends = partition.superpoint_of_voxel[partition.cloud.pairs]
    between = ends[0] != ends[1]
    low, high = np.sort(ends[:, between], axis=0)
    keys = low * count + high
    key = np.unique(keys)
    return Contacts(np.stack(np.divmod(key, count)), between, np.searchsorted(key, keys))


def segment_totals(values: np.ndarray, segment: np.ndarray, count: int) -> np.ndarray:
    """(count, C) float64 sums of the rows (R, C) of each segment."""
    rows = torch.from_numpy(np.ascontiguousarray(values, np.float64))
    found: np.ndarray = ops.segment_sum(rows, torch.from_numpy(segment), count).numpy()
    return found


def _shapes(partition: Partition, mass: np.ndarray) -> tuple[np.ndarray, SurfaceShape, np.ndarray]:
    cloud, of_point, count = partition.cloud, partition.superpoint_of_point, partition.count
    middle = cloud.pos.mean(0) if len(cloud.pos) else np.zeros(3)
    moments = segment_totals(point_moments(cloud.pos, middle), of_point, count)
    own = moments[:, 1:4] / mass[:, None]
    shape = shape_of_moments(moments, own)
    # the mean of the voxels' own is right of bent ones too; sides are those of the whole
    seen = cloud.shape.normal[cloud.grid.voxel_of_point]
    side = np.einsum("ij,ij->i", seen, shape.normal[of_point]) < 0
    seen = segment_totals(np.where(side[:, None], -seen, seen), of_point, count)
    seen /= mass[:, None]
    agreement = np.linalg.norm(seen, axis=1)
    clear = agreement > _CLEAR
    normal = np.where(clear[:, None], seen / np.maximum(agreement, _CLEAR)[:, None], shape.normal)
    return (own + middle).astype(np.float32), replace(shape, normal=normal), agreement


def _tints(partition: Partition, mass: np.ndarray) -> tuple[np.ndarray | None, np.ndarray]:
    color = partition.cloud.color
    if color is None:
        return None, np.zeros(partition.count)
    share = color.astype(np.float64) / 255
    of_point, count = partition.superpoint_of_point, partition.count
    mean = segment_totals(share, of_point, count) / mass[:, None]
    square = segment_totals(share * share, of_point, count) / mass[:, None]
    return mean, np.sqrt((square - mean * mean).clip(min=0).sum(1))
