"""Follower and influencer embeddings, projected to their two main directions."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from geoinfluencer.plots.figures import (
    NOISE,
    Figure,
    drawing,
    instance_colors,
    legend_dot,
    render,
)
from geoinfluencer.plots.matching import matched_instance

_MOST = 24  # instances in colour where there are many more


def embedding_figure(arrays: Mapping[str, np.ndarray], name: str, radius: float) -> Figure:
    """Followers and influencers of one sample in the plane of largest variance.

    Args:
        arrays: ``follower``, ``influencer`` (N, D), ``predicted`` (N,), ``representative`` (K,)
            node of each predicted instance, optional ``truth`` (N,).
        name: of the sample.
        radius: of the condensation, drawn around the representatives; 0: none, from queries.
    """
    follower, influencer = arrays["follower"], arrays["influencer"]
    predicted, chosen = arrays["predicted"], arrays["representative"]
    truth = arrays.get("truth")
    flat, share = _project(follower, influencer)
    own, host = flat[: len(follower)], flat[len(follower) :]
    mapped = predicted if truth is None else matched_instance(truth, predicted)
    focus = _focus(predicted if truth is None else truth)
    panels = [("predicted instance", mapped)]
    if truth is not None:
        panels.insert(0, ("true instance", truth))
    shown = np.concatenate([own, host[chosen]])
    middle = 0.5 * (shown.min(axis=0) + shown.max(axis=0))
    half = 0.55 * float(np.ptp(shown, axis=0).max()) + radius  # the same scale on both axes
    with drawing(6.4 * len(panels), 7.0) as canvas:
        axes = np.atleast_1d(canvas.subplots(1, len(panels)))
        for axis, (what, instance) in zip(axes, panels, strict=True):
            colors = instance_colors(instance)
            axis.scatter(*own[~focus].T, s=2, c=NOISE, linewidths=0, alpha=0.2)
            axis.scatter(
                *host[focus].T, s=9, marker="+", c=colors[focus], linewidths=0.6, alpha=0.7
            )
            axis.scatter(*own[focus].T, s=11, c=colors[focus], linewidths=0, alpha=0.8)
            stars = chosen[focus[chosen]]
            if radius:
                _circles(axis, host[stars], radius)
            axis.scatter(*host[stars].T, s=75, marker="*", c=colors[stars], linewidths=0.7,
                         edgecolors="black", zorder=3)  # fmt: skip
            axis.set_title(f"coloured by {what}")
            axis.set_xlabel(f"first direction ({share[0]:.0%} of the variance)")
            axis.set_xlim(middle[0] - half, middle[0] + half)
            axis.set_ylim(middle[1] - half, middle[1] + half)
            axis.set_box_aspect(1)
        axes[0].set_ylabel(f"second direction ({share[1]:.0%})")
        handles = [
            legend_dot("#444444", "follower of a node", markersize=4),
            legend_dot("#444444", "influencer of a node", "+", markersize=6),
            legend_dot("#444444", "influencer of an instance", "*", markersize=9,
                       markeredgecolor="black"),
            legend_dot(NOISE, "noise, unassigned", markersize=4),
        ]  # fmt: skip
        canvas.legend(handles=handles, loc="outside lower center", ncols=4)
        png = render(canvas)
    drawn = "" if focus.all() else f"; in colour the nodes of {_MOST} instances chosen at random"
    stand = f"{'the' if focus.all() else 'those of the'} {len(chosen):,} influencers that stand for"
    marks = (
        f"Circles: the condensation radius {radius:.3g} around {stand} instances"
        if radius
        else f"Stars: {stand} instances, which were read from query logits, not from this space"
    )
    caption = (
        f"Embeddings of {name} ({follower.shape[1]} dimensions) on the first two principal "
        f"directions of its followers{drawn}. {marks}; what looks close here may be "
        "apart in other directions. Influencers that nobody follows may lie outside."
    )
    return Figure("embedding", "Embedding", "Followers and influencers", caption, png)


def _focus(instance: np.ndarray) -> np.ndarray:
    """Nodes (N,) to draw in colour: all, or those of a seeded choice of the longer instances."""
    ids, size = np.unique(instance[instance >= 0], return_counts=True)
    if len(ids) <= 3 * _MOST:
        return np.ones(len(instance), bool)
    longer = ids[size >= np.median(size)]
    chosen = np.random.default_rng(0).choice(longer, _MOST, replace=False)
    return np.isin(instance, chosen)


def _project(
    follower: np.ndarray, influencer: np.ndarray
) -> tuple[np.ndarray, tuple[float, float]]:
    """(2N, 2) in the followers' plane of largest variance, and the shares of its directions."""
    centre = follower.mean(axis=0, dtype=np.float64)
    points = np.concatenate([follower, influencer]) - centre
    if points.shape[1] == 1:
        points = np.concatenate([points, np.zeros_like(points)], axis=1)
    own = points[: len(follower)]
    variance, directions = np.linalg.eigh(own.T @ own / max(len(own), 1))
    variance, directions = variance[::-1], directions[:, ::-1]
    directions = directions * np.where(directions.sum(axis=0) < 0, -1.0, 1.0)  # a stable sign
    total = max(float(variance.sum()), 1e-30)
    return points @ directions[:, :2], (float(variance[0]) / total, float(variance[1]) / total)


def _circles(axis: object, centres: np.ndarray, radius: float) -> None:
    from matplotlib.collections import PatchCollection
    from matplotlib.patches import Circle

    patches = [Circle((x, y), radius) for x, y in centres]
    axis.add_collection(  # type: ignore[attr-defined]
        PatchCollection(patches, facecolor="none", edgecolor="#999999", linewidth=0.5)
    )
