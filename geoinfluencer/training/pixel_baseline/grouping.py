"""From an image to its objects: embeddings of the net, then clusters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch_geometric.data import Data

from geoinfluencer.condensation import Instances
from geoinfluencer.condensation.pixel_clusters import (
    cluster_pixels,
    renumbered,
    split_components,
)
from geoinfluencer.condensation.unlearned import as_instances
from geoinfluencer.models.pixel_embedder import PixelEmbedder
from geoinfluencer.training.pixel_baseline.samples import node_pixels, to_input


class NodePixels(NamedTuple):
    """What the net says of the N pixels that are the nodes of a graph."""

    embedding: Tensor  # (N, D)
    inside: Tensor  # (N,) bool: likelier than not of an object


@dataclass(frozen=True)
class PixelGrouper:
    """Groups the pixels of an image by the embeddings of a trained net.

    A net with a small field of view embeds two cells that look alike alike, wherever they are. So
    the clusters of :meth:`masks` are split where their pixels do not touch; those of :meth:`nodes`
    are not, because lines cross.

    Attributes:
        model: in evaluation mode, on ``device``.
        device: of the model.
        radius: DBSCAN's eps.
        min_points: DBSCAN's min_samples.
        min_size: pixels of the least object.
    """

    model: PixelEmbedder
    device: torch.device
    radius: float = 0.5
    min_points: int = 6
    min_size: int = 16

    def masks(self, image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(H, W) objects 0.., -1 for none, of an image, and (K,) the mean probability of the pixels
        of each that they belong to one."""
        embedding, probability = self._outputs(image)
        inside = probability > 0.5
        label = np.full(inside.shape, -1)
        label[inside.numpy()] = self._clustered(embedding[inside]).numpy()
        label = renumbered(split_components(label), self.min_size)
        member = label >= 0
        count = np.bincount(label[member])
        total = np.bincount(label[member], weights=probability.numpy()[member])
        return label, total / count

    def nodes(self, image: np.ndarray, node: Data) -> Instances:
        """Instances of a graph whose nodes are pixels of that image."""
        return self.instances(self.clusters(self.node_pixels(image, node)))

    def node_pixels(self, image: np.ndarray, node: Data) -> NodePixels:
        """What the net says of the nodes."""
        embedding, probability = self._outputs(image)
        place = node_pixels(node)
        return NodePixels(embedding[place], probability[place] > 0.5)

    def clusters(self, pixels: NodePixels) -> Tensor:
        """(N,) cluster of each node by DBSCAN, -1 for none."""
        label = torch.full(pixels.inside.shape, -1)
        label[pixels.inside] = self._clustered(pixels.embedding[pixels.inside])
        return label

    def instances(self, label: Tensor) -> Instances:
        """Clusters of at least ``min_size`` nodes as instances."""
        return as_instances(label, min_size=self.min_size)

    @torch.no_grad()
    def _outputs(self, image: np.ndarray) -> tuple[Tensor, Tensor]:
        """Embedding (H, W, D) and probability (H, W), on the CPU."""
        outputs = self.model(Data(image=to_input(image)[None].to(self.device)))
        probability = torch.sigmoid(outputs.foreground[0])
        return outputs.embedding[0].permute(1, 2, 0).cpu(), probability.cpu()

    def _clustered(self, embedding: Tensor) -> Tensor:
        return cluster_pixels(embedding, radius=self.radius, min_points=self.min_points)
