"""Charts and other images of thin strokes -> graphs: pixels of ink as nodes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch_geometric.data import Data

from geoinfluencer.errors import InputError
from geoinfluencer.graphs.colour import as_rgb, cielab
from geoinfluencer.graphs.option_checks import check_flag, check_number, check_whole
from geoinfluencer.graphs.pixel_candidates import against_background, candidate_mask
from geoinfluencer.graphs.pixel_features import (
    pixel_edge_features,
    pixel_node_features,
    whitened,
)
from geoinfluencer.graphs.pixel_links import pixel_links
from geoinfluencer.graphs.pixel_traits import pixel_traits

_LONGEST = 64  # pixels, of a link


@dataclass(frozen=True)
class PixelGraph:
    """Build the graph of the ink of one image.

    Superpixels merge lines of two pixels with what is beside them; here every pixel that differs
    from the background is a node of its own, and the background has none.

    Args:
        contrast: Least CIELAB distance of a node to the background: the most frequent colour.
        ridge: Least contrast of a node as a share of the largest among its neighbours; 0 keeps the
            fringes of anti-aliased strokes.
        background_share: Other colours that cover so much of the image are background too.
        rings: Distances in pixels at which nodes are linked along their stroke, besides the eight
            neighbours.
        links: Most links of a node to later ones at each of these distances.
        alignment: How well such a link must follow the stroke at one of its ends, 0 to 1.
        max_nodes: Most nodes: of more those of the least contrast are left out; None = no limit.
        both_directions: Give every edge in both directions; False = from the smaller number to the
            larger, for encoders that use every edge both ways themselves (those of this package).

    Raises:
        InputError: An option is out of its range.
    """

    contrast: float = 20.0
    ridge: float = 0.5
    background_share: float = 0.1
    rings: Sequence[int] = (3, 8, 20)
    links: int = 2
    alignment: float = 0.4
    max_nodes: int | None = 50_000
    both_directions: bool = True

    def __post_init__(self) -> None:
        check_number("contrast", self.contrast)
        check_number("ridge", self.ridge, high=1.0, zero=True)
        check_number("background_share", self.background_share, high=1.0)
        if isinstance(self.rings, str) or not isinstance(self.rings, Sequence):
            raise InputError(f"rings must be a list of whole numbers, got {self.rings!r}")
        for radius in self.rings:
            check_whole("rings", radius, 2, _LONGEST)
        check_whole("links", self.links, 1)
        check_number("alignment", self.alignment, high=1.0, zero=True)
        if self.max_nodes is not None:
            check_whole("max_nodes", self.max_nodes, 1)
        check_flag("both_directions", self.both_directions)

    def nodes_of(self, image: np.ndarray) -> np.ndarray:
        """(H, W) bool: the pixels of an image that are nodes, without the graph."""
        rgb = as_rgb(image)
        ink = against_background(rgb, cielab(rgb), self.background_share)
        return self._nodes(ink.contrast, None)

    def __call__(self, image: np.ndarray, mask: np.ndarray | None = None) -> Data:
        """Return the graph of an image.

        Args:
            image: (H, W) grey, (H, W, 3) RGB or (H, W, 4) RGBA; uint8, uint16, or floats in
                [0, 1].
            mask: (H, W) bool, the pixels that are nodes; None = as the options say.

        Returns:
            ``Data`` with ``pos`` (N, 2) column and row of each pixel, ``x`` (N, F) with the columns
            ``PIXEL_NODE_FEATURES``, ``edge_index`` (2, E), ``edge_attr`` (E, A) with the columns
            ``PIXEL_EDGE_FEATURES``, ``mass`` (N,) ones, ``segment_map`` (H W,) int32 node of each
            pixel, row by row, -1 where there is none, and ``image_size`` (1, 2) H and W. A blank
            image has one node.

        Raises:
            InputError: An image or mask that cannot be.
        """
        rgb = as_rgb(image)
        lab = cielab(rgb)
        ink = against_background(rgb, lab, self.background_share)
        nodes = self._nodes(ink.contrast, mask)
        traits = pixel_traits(lab, ink, nodes)
        edge = pixel_links(
            nodes, traits.fine, traits.peak,
            rings=self.rings, links=self.links, alignment=self.alignment,
        )  # fmt: skip
        if self.both_directions:
            edge = np.concatenate([edge, edge[::-1]], axis=1)
        count, own = len(traits.place), whitened(traits.peak)
        number = np.full(nodes.shape, -1, np.int32)
        number[nodes] = np.arange(count)
        return Data(
            pos=torch.from_numpy(traits.place[:, ::-1].astype(np.float32)),
            x=torch.from_numpy(pixel_node_features(traits, own, nodes.shape)),
            edge_index=torch.from_numpy(edge),
            edge_attr=torch.from_numpy(pixel_edge_features(traits, own, lab, ink, edge)),
            mass=torch.ones(count),
            segment_map=torch.from_numpy(number.reshape(-1)),
            image_size=torch.tensor([nodes.shape]),
        )

    def _nodes(self, contrast: np.ndarray, mask: np.ndarray | None) -> np.ndarray:
        if mask is None:
            return candidate_mask(
                contrast, least=self.contrast, ridge=self.ridge, most=self.max_nodes
            )
        mask = np.asarray(mask)
        if mask.dtype != bool or mask.shape != contrast.shape or not mask.any():
            raise InputError(
                f"mask has shape {mask.shape}, type {mask.dtype} and {int(np.sum(mask))} pixels; "
                f"give a bool for each pixel of the image, {contrast.shape}, at least one true"
            )
        return mask
