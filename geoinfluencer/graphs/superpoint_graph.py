"""A point cloud -> graph of its superpoints: their shape and colour, edges where they touch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch_geometric.data import Data

from geoinfluencer import ops
from geoinfluencer.graphs.coarse_superpoints import check_coarse, coarser, nesting
from geoinfluencer.graphs.option_checks import check_flag
from geoinfluencer.graphs.points import (
    POINT_EDGE_FEATURES,
    POINT_NODE_FEATURES,
    edge_features,
    node_features,
)
from geoinfluencer.graphs.superpoint_means import (
    segment_totals,
    superpoint_contacts,
    superpoint_means,
)
from geoinfluencer.graphs.superpoints import Partition, Superpoints

SUPERPOINT_NODE_FEATURES = (
    *POINT_NODE_FEATURES, "length", "width", "thickness", "lowest", "highest", "normal_agreement",
    "color_spread", "log_voxels",
)  # fmt: skip
SUPERPOINT_EDGE_FEATURES = (
    *POINT_EDGE_FEATURES, "gap", "contact_angle", "contact_convexity", "contact_color",
    "log_contacts", "contact_share",
)  # fmt: skip
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
        coarse: Least voxels of a coarse superpoint, at least ``min_size``; nodes then have
            ``coarse``, in which one they lie (:func:`~geoinfluencer.graphs.coarser`), which the
            encoder ``hierarchy`` reads. ``None``: they have not.

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
    coarse: int | None = None

    def __post_init__(self) -> None:
        self.superpoints()
        check_flag("own_segments", self.own_segments)
        check_flag("both_directions", self.both_directions)
        check_coarse(self.coarse, self.min_size)

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
            ``voxel_of_point`` (P,), the node of each point, ``superpoint`` (S,) 0..S-1, with the
            option ``coarse`` (S,) 0..C-1.

        Raises:
            InputError: Shapes do not fit, a value is not finite, or a colour not within 0 to 255.
        """
        own = segment if self.own_segments else None
        partition = self.superpoints()(pos, color, own)
        data = superpoint_graph(partition, self.both_directions)
        if self.coarse is not None:
            above = coarser(
                partition, min_size=self.coarse, scale=self.scale, color_weight=self.color_weight
            )
            data.coarse = torch.from_numpy(nesting(partition, above))
        return data


def superpoint_graph(partition: Partition, both_directions: bool = True) -> Data:
    """The graph of a partition, fine or coarse; see :class:`SuperpointGraph`."""
    cloud, count = partition.cloud, partition.count
    means = superpoint_means(partition)
    center, shape = means.center, means.shape
    voxels = np.maximum(np.bincount(partition.superpoint_of_voxel, minlength=count), 1)
    density = np.log(means.mass / (voxels * cloud.voxel**2))
    x = node_features(center, center[:, 2] - cloud.floor, shape, density, means.tint)
    more = [shape.extent, _heights(partition), means.agreement, means.spread, np.log(voxels)]
    edge_index, contacts = _contacts(partition)
    if both_directions:
        row = np.concatenate([np.arange(len(contacts))] * 2)
        edge_index = np.concatenate([edge_index, edge_index[::-1]], axis=1)
        order = np.lexsort((edge_index[1], edge_index[0]))
        edge_index, contacts = edge_index[:, order], contacts[row[order]]
    edge_attr = edge_features(center, shape.normal, means.tint, edge_index, cloud.voxel)
    return Data(
        pos=torch.from_numpy(center),
        x=torch.from_numpy(np.column_stack([x, *more]).astype(np.float32)),
        edge_index=torch.from_numpy(np.ascontiguousarray(edge_index)),
        edge_attr=torch.from_numpy(np.concatenate([edge_attr, contacts], 1).astype(np.float32)),
        mass=torch.from_numpy(means.mass.astype(np.float32)),
        voxel_of_point=torch.from_numpy(partition.superpoint_of_point),
        superpoint=torch.arange(count),
    )


def _heights(partition: Partition) -> np.ndarray:
    """(S, 2) the lowest and the highest point above the floor."""
    height = torch.from_numpy(partition.cloud.pos[:, 2] - partition.cloud.floor)
    of_point = torch.from_numpy(partition.superpoint_of_point)
    ends = [f(height, of_point, partition.count) for f in (ops.segment_min, ops.segment_max)]
    return torch.stack(ends, 1).numpy()


def _contacts(partition: Partition) -> tuple[np.ndarray, np.ndarray]:
    """Pairs (2, E) of superpoints that touch, the smaller number first, and (E, 6) the columns
    that ``SUPERPOINT_EDGE_FEATURES`` adds: means over contacts, and how many there are."""
    cloud, found = partition.cloud, superpoint_contacts(partition)
    pair, row = found.pair, found.row
    each = edge_features(
        cloud.center, cloud.shape.normal, cloud.tint, cloud.pairs[:, found.between], cloud.voxel
    )[:, [POINT_EDGE_FEATURES.index(name) for name in _OF_CONTACTS]]
    contacts = np.bincount(row, minlength=pair.shape[1]).astype(np.float64)
    mean = segment_totals(each, row, pair.shape[1]) / contacts[:, None]
    border = np.bincount(pair.reshape(-1), np.tile(contacts, 2), minlength=max(partition.count, 1))
    share = contacts / border[pair].min(0)  # of the border of the one with less
    return pair, np.column_stack([mean, np.log(contacts), share])
