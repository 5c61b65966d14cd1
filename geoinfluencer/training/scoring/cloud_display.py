"""What the page of a room needs of its raw points, kept so that it can be drawn again."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from geoinfluencer.plots.viewer import MOST_POINTS
from geoinfluencer.training.scoring.inference import SampleResult

Cloud = Callable[[str], tuple[np.ndarray, np.ndarray]]
Truth = Callable[[str], tuple[np.ndarray, np.ndarray | None]]


def point_arrays(
    result: SampleResult, cloud: Cloud | None, truth: Truth | None
) -> dict[str, np.ndarray]:
    """The points of a room that are in the sample, at most as many as a page shows.

    Args:
        result: of the room.
        cloud: name -> (P, 3) positions and (P, 3) colours of the raw points; None: not known.
        truth: name -> (P,) instance, -1 = none, and (P,) class or None.

    Returns:
        ``point_pos`` (Q, 3), ``point_color`` (Q, 3), ``point_node`` (Q,), and with truth
        ``point_instance``, ``point_semantic`` (Q,); empty where there is no way back to points.
    """
    node = result.sample.get("voxel_of_point")
    if cloud is None or node is None:
        return {}
    node = node.numpy()
    pos, color = cloud(result.name)
    chosen = np.flatnonzero(node >= 0)
    count = len(chosen)
    if count > MOST_POINTS:
        chosen = np.sort(np.random.default_rng(0).choice(chosen, MOST_POINTS, replace=False))
    arrays = {
        "point_pos": pos[chosen].astype(np.float32),
        "point_color": color[chosen],
        "point_node": node[chosen].astype(np.int32),
        "point_count": np.array(count),
    }
    if truth is not None:
        instance, semantic = truth(result.name)
        arrays["point_instance"] = instance[chosen].astype(np.int32)
        if semantic is not None:
            arrays["point_semantic"] = semantic[chosen].astype(np.int16)
    return arrays
