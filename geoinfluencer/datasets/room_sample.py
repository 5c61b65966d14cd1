"""From the points of a room to one graph sample with its truth."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import torch
from torch_geometric.data import Data

from geoinfluencer import ops
from geoinfluencer.datasets.room import Room
from geoinfluencer.graphs.crop import consecutive
from geoinfluencer.graphs.majority import segment_majority
from geoinfluencer.graphs.points import PointGraph
from geoinfluencer.graphs.superpoint_graph import SuperpointGraph


def room_sample(
    room: Room,
    builder: PointGraph | SuperpointGraph,
    *,
    name: str,
    background: Collection[int] = (),
    counted: np.ndarray | None = None,
    keep_map: bool = True,
) -> Data:
    """Build the graph and attach the truth: what most points of a voxel are.

    The sample has, besides what the builder sets: ``instance`` (N,) 0..K-1 or -1 for background,
    ``y`` (N,) class, ``ignore`` (N,) True where most points are not annotated, ``weight`` (N,) 1,
    ``name``, and with the map and colours ``color`` (N, 3) uint8, for pictures.

    Args:
        room: Points with their instances, and the classes of these.
        builder: Of the graph.
        name: Of the sample.
        background: Classes that are no instances; ``y`` keeps them.
        counted: (P,) the points that tell the truth, make the ``mass`` and keep their way back to a
            node; the others shape the graph and nothing else. ``None``: all.
        keep_map: Keep ``voxel_of_point``, and ``color``.
    """
    has_color = bool((room.color != room.color[:1]).any())
    segment = room.segment if len(room.segment) == len(room.pos) else None
    data = builder(room.pos, room.color if has_color else None, segment)
    if counted is not None:
        data.voxel_of_point[torch.from_numpy(~counted)] = -1
    voxel = data.voxel_of_point.numpy()
    inside = voxel >= 0
    number = segment_majority(voxel[inside], room.instance[inside], len(data.mass))
    if counted is not None:
        mass = np.bincount(voxel[inside], minlength=len(number))
        number[mass == 0] = -1
        data.mass = torch.from_numpy(mass.astype(np.float32))
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
    elif has_color:
        data.color = _mean_color(room.color, data.voxel_of_point, len(label))
    return data


def _mean_color(color: np.ndarray, voxel: torch.Tensor, count: int) -> torch.Tensor:
    inside = voxel >= 0
    rows = torch.from_numpy(color.astype(np.float64))[inside]
    total = ops.segment_sum(rows, voxel[inside], count)
    mass = torch.bincount(voxel[inside], minlength=count).clamp(min=1)
    return (total / mass[:, None]).round().to(torch.uint8)
