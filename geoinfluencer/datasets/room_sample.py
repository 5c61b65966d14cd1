"""From the points of a room to one graph sample with its truth."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import torch
from torch_geometric.data import Data

from geoinfluencer.datasets.room import Room
from geoinfluencer.graphs.crop import consecutive
from geoinfluencer.graphs.majority import segment_majority
from geoinfluencer.graphs.points import PointGraph


def room_sample(
    room: Room,
    builder: PointGraph,
    *,
    name: str,
    background: Collection[int] = (),
    keep_map: bool = True,
) -> Data:
    """Build the graph and attach the truth: what most points of a voxel are.

    The sample has, besides what the builder sets: ``instance`` (N,) 0..K-1 or -1 for background,
    ``y`` (N,) class, ``ignore`` (N,) True where most points are not annotated, ``weight`` (N,) 1,
    and ``name``.

    Args:
        room: Points with their instances, and the classes of these.
        builder: Of the graph.
        name: Of the sample.
        background: Classes that are no instances; ``y`` keeps them.
        keep_map: Keep ``voxel_of_point``.
    """
    has_color = bool((room.color != room.color[:1]).any())
    data = builder(room.pos, room.color if has_color else None)
    number = segment_majority(data.voxel_of_point.numpy(), room.instance, len(data.mass))
    label = np.append(room.label, -1)[number]  # -1, not annotated, is the last one
    no_instance = np.isin(label, list(background))
    # an object may have a majority in no voxel
    data.instance = consecutive(torch.from_numpy(np.where(no_instance, -1, number)))
    data.y = torch.from_numpy(label)
    data.ignore = torch.from_numpy(number < 0)
    data.weight = torch.ones(len(label))
    data.name = name
    if not keep_map:
        del data.voxel_of_point
    return data
