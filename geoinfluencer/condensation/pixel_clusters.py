"""Embedded pixels -> objects: DBSCAN, and what belongs together in the image."""

from __future__ import annotations

import numpy as np
import torch
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import KDTree
from torch import Tensor

from geoinfluencer.condensation.unlearned import density_clusters

# DBSCAN of scikit-learn lists all pairs within the radius: of so many pixels that are all alike
# 800 MB, of an image ten times as many it cannot.
MAX_PIXELS = 10_000


def cluster_pixels(
    embedding: Tensor,
    *,
    radius: float = 0.5,
    min_points: int = 6,
    max_pixels: int = MAX_PIXELS,
) -> Tensor:
    """Clusters of embeddings by DBSCAN (Ester et al., KDD 1996).

    Of more than ``max_pixels`` pixels that many, drawn at random but the same every time, are
    clustered; each other one goes to the cluster of the nearest clustered pixel within ``radius``.

    Args:
        embedding: of the pixels in question.
        radius: DBSCAN's eps.
        min_points: pixels within it, the pixel itself included, that make a core pixel.
        max_pixels: clustered at most.

    Shapes:
        embedding (N, D) -> (N,) int64, clusters 0.., -1 for noise.

    Raises:
        InputError: scikit-learn is missing.
    """
    count = len(embedding)
    if count <= max_pixels:
        return density_clusters(embedding, "dbscan", radius, min_points)
    generator = torch.Generator().manual_seed(0)
    chosen = torch.randperm(count, generator=generator)[:max_pixels]
    found = density_clusters(embedding[chosen], "dbscan", radius, min_points)
    label = torch.full((count,), -1)
    clustered = chosen[found >= 0]
    if not len(clustered):
        return label
    tree = KDTree(embedding[clustered].numpy())
    distance, nearest = tree.query(embedding.numpy(), distance_upper_bound=radius)
    near = torch.from_numpy(np.isfinite(distance))
    label[near] = found[found >= 0][torch.from_numpy(nearest)[near]]
    return label


def split_components(label: np.ndarray) -> np.ndarray:
    """Parts of an (H, W) map of labels whose pixels touch by their sides, numbered 0.. by their
    first pixel; -1 stays -1."""
    place = np.arange(label.size).reshape(label.shape)
    pairs = [
        (place[along][alike & (label[along] >= 0)], place[across][alike & (label[along] >= 0)])
        for along, across in ((np.s_[:, :-1], np.s_[:, 1:]), (np.s_[:-1], np.s_[1:]))
        for alike in (label[along] == label[across],)
    ]
    source, target = (np.concatenate(side) for side in zip(*pairs, strict=True))
    edges = coo_array((np.ones(len(source), bool), (source, target)), shape=(label.size,) * 2)
    part = connected_components(edges, directed=False)[1].reshape(label.shape)
    return renumbered(np.where(label >= 0, part, -1))


def renumbered(label: np.ndarray, min_size: int = 1) -> np.ndarray:
    """The labels as 0.. by their first place, those of fewer than ``min_size`` pixels as -1."""
    values, first, inverse, count = np.unique(
        label, return_index=True, return_inverse=True, return_counts=True
    )
    kept = (values >= 0) & (count >= min_size)
    number = np.full(len(values), -1)
    number[np.flatnonzero(kept)[np.argsort(first[kept])]] = np.arange(kept.sum())
    return number[inverse].reshape(label.shape)
