"""Symmetries, crops and missing colours of a built point graph, without building it again."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import torch
from torch import Tensor
from torch_geometric.data import Data

from geoinfluencer.graphs.crop import crop_nodes
from geoinfluencer.graphs.points import place_features
from geoinfluencer.graphs.superpoint_graph import (
    SUPERPOINT_EDGE_FEATURES,
    SUPERPOINT_NODE_FEATURES,
)

# graphs of voxels have the first of these columns
_HEIGHT = SUPERPOINT_NODE_FEATURES.index("height")
_NORMAL = SUPERPOINT_NODE_FEATURES.index("normal_x")
_NODE_LENGTHS = [
    SUPERPOINT_NODE_FEATURES.index(name)
    for name in ("length", "width", "thickness", "lowest", "highest")
]
_NODE_COLORS = [
    SUPERPOINT_NODE_FEATURES.index(name)
    for name in ("red", "green", "blue", "has_color", "color_spread")
]
_EDGE_LENGTHS = [
    SUPERPOINT_EDGE_FEATURES.index(name)
    for name in (
        "offset_x", "offset_y", "offset_z", "distance", "along_source", "along_target",
        "convexity", "gap", "contact_convexity",
    )
]  # fmt: skip
_EDGE_COLORS = [
    SUPERPOINT_EDGE_FEATURES.index(name) for name in ("color_difference", "contact_color")
]


def transform_points(
    data: Data, *, angle: float = 0.0, mirror: bool = False, scale: float = 1.0
) -> Data:
    """A copy of a point graph mirrored (x -> -x), then turned about z, then scaled.

    Args:
        data: A sample of :class:`~geoinfluencer.graphs.PointGraph` or
            :class:`~geoinfluencer.graphs.SuperpointGraph`.
        angle: Rotation about z [rad].
        mirror: x -> -x, before the rotation.
        scale: Factor of all lengths; edge features count in voxels and scale with it.
    """
    out = data.clone()
    cos, sin = math.cos(angle), math.sin(angle)
    turn = torch.tensor([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])
    if mirror:
        turn[:, 0] *= -1
    out.pos = scale * data.pos @ turn.T
    out.x[:, :_NORMAL] = _places(out.pos, scale * data.x[:, _HEIGHT])
    out.x[:, _NORMAL : _NORMAL + 3] = data.x[:, _NORMAL : _NORMAL + 3] @ turn.T
    out.edge_attr[:, :3] = data.edge_attr[:, :3] @ turn.T
    out.x[:, _there(_NODE_LENGTHS, out.x)] *= scale
    out.edge_attr[:, _there(_EDGE_LENGTHS, out.edge_attr)] *= scale
    return out


def drop_color(data: Data) -> Data:
    """A copy of a point graph as if it had been built without colour."""
    out = data.clone()
    out.x[:, _there(_NODE_COLORS, out.x)] = 0
    out.edge_attr[:, _there(_EDGE_COLORS, out.edge_attr)] = 0
    return out


def augmented_points(
    sample: Data,
    rng: np.random.Generator,
    *,
    rotate: bool,
    mirror: bool,
    scale: float,
    color_drop: float,
) -> Data:
    """The sample turned, mirrored and scaled by up to 1 +- ``scale`` at random; ``color_drop`` is
    the probability that its colour is left out."""
    out = transform_points(
        sample,
        angle=rng.uniform(-math.pi, math.pi) if rotate else 0.0,
        mirror=bool(mirror and rng.random() < 0.5),
        scale=rng.uniform(1 - scale, 1 + scale),
    )
    return drop_color(out) if rng.random() < color_drop else out


def crop_points(
    data: Data, center: Tensor, max_nodes: int, shape: Literal["column", "sphere"] = "column"
) -> Data:
    """The ``max_nodes`` nodes nearest to ``center`` (3,), in space or by their distance in x and y.

    Where nodes are, in ``x``, then counts from the middle of what is left; heights stay above the
    floor of the whole cloud. ``voxel_of_point`` is -1 for points of nodes that were cut.
    """
    count = data.pos.shape[0]
    if count <= max_nodes:
        return data
    axes = 2 if shape == "column" else 3
    distance = (data.pos - center)[:, :axes].square().sum(1)
    keep = torch.zeros(count, dtype=torch.bool)
    keep[distance.topk(max_nodes, largest=False).indices] = True
    voxel_of_point = data.get("voxel_of_point")
    part = data.__copy__()
    if voxel_of_point is not None:
        del part.voxel_of_point  # its length may be N by chance
    part = crop_nodes(part, keep)
    part.x = torch.cat([_places(part.pos, part.x[:, _HEIGHT]), part.x[:, _NORMAL:]], dim=1)
    if voxel_of_point is not None:
        number = torch.where(keep, keep.cumsum(0) - 1, -1)
        part.voxel_of_point = torch.where(
            voxel_of_point < 0, -1, number[voxel_of_point.clamp(min=0)]
        )
    return part


def _there(columns: list[int], table: Tensor) -> list[int]:
    return [column for column in columns if column < table.shape[1]]


def _places(pos: Tensor, height: Tensor) -> Tensor:
    return torch.from_numpy(place_features(pos.numpy(), height.numpy()))
