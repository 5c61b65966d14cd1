"""A ragged batch of query outputs for the tests of the mask losses, and plain references."""

from __future__ import annotations

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

CLASSES = 3


def ragged_batch(seed: int = 0, dtype: torch.dtype = torch.float64) -> dict[str, Tensor]:
    """Four graphs: more queries than instances, fewer, as many, and one without instances."""
    draw = torch.Generator().manual_seed(seed)
    nodes, queries, instances = [12, 14, 9, 5], [6, 3, 2, 4], [3, 5, 2, 0]
    width = max(queries)
    logits = torch.randn(sum(nodes), width, generator=draw, dtype=dtype) * 2
    ids = []
    for size, count in zip(nodes, instances, strict=True):
        own = torch.arange(size) % (count + 1) - 1  # every id occurs
        ids.append(torch.where(own >= 0, own * 7 + 2, own)[torch.randperm(size, generator=draw)])
    graph = torch.repeat_interleave(torch.arange(4), torch.tensor(nodes))
    there = torch.arange(width) < torch.tensor(queries)[graph][:, None]
    ptr = torch.tensor([0, *np.cumsum(nodes)])
    instance = torch.cat(ids)
    return {
        "logits": logits.masked_fill(~there, -torch.inf),
        "instance": instance,
        "ptr": ptr,
        "query_ptr": torch.tensor([0, *np.cumsum(queries)]),
        "quality_logits": torch.randn(sum(queries), generator=draw, dtype=dtype),
        "class_logits": torch.randn(sum(queries), CLASSES, generator=draw, dtype=dtype),
        "y": (instance.clamp(min=0) + graph) % CLASSES,
        "node_weight": torch.rand(sum(nodes), generator=draw, dtype=dtype) + 0.5,
    }


def graphs_of(batch: dict[str, Tensor]) -> list[dict[str, Tensor]]:
    """Each graph alone, without the columns that are no query of it."""
    parts = []
    for first, last, low, high in zip(
        batch["ptr"], batch["ptr"][1:], batch["query_ptr"], batch["query_ptr"][1:], strict=False
    ):
        part = {name: batch[name][first:last] for name in ("instance", "y", "node_weight")}
        part["logits"] = batch["logits"][first:last, : int(high - low)]
        part |= {name: batch[name][low:high] for name in ("quality_logits", "class_logits")}
        parts.append(part)
    return parts


def plain_hungarian(part: dict[str, Tensor], no_object_weight: float = 0.1) -> dict[str, Tensor]:
    """The Hungarian loss of ONE graph by the book: a loop over pairs, a mask for every instance."""
    x, w, quality = part["logits"], part["node_weight"], part["quality_logits"]
    ids = [int(i) for i in part["instance"].unique() if i >= 0]
    masks = [(part["instance"] == i).to(x.dtype) for i in ids]
    label = [int(part["y"][part["instance"] == i][0]) for i in ids]
    p_class = part["class_logits"].softmax(1)
    cost = torch.zeros(len(ids), x.shape[1], dtype=x.dtype)
    bce, dice = torch.zeros_like(cost), torch.zeros_like(cost)
    for k, mask in enumerate(masks):
        for m in range(x.shape[1]):
            loss = binary_cross_entropy_with_logits(x[:, m], mask, weight=w, reduction="sum")
            bce[k, m] = loss / w.sum()
            s = x[:, m].sigmoid()
            overlap = 2 * (w * s * mask).sum() + 1
            dice[k, m] = 1 - overlap / ((w * s).sum() + (w * mask).sum() + 1)
            found = quality[m].sigmoid() * p_class[m, label[k]]
            cost[k, m] = 5 * bce[k, m] + 5 * dice[k, m] - 2 * found
    rows, columns = linear_sum_assignment(cost.detach().numpy())
    exists = torch.zeros(x.shape[1], dtype=x.dtype)
    exists[columns] = 1
    weight = torch.where(exists > 0, 1.0, no_object_weight)
    object_loss = binary_cross_entropy_with_logits(quality, exists, weight, reduction="sum")
    count = max(len(ids), 1)
    wanted = torch.tensor([label[k] for k in rows], dtype=torch.int64)
    right = cross_entropy(part["class_logits"][columns], wanted, reduction="sum")
    return {
        "mask": bce[rows, columns].sum() / count,
        "dice": dice[rows, columns].sum() / count,
        "classification": right / count,
        "quality": object_loss / weight.sum(),
    }
