"""A point cloud -> graph of its superpoints: their shape and colour, edges where they touch."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch_geometric.data import Data

from geoinfluencer import ops
from geoinfluencer.graphs.option_checks import check_flag
from geoinfluencer.graphs.points import (
    POINT_EDGE_FEATURES,
    POINT_NODE_FEATURES,
    edge_features,
    node_features,
)
from geoinfluencer.graphs.superpoints import Partition, Superpoints
from geoinfluencer.graphs.surface_shape import SurfaceShape, point_moments, shape_of_moments

SUPERPOINT_NODE_FEATURES = (
    *POINT_NODE_FEATURES, "length", "width", "thickness", "lowest", "highest", "normal_agreement",
    "color_spread", "log_voxels",
)  # fmt: skip
SUPERPOINT_EDGE_FEATURES = (
    *POINT_EDGE_FEATURES, "gap", "contact_angle", "contact_convexity", "contact_color",
    "log_contacts", "contact_share",
)  # fmt: skip
_CLEAR = 0.1  # length of a mean normal; a shorter one is that of a body seen from all sides
_OF_CONTACTS = ("distance", "normal_angle", "convexity", "color_difference")


@dataclass(frozen=True)
class SuperpointGraph:
    """Build the graph of the superpoints of one cloud, after `"Large-scale point cloud semantic
    segmentation with superpoint graphs" (Landrieu and Simonovsky, CVPR 2018)
    <https://arxiv.org/abs/1711.09869>`_.

    Nodes are superpoints, at the mean of their points. Two share an edge if a voxel of one is among
    the nearest of a voxel of the other: a contact.

    Args:
        voxel: Edge of a cell, metres.
        neighbors: Nearest voxels that a voxel is compared with, and may touch.
        shape_neighbors: Nearest voxels whose points tell the normal of a voxel.
        scale: How large superpoints are, see :class:`~geoinfluencer.graphs.Superpoints`.
        min_size: Voxels of a superpoint.
        color_weight: What colour counts beside normals.
        own_segments: Take the scan's own partition in place of these where it has one (ScanNet's
            ``segIndices``).
        both_directions: Give every edge both ways. The encoders of this package read an edge
            from both of its ends, for them one way does.

    Raises:
        InputError: An option is out of its range.
    """

    voxel: float = Superpoints.voxel
    neighbors: int = Superpoints.neighbors
    shape_neighbors: int = Superpoints.shape_neighbors
    scale: float = Superpoints.scale
    min_size: int = Superpoints.min_size
    color_weight: float = Superpoints.color_weight
    own_segments: bool = True
    both_directions: bool = True

    def __post_init__(self) -> None:
        self.superpoints()
        check_flag("own_segments", self.own_segments)
        check_flag("both_directions", self.both_directions)

    def superpoints(self) -> Superpoints:
        """What cuts the cloud."""
        return Superpoints(
            voxel=self.voxel, neighbors=self.neighbors, shape_neighbors=self.shape_neighbors,
            scale=self.scale, min_size=self.min_size, color_weight=self.color_weight,
        )  # fmt: skip

    def __call__(
        self,
        pos: np.ndarray,  # (P, 3) m
        color: np.ndarray | None = None,  # (P, 3) 0 to 255
        segment: np.ndarray | None = None,  # (P,) integers
    ) -> Data:
        """The graph.

        Args:
            pos: z points up.
            color: ``None``: the columns are 0, and ``has_color`` says so.
            segment: The scan's own partition.

        Shapes:
            ``pos`` (S, 3), ``x`` (S, F) ``SUPERPOINT_NODE_FEATURES``, ``edge_index`` (2, E),
            ``edge_attr`` (E, A) ``SUPERPOINT_EDGE_FEATURES``, ``mass`` (S,) points per node,
            ``voxel_of_point`` (P,), the node of each point, ``superpoint`` (S,) 0..S-1.

        Raises:
            InputError: Shapes do not fit, a value is not finite, or a colour not within 0 to 255.
        """
        own = segment if self.own_segments else None
        return superpoint_graph(self.superpoints()(pos, color, own), self.both_directions)


def superpoint_graph(partition: Partition, both_directions: bool = True) -> Data:
    """The graph of a partition; see :class:`SuperpointGraph`."""
    cloud, count = partition.cloud, partition.count
    mass = np.bincount(partition.superpoint_of_point, minlength=count).astype(np.float64)
    center, shape, agreement = _shapes(partition, mass)
    tint, spread = _tints(partition, mass)
    voxels = np.maximum(np.bincount(partition.superpoint_of_voxel, minlength=count), 1)
    density = np.log(mass / (voxels * cloud.voxel**2))
    x = node_features(center, center[:, 2] - cloud.floor, shape, density, tint)
    more = [shape.extent, _heights(partition), agreement, spread, np.log(voxels)]
    edge_index, contacts = _contacts(partition)
    if both_directions:
        row = np.concatenate([np.arange(len(contacts))] * 2)
        edge_index = np.concatenate([edge_index, edge_index[::-1]], axis=1)
        order = np.lexsort((edge_index[1], edge_index[0]))
        edge_index, contacts = edge_index[:, order], contacts[row[order]]
    edge_attr = edge_features(center, shape.normal, tint, edge_index, cloud.voxel)
    return Data(
        pos=torch.from_numpy(center),
        x=torch.from_numpy(np.column_stack([x, *more]).astype(np.float32)),
        edge_index=torch.from_numpy(np.ascontiguousarray(edge_index)),
        edge_attr=torch.from_numpy(np.concatenate([edge_attr, contacts], 1).astype(np.float32)),
        mass=torch.from_numpy(mass.astype(np.float32)),
        voxel_of_point=torch.from_numpy(partition.superpoint_of_point),
        superpoint=torch.arange(count),
    )


def _total(values: np.ndarray, segment: np.ndarray, count: int) -> np.ndarray:
    rows = torch.from_numpy(np.ascontiguousarray(values, np.float64))
    found: np.ndarray = ops.segment_sum(rows, torch.from_numpy(segment), count).numpy()
    return found


def _shapes(partition: Partition, mass: np.ndarray) -> tuple[np.ndarray, SurfaceShape, np.ndarray]:
    """Means (S, 3), shapes, and the length (S,) of the mean normal: 1 where all agree."""
    cloud, of_point = partition.cloud, partition.superpoint_of_point
    middle = cloud.pos.mean(0) if len(cloud.pos) else np.zeros(3)
    moments = _total(point_moments(cloud.pos, middle), of_point, partition.count)
    own = moments[:, 1:4] / mass[:, None]
    shape = shape_of_moments(moments, own)
    # the mean of the voxels' own is right of bent ones too; sides are those of the whole
    seen = cloud.shape.normal[cloud.grid.voxel_of_point]
    side = np.einsum("ij,ij->i", seen, shape.normal[of_point]) < 0
    seen = _total(np.where(side[:, None], -seen, seen), of_point, partition.count)
    seen /= mass[:, None]
    agreement = np.linalg.norm(seen, axis=1)
    clear = agreement > _CLEAR
    normal = np.where(clear[:, None], seen / np.maximum(agreement, _CLEAR)[:, None], shape.normal)
    return (own + middle).astype(np.float32), replace(shape, normal=normal), agreement


def _tints(partition: Partition, mass: np.ndarray) -> tuple[np.ndarray | None, np.ndarray]:
    """Mean (S, 3) and spread (S,) of the colour, 0 to 1."""
    color = partition.cloud.color
    if color is None:
        return None, np.zeros(partition.count)
    share = color.astype(np.float64) / 255
    of_point, count = partition.superpoint_of_point, partition.count
    mean = _total(share, of_point, count) / mass[:, None]
    square = _total(share * share, of_point, count) / mass[:, None]
    return mean, np.sqrt((square - mean * mean).clip(min=0).sum(1))


def _heights(partition: Partition) -> np.ndarray:
    """(S, 2) the lowest and the highest point above the floor."""
    height = torch.from_numpy(partition.cloud.pos[:, 2] - partition.cloud.floor)
    of_point = torch.from_numpy(partition.superpoint_of_point)
    ends = [f(height, of_point, partition.count) for f in (ops.segment_min, ops.segment_max)]
    return torch.stack(ends, 1).numpy()


def _contacts(partition: Partition) -> tuple[np.ndarray, np.ndarray]:
    """Pairs (2, E) of superpoints that touch, the smaller number first, and (E, 6) the columns
    that ``SUPERPOINT_EDGE_FEATURES`` adds: means over contacts, and how many there are."""
    cloud, count = partition.cloud, max(partition.count, 1)
    ends = partition.superpoint_of_voxel[partition.cloud.pairs]
    apart = ends[0] != ends[1]
    low, high = np.sort(ends[:, apart], axis=0)
    each = edge_features(
        cloud.center, cloud.shape.normal, cloud.tint, partition.cloud.pairs[:, apart], cloud.voxel
    )[:, [POINT_EDGE_FEATURES.index(name) for name in _OF_CONTACTS]]
    keys = low * count + high
    key = np.unique(keys)
    row = np.searchsorted(key, keys)
    contacts = np.bincount(row, minlength=len(key)).astype(np.float64)
    mean = _total(each, row, len(key)) / contacts[:, None]
    pair = np.stack(np.divmod(key, count))
    border = np.bincount(pair.reshape(-1), np.tile(contacts, 2), minlength=count)
    share = contacts / border[pair].min(0)  # of the border of the one with less
    return pair, np.column_stack([mean, np.log(contacts), share])
