"""The boundary of the losses: shapes, finiteness, ignored nodes and graph membership."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from geoinfluencer import ops
from geoinfluencer.errors import InputError


@dataclass(frozen=True)
class Nodes:
    """Checked nodes of a batch, without the ignored ones, ready for the maths."""

    embeddings: dict[str, Tensor]  # each (N, ...) and at least float32
    instance: Tensor  # (N,) int64, -1 = background
    ptr: Tensor  # (B+1,) int64
    weight: Tensor  # (N,) float, no gradient
    weighted: bool  # False: every weight is 1
    instance_weight: Tensor | None  # (N,) float, no gradient


def prepare_nodes(
    embeddings: Mapping[str, Tensor],
    instance: Tensor,
    batch: Tensor | None = None,
    *,
    ptr: Tensor | None = None,
    node_weight: Tensor | None = None,
    instance_weight: Tensor | None = None,
    ignore: Tensor | None = None,
    check_finite: bool = True,
) -> Nodes:
    """Check the arguments of a loss, leave out the ignored nodes, raise to float32.

    On a GPU ``check_finite`` (once, and once for each weight) and ``ignore`` synchronise with the
    host; without them nothing here does.

    Args:
        embeddings: name -> tensor, one row per node; the names are those of the error messages.
        instance: instance id of each node, negative = background; unique within a graph only.
        batch: graph of each node, ascending; or give ``ptr``. Neither: one graph.
        ptr: first node of each graph, and N. Says how many graphs there are, empty ones included.
        node_weight: non-negative weight of each node, default 1.
        instance_weight: non-negative weight of each node's instance, read at its members.
        ignore: true = the node takes part in nothing.
        check_finite: look for NaN, infinity and negative weights.

    Shapes:
        embeddings (N,) or (N, D), instance (N,), batch (N,), ptr (B+1,), the rest (N,).

    Raises:
        InputError: a shape or type does not fit, or values are not finite.
    """
    per_node = {"instance": instance, "batch": batch, "node_weight": node_weight}
    per_node |= {"instance_weight": instance_weight, "ignore": ignore}
    size = instance.shape[0]
    for name, value in (*embeddings.items(), *per_node.items()):
        if value is None:
            continue
        wrong_rank = name in per_node and value.dim() != 1
        if wrong_rank or value.dim() == 0 or value.shape[0] != size:
            raise InputError(
                f"{name} has shape {tuple(value.shape)}; expected one row per node, "
                f"as instance {tuple(instance.shape)} has"
            )
    if instance.is_floating_point() or instance.dtype == torch.bool:
        raise InputError(f"instance has dtype {instance.dtype}; expected an integer type")
    finite = {**embeddings, "node_weight": node_weight, "instance_weight": instance_weight}
    if check_finite:
        for name, value in (("node_weight", node_weight), ("instance_weight", instance_weight)):
            if value is not None and bool((value < 0).any()):
                raise InputError(f"{name} has {int((value < 0).sum())} negative values")
        require_finite({name: value for name, value in finite.items() if value is not None})

    ptr = ops.resolve_ptr(batch, ptr, size, instance.device)
    raised = {name: _at_least_float32(value) for name, value in embeddings.items()}
    dtype = next(iter(raised.values())).dtype
    ids = instance.to(torch.int64).clamp(min=-1)
    weight = None if node_weight is None else node_weight.detach().to(dtype)
    per_instance = None if instance_weight is None else instance_weight.detach().to(dtype)
    if ignore is not None:
        kept = (~ignore.to(torch.bool)).nonzero()[:, 0]
        # nodes kept before each boundary: a prefix sum read at the old boundaries
        before = torch.cumsum(torch.nn.functional.pad(~ignore.to(torch.bool), (1, 0)), 0)
        ptr = before[ptr]
        raised = {name: value[kept] for name, value in raised.items()}
        ids = ids[kept]
        weight = None if weight is None else weight[kept]
        per_instance = None if per_instance is None else per_instance[kept]
    weighted = weight is not None or per_instance is not None
    if weight is None:
        weight = torch.ones(ids.shape[0], dtype=dtype, device=ids.device)
    return Nodes(raised, ids, ptr, weight, weighted, per_instance)


def require_finite(tensors: Mapping[str, Tensor]) -> None:
    """Raise InputError that names each tensor with NaN or infinity and counts them."""
    counts = torch.stack([(~torch.isfinite(value)).sum() for value in tensors.values()])
    found = counts.tolist()  # the only synchronisation
    if any(found):
        parts = [
            f"{name} has {bad} of {value.numel()} values that are NaN or infinite"
            for (name, value), bad in zip(tensors.items(), found, strict=True)
            if bad
        ]
        raise InputError(
            "; ".join(parts) + " (lower the learning rate, clip gradients, or check the inputs)"
        )


def _at_least_float32(value: Tensor) -> Tensor:
    return value if value.dtype in (torch.float32, torch.float64) else value.float()
