"""What a point cloud is coloured by: one layer of the viewer per function."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from matplotlib.colors import to_rgb

from geoinfluencer.plots.matching import IGNORED, NOISE_LEFT, RIGHT, node_errors
from geoinfluencer.plots.panels import ERROR_KINDS
from geoinfluencer.plots.viewer import Layer

_NONE = (105, 110, 115)  # no instance, no class
_DIM = (78, 84, 90)


def many_colors(count: int) -> np.ndarray:
    """(count, 3) uint8 colours of which neighbours in the list differ: hues a golden angle apart,
    in turn light, middle and pale."""
    looks = ((0.62, 0.85), (0.52, 0.62), (0.78, 0.7))  # lightness, saturation
    tones = [
        colorsys.hls_to_rgb((0.57 + 0.61803399 * i) % 1, *looks[i % len(looks)])
        for i in range(count)
    ]
    return np.rint(255 * np.array(tones)).astype(np.uint8)


def instance_palette() -> np.ndarray:
    """(256, 3) uint8: 255 colours, and the one of no instance."""
    return np.concatenate([many_colors(255), [_NONE]]).astype(np.uint8)


def instance_rows(instance: np.ndarray) -> np.ndarray:
    """(P,) uint8 rows of :func:`instance_palette`; from 255 instances on colours come again."""
    return np.where(instance >= 0, instance % 255, 255).astype(np.uint8)


def color_layer(color: np.ndarray) -> Layer:
    """The measured colours (P, 3)."""
    return Layer("color", "Colour", color.astype(np.uint8), note="as measured", shaded=False)


def height_layer(pos: np.ndarray) -> Layer:
    """Height as brightness, where there is no colour."""
    low, high = np.quantile(pos[:, 2], [0.01, 0.99])
    share = np.clip((pos[:, 2] - low) / max(high - low, 1e-9), 0, 1)[:, None]
    bottom, top = np.array([70, 90, 130]), np.array([240, 225, 190])
    tint = np.rint(bottom + share * (top - bottom)).astype(np.uint8)
    return Layer("height", "Height", tint, note="dark below, light above; no colour was measured")


def instance_layer(key: str, title: str, instance: np.ndarray, note: str = "") -> Layer:
    """Instances (P,), each in a colour of its own; -1 grey."""
    found = len(np.unique(instance[instance >= 0]))
    share = float((instance < 0).mean())
    words = f"{found:,} instances" + (f", {share:.1%} in none" if share else "")
    legend = [(_NONE, "in no instance")] if share else []
    return Layer(key, title, instance_rows(instance), instance_palette(), f"{words}{note}", legend)


def prediction_layer(predicted: np.ndarray, shown: np.ndarray | None = None) -> Layer:
    """Predicted instances (P,), in the colours of ``shown`` (P,) where that is given: the true ones
    that they stand for."""
    layer = instance_layer("prediction", "Prediction", predicted)
    if shown is None:
        return layer
    note = f"{layer.note}; coloured as the true one that each mostly consists of"
    return replace(layer, color=instance_rows(shown), note=note)


def class_layer(
    semantic: np.ndarray,
    names: Sequence[str],
    key: str = "semantic",
    title: str = "Semantic class",
) -> Layer:
    """Classes (P,), -1 grey, with their names and shares."""
    count = min(max(len(names), int(semantic.max(initial=-1)) + 1), 255)
    names = [*names[:count], *(f"class {i}" for i in range(len(names), count))]
    palette = np.concatenate([many_colors(len(names)), [_NONE]]).astype(np.uint8)
    row = np.where((semantic >= 0) & (semantic < len(names)), semantic, len(names))
    shares = np.bincount(row, minlength=len(names) + 1) / max(len(row), 1)
    legend = [
        (palette[i].tolist(), f"{name} {shares[i]:.1%}")
        for i, name in enumerate([*names, "none"])
        if shares[i] > 0
    ]
    return Layer(key, title, row.astype(np.uint8), palette, "class of each point", legend)


def error_layer(
    truth: np.ndarray, predicted: np.ndarray, ignore: np.ndarray | None = None
) -> Layer:
    """What is wrong with each point; see :mod:`geoinfluencer.plots.matching`."""
    state = node_errors(truth, predicted, ignore)
    palette = np.zeros((len(ERROR_KINDS), 3), np.uint8)
    legend = []
    for kind, color, _, words in ERROR_KINDS:
        calm = kind in (NOISE_LEFT, IGNORED)
        palette[kind] = _DIM if calm else np.rint(255 * np.array(to_rgb(color)))
        share = float((state == kind).mean())
        if share:
            words = words.replace("noise", "background")
            legend.append((palette[kind].tolist(), f"{words} {share:.1%}"))
    counted = state != IGNORED
    right = (np.isin(state, (RIGHT, NOISE_LEFT)) & counted).sum() / max(int(counted.sum()), 1)
    note = f"{right:.1%} right of {int(counted.sum()):,} that count"
    return Layer("error", "Error", state.astype(np.uint8), palette, note, legend)


def embedding_colors(embedding: np.ndarray) -> np.ndarray:
    """(N, D) -> (N, 3) uint8: the first three principal components as red, green and blue, from the
    second to the 98th percent."""
    centred = embedding.astype(np.float64) - embedding.mean(0)
    _, vectors = np.linalg.eigh(centred.T @ centred)
    parts = centred @ vectors[:, ::-1][:, :3]
    low, high = np.quantile(parts, [0.02, 0.98], axis=0)
    tint = np.clip((parts - low) / np.maximum(high - low, 1e-12), 0, 1)
    full = np.full((len(tint), 3), 0.5)
    full[:, : tint.shape[1]] = tint
    return np.rint(40 + 215 * full).astype(np.uint8)


def embedding_layer(embedding: np.ndarray, node_of_point: np.ndarray | None = None) -> Layer:
    """Where points are in the embedding of their followers: alike = one instance."""
    tint = embedding_colors(embedding)
    color = tint if node_of_point is None else tint[node_of_point]
    note = f"first three of {embedding.shape[1]} principal components of the followers as RGB"
    return Layer("embedding", "Embedding", color, note=note, shaded=False)


def superpoint_layer(
    superpoint: np.ndarray, key: str = "superpoints", title: str = "Superpoints"
) -> Layer:
    """Superpoints (P,) in mixed colours."""
    mixed = np.where(superpoint >= 0, superpoint.astype(np.int64) * 97 % 255, -1)
    found = len(np.unique(superpoint[superpoint >= 0]))
    note = f"{found:,} {title.lower()}; colours come again"
    return Layer(key, title, instance_rows(mixed), instance_palette(), note)


def influencer_layer(
    predicted: np.ndarray, representative: np.ndarray, shown: np.ndarray | None = None
) -> Layer:
    """Dimmed instances (P,), and a mark at the node (K,) that stands for each.

    Args:
        predicted: Instances, -1 = none.
        representative: (K,) node of each instance; marks of the page are in this order.
        shown: (P,) numbers to colour by; None: the instances.
    """
    shown = predicted if shown is None else shown
    number = np.arange(len(representative))
    number[predicted[predicted >= 0]] = shown[predicted >= 0]
    palette = instance_palette()
    dim = np.rint(0.35 * palette + 0.1 * 255).astype(np.uint8)
    note = f"{len(representative):,} influencers, the nodes that stand for the instances"
    marks = palette[instance_rows(number)]
    return Layer("influencers", "Influencers", instance_rows(shown), dim, note, marks=marks)
