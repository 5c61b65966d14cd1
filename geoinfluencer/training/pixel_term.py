"""The loss term of a model that leads back to pixels."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch_geometric.data import Batch

from geoinfluencer.losses import LossTerms, pixel_affinity_loss


class PixelTerm(nn.Module):
    """Adds ``pixel_affinity``, see :func:`~geoinfluencer.losses.pixel_affinity_loss`, on random
    pixels whose candidate segments are of different instances; the others have nothing to choose.

    Args:
        weight: of the term.
        samples: pixels drawn per image, of which those are taken.

    Shapes:
        - **outputs**: ``pixels``, a :class:`~geoinfluencer.nn.pixel_affinity.PixelReader`, or None
        - **batch**: ``instance`` (N,), ``pixel_instance`` (P,), optional ``ignore`` (N,)
    """

    def __init__(self, weight: float = 1.0, *, samples: int = 4096) -> None:
        super().__init__()
        self.weight, self.samples = weight, samples

    def forward(self, terms: LossTerms, outputs: Any, batch: Batch) -> LossTerms:
        """The terms with the further one; as they were for a model without pixels."""
        reader, truth = getattr(outputs, "pixels", None), batch.get("pixel_instance")
        if reader is None or truth is None:
            return terms
        pixel = reader.random_pixels(self.samples)
        candidate = reader.candidates(pixel)
        instance = batch.instance[candidate]
        chosen = (instance != instance[:, :1]).any(1)
        pixel, candidate, instance = pixel[chosen], candidate[chosen], instance[chosen]
        ignore = batch.get("ignore")
        with torch.autocast(reader.device.type, enabled=False):
            logits, inside = reader.logits(pixel, candidate)
            error = pixel_affinity_loss(
                logits, inside, instance, truth[pixel].long(),
                ignore=None if ignore is None else ignore[candidate],
            )  # fmt: skip
        return LossTerms(
            {**terms, "pixel_affinity": error}, {**terms.weights, "pixel_affinity": self.weight}
        )
