"""A point cloud -> graph: voxels, their shape and colour, edges to the nearest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch_geometric.data import Data

from geoinfluencer.graphs.coarse_superpoints import check_coarse, coarser
from geoinfluencer.graphs.option_checks import check_flag, check_number, check_whole
from geoinfluencer.graphs.superpoints import cut
from geoinfluencer.graphs.surface_shape import SurfaceShape
from geoinfluencer.graphs.voxel_cloud import MOST_NEIGHBORS, VoxelCloud, voxel_cloud

_WAVELENGTHS = (8.0, 4.0, 2.0, 1.0)  # metres: a room, a table, a chair
POINT_NODE_FEATURES = (
    ("x", "y", "height")
    + tuple(f"{f}_{axis}/{w:g}" for w in _WAVELENGTHS for f in ("cos", "sin") for axis in "xyz")
    + ("normal_x", "normal_y", "normal_z")
    + ("linearity", "planarity", "scatter", "curvature", "log_density")
    + ("red", "green", "blue", "has_color")
)
POINT_EDGE_FEATURES = (
    "offset_x", "offset_y", "offset_z", "distance", "normal_angle", "along_source",
    "along_target", "convexity", "color_difference",
)  # fmt: skip


@dataclass(frozen=True)
class PointGraph:
    """Build the graph of one cloud; see :func:`point_graph` for what it holds.

    Args:
        voxel: Edge of a cell, metres.
        neighbors: k of the nearest voxels that edges go to.
        shape_neighbors: Nearest voxels whose points tell the normal and the shape.
        both_directions: Give every edge both ways. The encoders of this package read an edge
            from both of its ends, for them one way does.
        superpoints: Least voxels of a superpoint; nodes then have ``superpoint``, of which one they
            are, which the encoder ``hierarchy`` reads. ``None``: they have not.
        coarse: Least voxels of a coarse superpoint, at least ``superpoints``; nodes then have
            ``coarse`` too (:func:`~geoinfluencer.graphs.coarser`). ``None``: they have not.

    Raises:
        InputError: An option is out of its range.
    """

    voxel: float = 0.05
    neighbors: int = 8
    shape_neighbors: int = 8
    both_directions: bool = True
    superpoints: int | None = None
    coarse: int | None = None

    def __post_init__(self) -> None:
        check_number("voxel", self.voxel)
        check_whole("neighbors", self.neighbors, 1, MOST_NEIGHBORS)
        check_whole("shape_neighbors", self.shape_neighbors, 1, MOST_NEIGHBORS)
        check_flag("both_directions", self.both_directions)
        if self.superpoints is not None:
            check_whole("superpoints", self.superpoints, 1)
        check_coarse(self.coarse, self.superpoints)

    def __call__(
        self,
        pos: np.ndarray,  # (P, 3) m
        color: np.ndarray | None = None,  # (P, 3) 0 to 255
        segment: np.ndarray | None = None,  # (P,) integers
    ) -> Data:
        """The graph, see :func:`point_graph`, and with ``superpoints`` also ``superpoint`` (N,),
        those of its own graph: ``segment``, the scan's own, where there are such. With
        ``coarse`` also ``coarse`` (N,), each of whole superpoints."""
        cloud = voxel_cloud(
            pos, color, voxel=self.voxel, neighbors=self.neighbors,
            shape_neighbors=self.shape_neighbors,
        )  # fmt: skip
        edge_index = both_ways(cloud.pairs) if self.both_directions else cloud.pairs
        shape = cloud.shape
        edge_attr = edge_features(cloud.center, shape.normal, cloud.tint, edge_index, self.voxel)
        data = Data(
            pos=torch.from_numpy(cloud.center),
            x=torch.from_numpy(_node_features(cloud)),
            edge_index=torch.from_numpy(edge_index),
            edge_attr=torch.from_numpy(edge_attr),
            mass=torch.from_numpy(cloud.grid.mass.astype(np.float32)),
            voxel_of_point=torch.from_numpy(cloud.grid.voxel_of_point),
        )
        if self.superpoints is not None:
            partition = cut(cloud, segment, min_size=self.superpoints)
            data.superpoint = torch.from_numpy(partition.superpoint_of_voxel)
            if self.coarse is not None:
                above = coarser(partition, min_size=self.coarse)
                data.coarse = torch.from_numpy(above.superpoint_of_voxel)
        return data


def point_graph(
    pos: np.ndarray,  # (P, 3) m
    color: np.ndarray | None = None,  # (P, 3) 0 to 255
    *,
    voxel: float = 0.05,
    neighbors: int = 8,
    shape_neighbors: int = 8,
    both_directions: bool = True,
) -> Data:
    """The graph of the voxels of a point cloud.

    Nodes are the cells of a regular grid that hold points, at the mean of these. Two nodes share
    an edge if either is among the nearest of the other.

    Args:
        pos: z points up.
        color: ``None``: the columns are 0, and ``has_color`` says so.
        voxel: Edge of a cell, metres.
        neighbors: k of the nearest.
        shape_neighbors: Nearest voxels whose points tell the normal and the shape.
        both_directions: Every edge both ways, else from the smaller number to the larger.

    Shapes:
        ``pos`` (N, 3), ``x`` (N, F) as ``POINT_NODE_FEATURES`` names them, with x
        and y from the middle and heights above the lowest percent of the nodes,
        ``edge_index`` (2, E), ``edge_attr`` (E, A) ``POINT_EDGE_FEATURES``,
        ``mass`` (N,) points per node, ``voxel_of_point`` (P,), which counts the nodes of its own
        graph in a batch too.

    Raises:
        InputError: An option is out of its range, shapes do not fit, a value is not finite, or a
            colour not within 0 to 255.
    """
    graph = PointGraph(
        voxel=voxel, neighbors=neighbors, shape_neighbors=shape_neighbors,
        both_directions=both_directions,
    )  # fmt: skip
    return graph(pos, color)


def place_features(pos: np.ndarray, height: np.ndarray) -> np.ndarray:
    """(N, 27) float32: where nodes (N, 3) are, of heights (N,) above the floor; the first columns
    of ``POINT_NODE_FEATURES``."""
    if not len(pos):
        return np.empty((0, 3 + 6 * len(_WAVELENGTHS)), np.float32)
    middle = (pos[:, :2].min(0) + pos[:, :2].max(0)) / 2
    place = np.concatenate([pos[:, :2] - middle, height[:, None]], axis=1)
    waves = [f(2 * np.pi / w * place) for w in _WAVELENGTHS for f in (np.cos, np.sin)]
    return np.concatenate([place, *waves], axis=1).astype(np.float32)


def both_ways(pairs: np.ndarray) -> np.ndarray:
    """(2, 2E) edges of pairs (2, E), sorted by source."""
    edges = np.concatenate([pairs, pairs[::-1]], axis=1)
    return np.ascontiguousarray(edges[:, np.lexsort((edges[1], edges[0]))])


def _node_features(cloud: VoxelCloud) -> np.ndarray:
    # points per square metre of a surface through the cell
    density = np.log(cloud.grid.mass / cloud.voxel**2)
    return node_features(
        cloud.center, cloud.center[:, 2] - cloud.floor, cloud.shape, density, cloud.tint
    )


def node_features(
    center: np.ndarray,  # (N, 3)
    height: np.ndarray,  # (N,)
    shape: SurfaceShape,
    density: np.ndarray,  # (N,)
    tint: np.ndarray | None,  # (N, 3)
) -> np.ndarray:
    """(N, F) float32, the columns of ``POINT_NODE_FEATURES``."""
    columns = [
        place_features(center, height),
        shape.normal,
        np.stack([shape.linearity, shape.planarity, shape.scatter, shape.curvature, density], 1),
        np.zeros((len(center), 3)) if tint is None else tint,
        np.full((len(center), 1), tint is not None),
    ]
    return np.concatenate(columns, axis=1).astype(np.float32)


def edge_features(
    center: np.ndarray,
    normal: np.ndarray,
    tint: np.ndarray | None,
    edge_index: np.ndarray,
    voxel: float,
) -> np.ndarray:
    """(E, A) float32, the columns of ``POINT_EDGE_FEATURES``.

    Lengths in voxels; convexity is positive where the surface bends away from the viewer.
    """
    source, target = edge_index
    offset = (center[target] - center[source]) / voxel
    ends = normal[source], normal[target]
    along = [(n * offset).sum(1) for n in ends]
    angle = np.arccos(np.clip(np.abs((ends[0] * ends[1]).sum(1)), 0, 1))
    difference = np.zeros(len(source))
    if tint is not None:
        difference = np.linalg.norm(tint[target] - tint[source], axis=1)
    columns = [offset[:, 0], offset[:, 1], offset[:, 2], np.linalg.norm(offset, axis=1), angle]
    columns += [np.abs(along[0]), np.abs(along[1]), along[1] - along[0], difference]
    return np.stack(columns, axis=1).astype(np.float32)
