"""From the points of a room to one graph sample with its truth."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import torch
from torch_geometric.data import Data

from geoinfluencer.datasets.room_generator import Room
from geoinfluencer.datasets.s3dis_classes import S3DIS_CLASSES
from geoinfluencer.errors import InputError, suggest
from geoinfluencer.graphs.augment import consecutive
from geoinfluencer.graphs.points import PointGraph
from geoinfluencer.graphs.voxels import VoxelGrid


def make_point_graph(options: Mapping[str, Any] | None) -> PointGraph:
    """Return the graph builder with these options.

    Raises:
        InputError: On an unknown option, with the nearest known one.
    """
    options = dict(options or {})
    known = [name for name in inspect.signature(PointGraph).parameters if name != "self"]
    for name in options:
        if name not in known:
            raise InputError(f"graph: unknown option {name!r}; {suggest(name, known)}")
    return PointGraph(**options)


def room_sample(
    room: Room,
    builder: PointGraph,
    *,
    name: str,
    background: Collection[str] = (),
    keep_map: bool = True,
) -> Data:
    """Build the graph and attach the truth: what most points of a voxel are.

    The sample has, besides what the builder sets: ``instance`` (N,) 0..K-1 or -1 for background,
    ``y`` (N,) class, ``ignore`` (N,) False, ``weight`` (N,) 1, and ``name``.

    Args:
        room: Points with their instances, and the classes of these.
        builder: Of the graph.
        name: Of the sample.
        background: Names of the classes that are no instances; ``y`` keeps them.
        keep_map: Keep ``voxel_of_point``.
    """
    data = builder(room.pos, room.color)
    grid = VoxelGrid(data.voxel_of_point.numpy(), data.mass.numpy())
    number = grid.majority(room.instance)
    label = room.label[number]
    no_instance = np.isin(label, [S3DIS_CLASSES.index(other) for other in background])
    # an object may have a majority in no voxel
    data.instance = consecutive(torch.from_numpy(np.where(no_instance, -1, number)))
    data.y = torch.from_numpy(label)
    data.ignore = torch.zeros(len(label), dtype=torch.bool)
    data.weight = torch.ones(len(label))
    data.name = name
    if not keep_map:
        del data.voxel_of_point
    return data
