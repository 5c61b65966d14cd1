"""Images -> graphs: segments as nodes, shared borders as edges."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch_geometric.data import Data

from geoinfluencer.errors import InputError
from geoinfluencer.graphs.colour import as_rgb, cielab
from geoinfluencer.graphs.grid_segments import grid_segments
from geoinfluencer.graphs.image_features import edge_features, node_features
from geoinfluencer.graphs.option_checks import check_flag, check_number, check_whole
from geoinfluencer.graphs.region_segments import region_segments
from geoinfluencer.graphs.regions import describe
from geoinfluencer.graphs.slic import slic_segments


@dataclass(frozen=True)
class ImageGraph:
    """Build the graph of one image; see :func:`image_to_graph` for what it holds.

    Args:
        method: ``"slic"``: superpixels that follow edges; ``"felzenszwalb"``: regions of one
            colour, of any size; ``"grid"``: square cells.
        n_segments: About how many superpixels; of regions only what ``min_size`` is measured in.
        stride: Edge of a cell of the grid in pixels; 1 = every pixel is a node.
        compactness: Superpixels: weight of position against colour; small ones follow edges.
        spread: Superpixels: standard deviation that the colours of an image are stretched to
            before; None = as they are.
        min_size: Superpixels and regions: least area in units of H W / ``n_segments``.
        scale: Regions: large values make large ones, in units of CIELAB.
        both_directions: Give every edge in both directions; False = from the smaller number to the
            larger, for encoders that use every edge both ways themselves (those of this package).

    Raises:
        InputError: An option is out of its range.
    """

    method: Literal["slic", "felzenszwalb", "grid"] = "slic"
    n_segments: int = 1000
    stride: int = 4
    compactness: float = 5.0
    spread: float | None = 20.0
    min_size: float = 0.1
    both_directions: bool = True
    scale: float = 10.0

    def __post_init__(self) -> None:
        if self.method not in ("slic", "felzenszwalb", "grid"):
            raise InputError(f"method is {self.method!r}; choose slic, felzenszwalb or grid")
        check_whole("n_segments", self.n_segments, 1)
        check_whole("stride", self.stride, 1)
        check_number("compactness", self.compactness, high=1e6, zero=True)
        check_number("spread", self.spread, or_null=True)
        check_number("min_size", self.min_size, zero=True)
        check_number("scale", self.scale, zero=True)
        check_flag("both_directions", self.both_directions)

    def segments(self, lab: np.ndarray) -> np.ndarray:
        """(H, W) int64 segment of each pixel of a CIELAB image, 0..K-1."""
        if self.method == "grid":
            return grid_segments(lab, stride=self.stride)
        if self.method == "felzenszwalb":
            least = self.min_size * lab.shape[0] * lab.shape[1] / self.n_segments
            return region_segments(lab, scale=self.scale, min_size=least)
        return slic_segments(
            lab, n_segments=self.n_segments, compactness=self.compactness,
            spread=self.spread, min_size=self.min_size,
        )  # fmt: skip

    def __call__(self, image: np.ndarray) -> Data:
        """Return the graph of an image (H, W[, C]); see :func:`image_to_graph`."""
        lab = cielab(as_rgb(image))
        label = self.segments(lab)
        regions, borders = describe(label, lab)
        edge_index, edge_attr = edge_features(
            regions, borders, both_directions=self.both_directions
        )
        return Data(
            pos=torch.from_numpy(regions.center.astype(np.float32)),
            x=torch.from_numpy(node_features(regions, borders, label.shape)),
            edge_index=torch.from_numpy(edge_index),
            edge_attr=torch.from_numpy(edge_attr),
            mass=torch.from_numpy(regions.mass.astype(np.float32)),
            segment_map=torch.from_numpy(label.reshape(-1).astype(np.int32)),
            image_size=torch.tensor([label.shape]),
        )


def image_to_graph(
    image: np.ndarray,
    method: Literal["slic", "felzenszwalb", "grid"] = "slic",
    *,
    n_segments: int = 1000,
    stride: int = 4,
    compactness: float = 5.0,
    spread: float | None = 20.0,
    min_size: float = 0.1,
    both_directions: bool = True,
    scale: float = 10.0,
) -> Data:
    """Cut an image into segments and return the graph of those that touch.

    Args:
        image: (H, W) grey, (H, W, 3) RGB or (H, W, 4) RGBA; uint8, uint16, or floats in [0, 1].
            The same image as uint8 and as floats gives equal graphs.
        method: See :class:`ImageGraph`, also for the other options.

    Returns:
        ``Data`` with ``pos`` (N, 2) centroids x, y in pixels, ``x`` (N, F) with the columns
        ``IMAGE_NODE_FEATURES``, ``edge_index`` (2, E), ``edge_attr`` (E, A) with the columns
        ``IMAGE_EDGE_FEATURES``, ``mass`` (N,) pixels, ``segment_map`` (H W,) int32 node of each
        pixel, row by row, and ``image_size`` (1, 2) H and W; in a batch these two are
        concatenated, and the nodes of ``segment_map`` stay those of its own graph.

    Raises:
        InputError: An image or option that cannot be.
    """
    graph = ImageGraph(
        method=method, n_segments=n_segments, stride=stride, compactness=compactness,
        spread=spread, min_size=min_size, both_directions=both_directions, scale=scale,
    )  # fmt: skip
    return graph(image)
