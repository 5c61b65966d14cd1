"""Mirror images of a built pixel graph."""

from __future__ import annotations

import numpy as np
from torch_geometric.data import Data

from geoinfluencer.graphs.pixel_features import PIXEL_EDGE_FEATURES, PIXEL_NODE_FEATURES

_PLACE = [PIXEL_NODE_FEATURES.index(name) for name in ("x", "y")]
_SINES = [PIXEL_NODE_FEATURES.index(name) for name in ("sin2", "wide_sin2")]
_OFFSET = [PIXEL_EDGE_FEATURES.index(name) for name in ("dx", "dy")]


def mirror_pixels(data: Data, *, horizontal: bool = False, vertical: bool = False) -> Data:
    """A copy of a pixel graph mirrored left to right (x -> W - 1 - x), upside down, or both.

    Nodes and edges keep their numbers, so ``segment_map``, which is of the image as it was, is
    left out.

    Args:
        data: A sample of :class:`~geoinfluencer.graphs.pixel_graph.PixelGraph`; its ``line_xy``
            (P, 2) are mirrored too.
        horizontal: Left to right.
        vertical: Upside down.
    """
    out = data.__copy__()
    out.pos, out.x, out.edge_attr = data.pos.clone(), data.x.clone(), data.edge_attr.clone()
    height, width = data.image_size[0].tolist()
    points = ["pos"]
    if data.get("line_xy") is not None:
        out.line_xy = data.line_xy.clone()
        points.append("line_xy")
    for axis, (wanted, side) in enumerate(((horizontal, width), (vertical, height))):
        if not wanted:
            continue
        for name in points:
            out[name][:, axis] = side - 1.0 - out[name][:, axis]
        out.x[:, _PLACE[axis]] = 1.0 - out.x[:, _PLACE[axis]]
        out.x[:, _SINES] = -out.x[:, _SINES]
        out.edge_attr[:, _OFFSET[axis]] = -out.edge_attr[:, _OFFSET[axis]]
    if "segment_map" in out:
        del out.segment_map
    return out


def augmented_pixels(sample: Data, rng: np.random.Generator, *, mirror: bool) -> Data:
    """The sample under a random one of the four mirror images, itself among them."""
    horizontal, vertical = (bool(mirror and flip) for flip in rng.random(2) < 0.5)
    return mirror_pixels(sample, horizontal=horizontal, vertical=vertical)
