"""A point cloud -> graph: voxels, their shape and colour, edges to the nearest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch_geometric.data import Data

from geoinfluencer import ops
from geoinfluencer.errors import InputError
from geoinfluencer.graphs.option_checks import check_flag, check_number, check_whole
from geoinfluencer.graphs.surface_shape import SurfaceShape, surface_shape
from geoinfluencer.graphs.voxels import VoxelGrid, voxel_grid

_MOST_NEIGHBORS = 128
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

    Raises:
        InputError: An option is out of its range.
    """

    voxel: float = 0.05
    neighbors: int = 8
    shape_neighbors: int = 8
    both_directions: bool = True

    def __post_init__(self) -> None:
        check_number("voxel", self.voxel)
        check_whole("neighbors", self.neighbors, 1, _MOST_NEIGHBORS)
        check_whole("shape_neighbors", self.shape_neighbors, 1, _MOST_NEIGHBORS)
        check_flag("both_directions", self.both_directions)

    def __call__(
        self,
        pos: np.ndarray,  # (P, 3) m
        color: np.ndarray | None = None,  # (P, 3) 0 to 255
    ) -> Data:
        """The graph; see :func:`point_graph`."""
        pos, color = _checked(pos, color)
        grid = voxel_grid(pos, self.voxel)
        center = grid.mean(pos).astype(np.float32)
        nearest = _nearest(center, max(self.neighbors, self.shape_neighbors))
        shape = surface_shape(pos, grid, nearest[:, : self.shape_neighbors])
        tint = None if color is None else grid.mean(color).astype(np.float32) / 255
        edge_index = _edges(nearest[:, : self.neighbors], self.both_directions)
        edge_attr = _edge_features(center, shape.normal, tint, edge_index, self.voxel)
        return Data(
            pos=torch.from_numpy(center),
            x=torch.from_numpy(_node_features(center, shape, grid, self.voxel, tint)),
            edge_index=torch.from_numpy(edge_index),
            edge_attr=torch.from_numpy(edge_attr),
            mass=torch.from_numpy(grid.mass.astype(np.float32)),
            voxel_of_point=torch.from_numpy(grid.voxel_of_point),
        )


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


def _nearest(center: np.ndarray, k: int) -> np.ndarray:
    """(N, k) nearest other nodes, -1 where there are fewer."""
    found, _ = ops.knn(torch.from_numpy(center), k=k)
    nearest: np.ndarray = found.numpy()
    return nearest


def _edges(nearest: np.ndarray, both_directions: bool) -> np.ndarray:
    """(2, E) pairs of which either is near the other, each once, sorted by source."""
    node, column = np.nonzero(nearest >= 0)
    other = nearest[node, column]
    count = max(len(nearest), 1)
    pairs = np.unique(np.minimum(node, other) * count + np.maximum(node, other))
    edges = np.stack([pairs // count, pairs % count])
    if both_directions:
        edges = np.concatenate([edges, edges[::-1]], axis=1)
        edges = edges[:, np.lexsort((edges[1], edges[0]))]
    return np.ascontiguousarray(edges, np.int64)


def _node_features(
    center: np.ndarray, shape: SurfaceShape, grid: VoxelGrid, voxel: float, tint: np.ndarray | None
) -> np.ndarray:
    density = np.log(grid.mass / voxel**2)  # points per square metre of a surface through the cell
    floor = np.quantile(center[:, 2], 0.01) if len(center) else 0.0
    has_color = np.full((len(center), 1), tint is not None)
    columns = [
        place_features(center, center[:, 2] - floor),
        shape.normal,
        np.stack([shape.linearity, shape.planarity, shape.scatter, shape.curvature, density], 1),
        np.zeros((len(center), 3)) if tint is None else tint,
        has_color,
    ]
    return np.concatenate(columns, axis=1).astype(np.float32)


def _edge_features(
    center: np.ndarray,
    normal: np.ndarray,
    tint: np.ndarray | None,
    edge_index: np.ndarray,
    voxel: float,
) -> np.ndarray:
    """Lengths in voxels; convexity is positive where the surface bends away from the viewer."""
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
