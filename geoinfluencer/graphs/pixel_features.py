"""What nodes and edges of a pixel graph know: columns of numbers of about unit size."""

from __future__ import annotations

import numpy as np

from geoinfluencer.graphs.pixel_candidates import Ink
from geoinfluencer.graphs.pixel_links import double_angle
from geoinfluencer.graphs.pixel_traits import PixelTraits

PIXEL_NODE_FEATURES = (
    "lightness", "a", "b", "peak_lightness", "peak_a", "peak_b", "toward_lightness", "toward_a",
    "toward_b", "own_lightness", "own_a", "own_b", "contrast", "x", "y", "cos2", "sin2",
    "coherence", "wide_cos2", "wide_sin2", "wide_coherence", "depth", "density", "wide_density",
    "log_component", "component_width", "component_height",
)  # fmt: skip
PIXEL_EDGE_FEATURES = (
    "dx", "dy", "distance", "dlightness", "colour_difference", "own_difference",
    "toward_difference", "source_alignment", "target_alignment", "agreement", "wide_agreement",
    "ink", "middle_difference",
)  # fmt: skip

_REACH = 10.0  # pixels that offsets are given in
_SHADE = 3.0  # CIELAB: colours closer than that are one
_BETWEEN = np.array([0.25, 0.5, 0.75])  # where the ink between two pixels is looked at


def pixel_node_features(
    traits: PixelTraits,
    own: np.ndarray,  # (N, 3)
    size: tuple[int, ...],
) -> np.ndarray:
    """(N, F) float32, the columns ``PIXEL_NODE_FEATURES``; places as shares of the image, ``own``
    the whitened colours of the peaks."""
    height, width = size
    columns = [
        traits.colour / [50, 25, 25],
        traits.peak / [50, 25, 25],
        traits.toward,
        own,
        traits.contrast / 50,
        (traits.place[:, ::-1] + 0.5) / [width, height],
        traits.fine,
        np.linalg.norm(traits.fine, axis=1),
        traits.coarse,
        np.linalg.norm(traits.coarse, axis=1),
        np.log1p(traits.depth),
        traits.density,
        np.log(traits.component[:, 0]) / 4,
        traits.component[:, 1:],
    ]
    return np.column_stack(columns).astype(np.float32)


def whitened(colour: np.ndarray) -> np.ndarray:
    r"""(N, 3) :math:`(c - \bar c)(C + s^2)^{-1/2}` of the colours of an image with their covariance
    C, and s = 3: shades of one hue are told apart as well as the colours of a rainbow, and what
    differs by less than s, as noise does, is not blown up."""
    centred = colour.astype(np.float64) - colour.mean(axis=0)
    spread = centred.T @ centred / max(len(centred), 1)
    value, axes = np.linalg.eigh(spread + _SHADE**2 * np.eye(3))
    found: np.ndarray = centred @ (axes / np.sqrt(value)) @ axes.T
    return found


def pixel_edge_features(
    traits: PixelTraits,
    own: np.ndarray,  # (N, 3)
    lab: np.ndarray,  # (H, W, 3)
    ink: Ink,
    edge: np.ndarray,  # (2, E)
) -> np.ndarray:
    """(E, A) float32, the columns ``PIXEL_EDGE_FEATURES``.

    Alignment is 1 where the edge follows the stroke at that end, -1 where it runs across.
    ``ink`` is the contrast on the way in units of that at the ends, at most 1;
    ``middle_difference`` that of the colour half way to the mean of the ends. ``own``: the whitened
    colours of the peaks.
    """
    source, target = edge
    start, end = traits.place[source], traits.place[target]
    offset = (end - start)[:, ::-1].astype(np.float32)
    along = double_angle(offset)
    peak = traits.peak[target] - traits.peak[source]
    way = start[:, None] + _BETWEEN[:, None] * (end - start)[:, None]  # (E, 3, 2)
    row, column = np.moveaxis(np.rint(way).astype(np.int64), 2, 0)
    held = ink.contrast[row, column] / np.maximum(
        (traits.contrast[source] + traits.contrast[target])[:, None] / 2, 1e-3
    )
    middle = lab[row[:, 1], column[:, 1]] - (traits.peak[source] + traits.peak[target]) / 2
    columns = [
        offset / _REACH,
        np.linalg.norm(offset, axis=1) / _REACH,
        peak[:, 0] / 20,
        np.linalg.norm(peak, axis=1) / 20,
        np.linalg.norm(own[target] - own[source], axis=1),
        np.linalg.norm(traits.toward[target] - traits.toward[source], axis=1),
        (traits.fine[source] * along).sum(axis=1),
        (traits.fine[target] * along).sum(axis=1),
        (traits.fine[source] * traits.fine[target]).sum(axis=1),
        (traits.coarse[source] * traits.coarse[target]).sum(axis=1),
        np.minimum(held, 1).mean(axis=1),
        np.linalg.norm(middle, axis=1) / 20,
    ]
    return np.column_stack(columns).astype(np.float32)
