"""What a run minimises: a loss by name, and what trains a query decoder beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch_geometric.data import Batch

from geoinfluencer.errors import InputError, suggest
from geoinfluencer.losses import DenoisingLoss, InfluenceLoss, InfluencerLoss, LossTerms
from geoinfluencer.losses.registry import MASK_LOSSES, decode_of
from geoinfluencer.training.configuration.config import SupervisionSection
from geoinfluencer.training.pixel_term import PixelTerm

# A further loss on the same outputs is one more line here, or in MASK_LOSSES.
LOSSES: dict[str, type[nn.Module]] = {"influencer": InfluencerLoss, **MASK_LOSSES}


def resolve_loss(name: str, origin: str = "loss.name") -> type[nn.Module]:
    """The loss class of a name.

    Raises:
        InputError: unknown name; says which are known.
    """
    if name not in LOSSES:
        raise InputError(f"{origin}: unknown loss '{name}'; {suggest(str(name), LOSSES)}")
    return LOSSES[name]


def build_objective(settings: Mapping[str, Any], supervision: SupervisionSection) -> nn.Module:
    """The objective of a configuration's ``loss`` and ``supervision`` sections."""
    options = {key: value for key, value in settings.items() if key != "name"}
    loss = resolve_loss(settings["name"])(**options)
    if settings["name"] not in MASK_LOSSES:
        return EmbeddingObjective(
            loss, pixel_weight=supervision.pixel_weight, pixel_samples=supervision.pixel_samples
        )
    return QueryObjective(loss, decode_of(settings["name"]), supervision)


class EmbeddingObjective(nn.Module):
    """A loss on the nodes' embeddings; a model with classes adds ``classification``.

    Args:
        loss: such as :class:`~geoinfluencer.losses.InfluencerLoss`.
        pixel_weight, pixel_samples: of :class:`~geoinfluencer.training.pixel_term.PixelTerm`, with
            a stem.

    Shapes:
        - **outputs**: ``follower``, ``influencer`` (N, D), ``class_logits`` (N, C) or None
        - **batch**: ``instance`` (N,) and ``ptr`` (B+1,), optional ``ignore`` (N,) and ``weight``
          (N,); ``y`` (N,) with -1 = void where there are classes
    """

    def __init__(
        self, loss: nn.Module, *, pixel_weight: float = 1.0, pixel_samples: int = 4096
    ) -> None:
        super().__init__()
        self.loss = loss
        self.pixels = PixelTerm(pixel_weight, samples=pixel_samples)

    def forward(self, outputs: Any, batch: Batch) -> LossTerms:
        """Named terms, in float32 even under mixed precision."""
        with torch.autocast(outputs.follower.device.type, enabled=False):
            terms: LossTerms = self.loss(
                outputs.follower.float(), outputs.influencer.float(), **_truth(batch)
            )
            return self.pixels(_with_classes(terms, outputs, batch), outputs, batch)


class QueryObjective(nn.Module):
    """A loss on query logits at every layer of the decoder; what chooses influencer queries, and
    denoising queries, have losses of their own that are the same beside every loss.

    Args:
        loss: one of ``MASK_LOSSES``.
        activation: ``"softmax"`` or ``"sigmoid"``, how that loss reads logits.
        supervision: weights of the further terms, options of the embedding loss.

    Shapes:
        - **outputs**: of :class:`~geoinfluencer.models.QuerySegmenter`
        - **batch**: as of :class:`EmbeddingObjective`
    """

    def __init__(self, loss: nn.Module, activation: str, supervision: SupervisionSection) -> None:
        super().__init__()
        self.loss = loss
        self.embedding = InfluencerLoss(**supervision.embedding)
        self.influence = InfluenceLoss(margin=self.embedding.influencer_margin)
        self.denoising = DenoisingLoss(activation=activation)
        self.supervision = supervision
        self.pixels = PixelTerm(supervision.pixel_weight, samples=supervision.pixel_samples)

    def forward(self, outputs: Any, batch: Batch) -> LossTerms:
        """Named terms, in float32 even under mixed precision."""
        with torch.autocast(outputs.follower.device.type, enabled=False):
            terms = self._of_layer(outputs.queries, batch)
            found, weights = dict(terms), dict(terms.weights)
            further = self.supervision
            if outputs.queries.auxiliary:
                totals = [self._of_layer(q, batch).total for q in outputs.queries.auxiliary]
                found["deep_supervision"] = torch.stack(totals).mean()
                weights["deep_supervision"] = further.deep_supervision_weight
            if outputs.influence is not None:
                embeddings = outputs.follower.float(), outputs.influencer.float()
                found["embedding"] = self.embedding(*embeddings, **_truth(batch)).total
                weights["embedding"] = further.embedding_weight
                found |= self.influence(
                    outputs.influence.float(), *embeddings, **_truth(batch, weights=False)
                )
                weights["influence"] = further.influence_weight
            noised = outputs.queries.denoising
            if noised is not None:
                of_groups = self.denoising(
                    noised.logits.float(),
                    noised.target,
                    noised.query_ptr,
                    ptr=batch.ptr,
                    class_logits=noised.class_logits,
                    y=batch.get("y"),
                    ignore=batch.get("ignore"),
                )
                found |= of_groups
                weights |= {
                    name: further.denoising_weight * weight
                    for name, weight in of_groups.weights.items()
                }
        terms = _with_classes(LossTerms(found, weights), outputs, batch)
        return self.pixels(terms, outputs, batch)

    def _of_layer(self, queries: Any, batch: Batch) -> LossTerms:
        classes = queries.class_logits
        terms: LossTerms = self.loss(
            queries.logits.float(),
            query_ptr=queries.query_ptr,
            quality_logits=queries.quality_logits.float(),
            class_logits=None if classes is None else classes.float(),
            y=batch.get("y") if classes is not None else None,
            **_truth(batch),
        )
        return terms


def _truth(batch: Batch, *, weights: bool = True) -> dict[str, Any]:
    truth = {"instance": batch.instance, "ptr": batch.ptr, "ignore": batch.get("ignore")}
    return truth | ({"instance_weight": batch.get("weight")} if weights else {})


def _with_classes(terms: LossTerms, outputs: Any, batch: Batch) -> LossTerms:
    """Adds the nodes' ``node_classification`` where the model has classes of nodes."""
    if outputs.class_logits is None:
        return terms
    name = "classification" if "classification" not in terms else "node_classification"
    error = _classification(outputs.class_logits.float(), batch.y)
    return LossTerms({**terms, name: error}, terms.weights)


def _classification(logits: Tensor, target: Tensor) -> Tensor:
    """Mean cross entropy over the nodes that have a class; 0, attached, where none has."""
    summed = torch.nn.functional.cross_entropy(logits, target, ignore_index=-1, reduction="sum")
    return summed / (target >= 0).sum().clamp(min=1)
