"""Instances without a model: what learned embeddings have to beat."""

from __future__ import annotations

import torch
from torch import Tensor

from geoinfluencer import ops
from geoinfluencer.condensation.instances import Instances
from geoinfluencer.errors import InputError


def components(edge_index: Tensor, difference: Tensor, num_nodes: int, threshold: float) -> Tensor:
    """Connected components of a graph without the edges whose ends differ by more than a threshold.

    Args:
        edge_index: edges, in one direction or both.
        difference: how unlike the ends are, at least 0.
        num_nodes: N.
        threshold: in units of the difference.

    Shapes:
        edge_index (2, E), difference (E,) -> (N,) int64, components 0.. by their first node.

    Raises:
        InputError: shapes or values that do not fit.
    """
    cut = (difference > threshold).float()  # only edges of weight 0 join at scale 0
    return ops.felzenszwalb(edge_index, cut, num_nodes, scale=0.0)


def density_clusters(points: Tensor, method: str, value: float, min_points: int = 8) -> Tensor:
    """DBSCAN (Ester et al., KDD 1996) or HDBSCAN (`Campello et al., PAKDD 2013
    <https://doi.org/10.1007/978-3-642-37456-2_14>`_), by scikit-learn.

    Args:
        points: in any space with Euclidean distance.
        method: ``"dbscan"`` or ``"hdbscan"``.
        value: of DBSCAN the radius, in units of the points; of HDBSCAN the smallest cluster.
        min_points: neighbours, the point itself included, that make a point a core point.

    Shapes:
        points (N, D) -> (N,) int64, clusters 0.., -1 for noise.

    Raises:
        InputError: another method, or scikit-learn is missing.
    """
    if method not in ("dbscan", "hdbscan"):
        raise InputError(f"method {method!r} is neither 'dbscan' nor 'hdbscan'")
    require_clustering(method)
    from sklearn.cluster import DBSCAN, HDBSCAN

    if len(points) <= min_points:
        return torch.zeros(len(points), dtype=torch.int64)
    if method == "dbscan":
        clusterer = DBSCAN(eps=value, min_samples=min_points)
    else:
        clusterer = HDBSCAN(min_cluster_size=max(2, int(value)), min_samples=min_points, copy=True)
    found = clusterer.fit_predict(points.numpy())
    return torch.from_numpy(found).long()


def require_clustering(method: str) -> None:
    """Raises InputError, which says how to get it, where scikit-learn is missing."""
    try:
        from sklearn.cluster import HDBSCAN as _  # noqa: F401, of 1.3 and later
    except ImportError as error:
        raise InputError(
            f"{method} needs scikit-learn 1.3: pip install 'geoinfluencer[baselines]'"
        ) from error


def as_instances(label: Tensor, mass: Tensor | None = None, *, min_size: int = 1) -> Instances:
    """Labels of the nodes of one graph as instances; those of fewer than ``min_size`` nodes are
    noise.

    The score of an instance, by which average precision ranks, is its share of the largest one's
    mass; its influencer is its first node.

    Args:
        label: 0.., -1 for noise.
        mass: of the nodes. (default: 1)
        min_size: nodes.

    Shapes:
        label (N,), mass (N,) -> K instances.
    """
    count = torch.bincount(label[label >= 0])
    number = torch.cat([torch.where(count >= min_size, count, 0), count.new_zeros(1)])
    kept = (number[label] > 0) & (label >= 0)
    ids, inner = torch.unique(label[kept], return_inverse=True)
    nodes = kept.nonzero()[:, 0]
    first = torch.full((len(ids),), len(label)).scatter_reduce_(0, inner, nodes, "amin")
    order = first.argsort()
    rank = torch.empty_like(order)
    rank[order] = torch.arange(len(order))
    instance = torch.full_like(label, -1)
    instance[kept] = rank[inner]
    weight = torch.ones(len(label)) if mass is None else mass.float()
    size = torch.bincount(instance[kept], minlength=len(ids))
    total = torch.bincount(instance[kept], weights=weight[kept], minlength=len(ids)).float()
    return Instances(
        instance=instance,
        ptr=torch.tensor([0, len(label)]),
        influencer=first[order],
        score=total / total.max() if len(ids) else total,
        size=size,
        batch=torch.zeros(len(ids), dtype=torch.int64),
    )
