"""Pages of the viewer from what is known of a point cloud: every layer where its data is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from geoinfluencer.plots.matching import matched_instance
from geoinfluencer.plots.viewer import Layer, write_viewer
from geoinfluencer.plots.viewer_layers import (
    class_layer,
    color_layer,
    embedding_layer,
    error_layer,
    height_layer,
    influencer_layer,
    instance_layer,
    prediction_layer,
    superpoint_layer,
)


def cloud_layers(
    pos: np.ndarray,  # (P, 3) m
    *,
    color: np.ndarray | None = None,  # (P, 3) 0 to 255
    truth: np.ndarray | None = None,  # (P,) -1 = none
    ignore: np.ndarray | None = None,  # (P,)
    predicted: np.ndarray | None = None,  # (P,) -1 = none
    semantic: np.ndarray | None = None,  # (P,) -1 = none
    semantic_truth: np.ndarray | None = None,  # (P,)
    class_names: Sequence[str] = (),
    follower: np.ndarray | None = None,  # (N, D)
    node_of_point: np.ndarray | None = None,  # (P,); None: points are the nodes
    superpoint: np.ndarray | None = None,  # (P,)
    coarse: np.ndarray | None = None,  # (P,)
    representative: np.ndarray | None = None,  # (K,) nodes
) -> list[Layer]:
    """Layers in the order of their buttons, of what is given."""
    measured = color is not None and bool((color != color[:1]).any())
    layers = [color_layer(color) if measured and color is not None else height_layer(pos)]
    shown = None
    if predicted is not None and truth is not None:
        told = truth if ignore is None else np.where(ignore, -1, truth)
        shown = matched_instance(told, predicted)
    if truth is not None:
        layers.append(instance_layer("truth", "Ground truth", truth))
    if predicted is not None:
        layers.append(prediction_layer(predicted, shown))
    if semantic is not None:
        layers.append(class_layer(semantic, class_names))
    if semantic_truth is not None:
        layers.append(
            class_layer(semantic_truth, class_names, "semantic-truth", "True semantic class")
        )
    if predicted is not None and truth is not None:
        layers.append(error_layer(truth, predicted, ignore))
    if follower is not None and len(follower):
        layers.append(embedding_layer(follower, node_of_point))
    if superpoint is not None:
        layers.append(superpoint_layer(superpoint))
    if coarse is not None:
        layers.append(superpoint_layer(coarse, "coarse", "Coarse superpoints"))
    if predicted is not None and representative is not None:
        layers.append(influencer_layer(predicted, representative, shown))
    return layers


def consecutive_labels(label: np.ndarray) -> np.ndarray:
    """Labels of any size (P,) as 0..K-1; negative ones as -1."""
    values, number = np.unique(np.maximum(label, -1), return_inverse=True)
    numbered: np.ndarray = number.reshape(-1) - int(len(values) > 0 and values[0] < 0)
    return numbered


def is_cloud(arrays: Mapping[str, np.ndarray]) -> bool:
    """Whether the arrays of a displayed sample are points in space that a page can show."""
    pos = arrays.get("pos")
    return pos is not None and pos.ndim == 2 and pos.shape[1] == 3 and "mass" in arrays


def write_sample_page(
    path: Path, arrays: Mapping[str, np.ndarray], name: str, class_names: Sequence[str] = ()
) -> None:
    """The page of a displayed sample: its raw points where they are kept, else its nodes.

    Args:
        path: Of the HTML file.
        arrays: ``pos`` (N, 3), ``mass`` (N,), ``predicted``, ``representative``, ``follower``, and
            what is known of ``color``, ``truth``, ``ignore``, ``semantic``, ``semantic_truth``,
            ``superpoint``, ``coarse``; of raw points ``point_pos`` (Q, 3), ``point_node`` (Q,),
            ``point_color``, ``point_instance``, ``point_semantic``, ``point_count``.
        name: Of the sample.
        class_names: Of ``semantic``.
    """
    node = arrays.get("point_node", np.arange(len(arrays["pos"])))
    known = (
        "color", "truth", "ignore", "predicted", "semantic", "semantic_truth", "superpoint",
        "coarse",
    )  # fmt: skip
    shown = {key: arrays[key][node] for key in known if key in arrays}
    raw = {"color": "point_color", "truth": "point_instance", "semantic_truth": "point_semantic"}
    there = (*shown, "color")
    shown |= {key: arrays[own] for key, own in raw.items() if own in arrays and key in there}
    if "truth" in shown:
        shown["truth"] = consecutive_labels(shown["truth"])
    points = arrays.get("point_pos", arrays["pos"])
    layers = cloud_layers(
        points, class_names=class_names, follower=arrays.get("follower"), node_of_point=node,
        representative=arrays.get("representative"), **shown,
    )  # fmt: skip
    count = int(arrays.get("point_count", len(points)))
    nodes = f"{len(arrays['pos']):,} nodes of the graph"
    drawn = f"{len(points):,} of its {count:,} points, drawn at random"
    words = drawn if count > len(points) else ""
    if "point_pos" not in arrays:
        words, nodes = f"they stand for {int(arrays['mass'].sum()):,} points", ""
    write_viewer(
        path,
        points,
        layers,
        title=name or "sample",
        subtitle="; ".join(filter(None, (words, nodes))),
        marks=arrays["pos"][arrays["representative"]],
        noun="points" if "point_pos" in arrays else "nodes of the graph",
    )
