"""Coarse superpoints, each of whole superpoints: the third level above voxels and superpoints."""

from __future__ import annotations

import numpy as np
import torch

from geoinfluencer import ops
from geoinfluencer.errors import InputError
from geoinfluencer.graphs.option_checks import check_number, check_whole
from geoinfluencer.graphs.superpoint_means import superpoint_contacts, superpoint_means
from geoinfluencer.graphs.superpoints import Partition, Superpoints, unlike


def coarser(
    partition: Partition,
    *,
    min_size: int,
    scale: float = Superpoints.scale,
    color_weight: float = Superpoints.color_weight,
) -> Partition:
    """Join superpoints to larger ones; every superpoint lies wholly in one of these.

    The rule that made them goes on: :func:`~geoinfluencer.ops.felzenszwalb` on the graph of those
    that touch, which begins with each of them as one segment of as many voxels as it has. How
    unlike two are is the difference of :class:`~geoinfluencer.graphs.Superpoints`, of their mean
    places, normals and colours in place of those of voxels. The graph of the coarse ones, their
    features and which of them touch, is that of any partition,
    :func:`~geoinfluencer.graphs.superpoint_graph`.

    Args:
        partition: S superpoints, however they were found.
        min_size: Voxels; smaller coarse superpoints join the neighbour that differs least.
        scale: s of the rule; beside ``min_size`` it hardly counts, segments being large.
        color_weight: How much a change of colour counts beside normals.

    Raises:
        InputError: An option is out of its range.
    """
    check_whole("min_size", min_size, 1)
    check_number("scale", scale, zero=True)
    check_number("color_weight", color_weight, zero=True)
    means, pair = superpoint_means(partition), superpoint_contacts(partition).pair
    weight = unlike(means.center, means.shape.normal, means.tint, pair, color_weight)
    # a segment of a scan's own partition may have the majority in no voxel: it counts as one
    lone = np.flatnonzero(np.bincount(partition.superpoint_of_voxel, minlength=partition.count) < 1)
    member = np.concatenate([partition.superpoint_of_voxel, lone])
    order = np.argsort(member, kind="stable")
    first = order[np.searchsorted(member[order], np.arange(partition.count))]
    # chains of weight 0, taken first, make one segment of each superpoint, connected or not
    chain = np.stack([order[:-1], order[1:]])[:, member[order[:-1]] == member[order[1:]]]
    label = ops.felzenszwalb(
        torch.from_numpy(np.concatenate([chain, first[pair]], axis=1)),
        torch.from_numpy(np.concatenate([np.zeros(chain.shape[1], np.float32), weight])),
        len(member),
        scale=scale,
        min_size=min_size,
    ).numpy()
    coarse = label[first]
    return Partition(
        cloud=partition.cloud,
        superpoint_of_voxel=coarse[partition.superpoint_of_voxel],
        superpoint_of_point=coarse[partition.superpoint_of_point],
        count=int(coarse.max(initial=-1)) + 1,
    )


def nesting(fine: Partition, coarse: Partition) -> np.ndarray:
    """(S,) int64, the coarse superpoint in which each of the S fine ones lies.

    Raises:
        InputError: A superpoint lies in several, or the partitions are of different points.
    """
    if fine.superpoint_of_point.shape != coarse.superpoint_of_point.shape:
        raise InputError(
            f"the partitions have {len(fine.superpoint_of_point)} and "
            f"{len(coarse.superpoint_of_point)} points; give two of one cloud"
        )
    found = np.full(fine.count, -1)
    found[fine.superpoint_of_point] = coarse.superpoint_of_point
    split = found[fine.superpoint_of_point] != coarse.superpoint_of_point
    if split.any():
        number = int(fine.superpoint_of_point[split.argmax()])
        raise InputError(f"superpoint {number} lies in several coarse ones; make these of whole")
    return found


def check_coarse(coarse: int | None, finer: int | None) -> None:
    """Raises InputError unless ``coarse``, least voxels, is ``None`` or at least ``finer``."""
    if coarse is None:
        return
    if finer is None:
        raise InputError("coarse needs superpoints; set these to the least voxels of a fine one")
    check_whole("coarse", coarse, finer)
