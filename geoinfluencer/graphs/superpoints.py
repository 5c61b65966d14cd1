"""Superpoints: connected parts of a point cloud that are one surface of one colour."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from geoinfluencer import ops
from geoinfluencer.errors import InputError
from geoinfluencer.graphs.majority import segment_majority
from geoinfluencer.graphs.option_checks import check_number, check_whole
from geoinfluencer.graphs.voxel_cloud import MOST_NEIGHBORS, VoxelCloud, voxel_cloud


@dataclass(frozen=True)
class Partition:
    """A point cloud in S superpoints.

    Attributes:
        cloud: The N voxels of its P points.
        superpoint_of_voxel: (N,) int64.
        superpoint_of_point: (P,) int64.
        count: S.
    """

    cloud: VoxelCloud
    superpoint_of_voxel: np.ndarray
    superpoint_of_point: np.ndarray
    count: int


@dataclass(frozen=True)
class Superpoints:
    r"""Cut a point cloud into superpoints: :func:`~geoinfluencer.ops.felzenszwalb` on its voxels.

    Of the voxels i and j, one of the ``neighbors`` nearest of the other, the difference is

    .. math::
        w_{ij} = \sqrt{2 - 2 |n_i \cdot n_j|}
            + \frac{|n_i \cdot d_{ij}| + |n_j \cdot d_{ij}|}{2 |d_{ij}|} + c\, |q_i - q_j|

    with normals n, offset d and colours q in [0, 1]: how much the surface bends, how far each voxel
    lies off the other's plane, and how much the colour changes.

    Args:
        voxel: Edge of a cell, metres; what is smaller is not told apart.
        neighbors: Nearest voxels that a voxel is compared with.
        shape_neighbors: Nearest voxels whose points tell the normal.
        scale: s of :func:`~geoinfluencer.ops.felzenszwalb`, in units of w and voxels: two voxels on
            perpendicular planes differ by about 2. Large values make large superpoints.
        min_size: Voxels; smaller superpoints join the neighbour that differs least. What sets how
            many there are: their borders suffer less than under a large ``scale``.
        color_weight: c.

    Raises:
        InputError: An option is out of its range.
    """

    voxel: float = 0.05
    neighbors: int = 8
    shape_neighbors: int = 8
    scale: float = 1.0
    min_size: int = 20
    color_weight: float = 4.0

    def __post_init__(self) -> None:
        check_number("voxel", self.voxel)
        check_whole("neighbors", self.neighbors, 1, MOST_NEIGHBORS)
        check_whole("shape_neighbors", self.shape_neighbors, 1, MOST_NEIGHBORS)
        check_number("scale", self.scale, zero=True)
        check_whole("min_size", self.min_size, 1)
        check_number("color_weight", self.color_weight, zero=True)

    def __call__(
        self,
        pos: np.ndarray,  # (P, 3) m
        color: np.ndarray | None = None,  # (P, 3) 0 to 255
        segment: np.ndarray | None = None,  # (P,) integers
    ) -> Partition:
        """The superpoints of a cloud.

        Args:
            pos: z points up.
            color: ``None``: normals alone.
            segment: A partition that is there already, as ScanNet's ``segIndices``: its segments
                are the superpoints, whatever their numbers, and a voxel is of that which most of
                its points are of.

        Raises:
            InputError: Shapes do not fit, a value is not finite, or a colour not within 0 to 255.
        """
        cloud = voxel_cloud(
            pos, color, voxel=self.voxel, neighbors=self.neighbors,
            shape_neighbors=self.shape_neighbors,
        )  # fmt: skip
        return cut(
            cloud, segment, scale=self.scale, min_size=self.min_size,
            color_weight=self.color_weight,
        )  # fmt: skip


def cut(
    cloud: VoxelCloud,
    segment: np.ndarray | None = None,  # (P,) integers
    *,
    scale: float = Superpoints.scale,
    min_size: int = Superpoints.min_size,
    color_weight: float = Superpoints.color_weight,
) -> Partition:
    """The superpoints of a cloud whose voxels are known; see :class:`Superpoints`."""
    pairs = cloud.pairs
    voxel_of_point = cloud.grid.voxel_of_point
    if segment is not None:
        ids, of_point = np.unique(_checked(segment, len(cloud.pos)), return_inverse=True)
        of_voxel = segment_majority(voxel_of_point, of_point, len(cloud.center))
        return Partition(cloud, of_voxel, of_point.astype(np.int64), len(ids))
    of_voxel = ops.felzenszwalb(
        torch.from_numpy(pairs),
        torch.from_numpy(difference(cloud, pairs, color_weight)),
        len(cloud.center),
        scale=scale,
        min_size=min_size,
    ).numpy()
    count = int(of_voxel.max(initial=-1)) + 1
    return Partition(cloud, of_voxel, of_voxel[voxel_of_point], count)


def difference(
    cloud: VoxelCloud,
    pairs: np.ndarray,  # (2, E)
    color_weight: float,
) -> np.ndarray:
    """(E,) float32, how unlike two voxels are; see :class:`Superpoints`."""
    return unlike(cloud.center, cloud.shape.normal, cloud.tint, pairs, color_weight)


def unlike(
    center: np.ndarray,  # (N, 3)
    normal: np.ndarray,  # (N, 3)
    tint: np.ndarray | None,  # (N, 3)
    pairs: np.ndarray,  # (2, E)
    color_weight: float,
) -> np.ndarray:
    """(E,) float32, the difference of pairs of places with a normal and a colour."""
    normal = normal.astype(np.float32)
    one, other = pairs
    ends = normal[one], normal[other]
    offset = center[other] - center[one]
    length = np.maximum(np.sqrt(_dot(offset, offset)), np.float32(1e-9))
    bend = np.sqrt(np.maximum(2 - 2 * np.abs(_dot(*ends)), 0))
    off_plane = (np.abs(_dot(ends[0], offset)) + np.abs(_dot(ends[1], offset))) / (2 * length)
    total = bend + off_plane
    if tint is not None and color_weight:
        change = tint[other] - tint[one]
        total += np.float32(color_weight) * np.sqrt(_dot(change, change))
    found: np.ndarray = total.astype(np.float32)
    return found


def _dot(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    found: np.ndarray = np.einsum("ij,ij->i", a, b)
    return found


def _checked(segment: np.ndarray, count: int) -> np.ndarray:
    segment = np.asarray(segment)
    if segment.shape != (count,) or segment.dtype.kind not in "iu":
        raise InputError(
            f"`segment` is {segment.shape} {segment.dtype}; expected ({count},) integers, the "
            "superpoint of each point"
        )
    return segment
