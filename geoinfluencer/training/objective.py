"""Losses by name, and how a loss is applied to a model's outputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch_geometric.data import Batch

from geoinfluencer.errors import InputError, suggest
from geoinfluencer.losses import InfluencerLoss, LossTerms

# A further loss on the same outputs is one more line here.
LOSSES: dict[str, type[nn.Module]] = {"influencer": InfluencerLoss}


def resolve_loss(name: str, origin: str = "loss.name") -> type[nn.Module]:
    """The loss class of a name.

    Raises:
        InputError: unknown name; says which are known.
    """
    if name not in LOSSES:
        raise InputError(f"{origin}: unknown loss '{name}'; {suggest(str(name), LOSSES)}")
    return LOSSES[name]


def build_loss(settings: Mapping[str, Any]) -> nn.Module:
    """The loss of a configuration's ``loss`` section."""
    options = {key: value for key, value in settings.items() if key != "name"}
    return resolve_loss(settings["name"])(**options)


def loss_terms(loss: nn.Module, outputs: Any, batch: Batch) -> LossTerms:
    """Named terms of a loss on a batch, in float32 even under mixed precision; a model with
    classes adds ``classification``.

    Args:
        loss: one of :data:`LOSSES`.
        outputs: what the model returned: ``follower``, ``influencer`` (N, D), ``class_logits``
            (N, C) or None.
        batch: the samples' ``instance`` (N,) and ``ptr`` (B+1,), optional ``ignore`` (N,) and
            ``weight`` (N,); ``y`` (N,) with -1 = void where there are classes.
    """
    follower: Tensor = outputs.follower
    with torch.autocast(follower.device.type, enabled=False):
        terms: LossTerms = loss(
            follower.float(),
            outputs.influencer.float(),
            batch.instance,
            ptr=batch.ptr,
            instance_weight=getattr(batch, "weight", None),
            ignore=getattr(batch, "ignore", None),
        )
        if outputs.class_logits is not None:
            terms = LossTerms(
                {**terms, "classification": _classification(outputs.class_logits.float(), batch.y)},
                terms.weights,
            )
    return terms


def _classification(logits: Tensor, target: Tensor) -> Tensor:
    """Mean cross entropy over the nodes that have a class; 0, attached, where none has."""
    summed = torch.nn.functional.cross_entropy(logits, target, ignore_index=-1, reduction="sum")
    return summed / (target >= 0).sum().clamp(min=1)
