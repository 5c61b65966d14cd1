"""What a training step will take of the memory, said before the first one."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch_geometric.data import Batch, Data

_COPIES = 4  # of the weights: themselves, their gradients, the two moments of AdamW


@dataclass(frozen=True)
class StepMemory:
    """Bytes of one training step.

    Attributes:
        weights: weights, gradients and the optimiser's state.
        kept: what the forward pass keeps for the backward pass of a batch. Gradients on their way
            take half to all of that again: 1.5 to 2.0 times ``kept`` was seen in three models.
        nodes: of that batch.
        free: on the device, None where that cannot be known.
    """

    weights: int
    kept: int
    nodes: int
    free: int | None

    def lines(self) -> list[str]:
        """The estimate, and a warning where it does not fit."""
        total = self.weights + 2 * self.kept
        said = [
            f"memory of a step: up to {_gib(total)} GiB ({_gib(self.kept)} kept for the backward "
            f"pass of {self.nodes:,} nodes, as much for gradients, {_gib(self.weights)} for "
            "weights and optimiser)"
        ]
        if self.free is not None and total > self.free:
            said.append(
                f"warning: {_gib(self.free)} GiB are free here; take a smaller train.batch_size or "
                "data.max_nodes, a coarser graph, or another --preset"
            )
        return said


def step_memory(
    model: nn.Module,
    loss: nn.Module,
    samples: Sequence[Data],
    batch_size: int,
    device: torch.device,
) -> StepMemory:
    """Counts what autograd keeps in one forward pass of the largest of a few samples, as often as a
    batch has samples. Neither the weights nor the random numbers of the run change.

    Args:
        model: to be trained; it stays on ``device``.
        loss: its objective.
        samples: some of those to be trained on.
        batch_size: of the run.
        device: of the run.
    """
    largest = max(samples, key=lambda sample: int(sample.num_nodes or 0))
    batch = Batch.from_data_list([largest], exclude_keys=["name"]).to(device)
    model.to(device).train()
    kept: dict[int, int] = {}
    held = {tensor.untyped_storage().data_ptr() for tensor in _resident(model, loss, batch)}

    def count(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in held:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    devices = [device] if device.type == "cuda" else []
    with (
        torch.random.fork_rng(devices=devices),
        torch.autograd.graph.saved_tensors_hooks(count, lambda tensor: tensor),
    ):
        total = loss(model(batch), batch).total
    del total  # what was counted may go now, not before: a place taken twice counts once
    parameters = sum(p.numel() * p.element_size() for p in model.parameters())
    nodes = int(largest.num_nodes or 0)
    return StepMemory(
        _COPIES * parameters, batch_size * sum(kept.values()), batch_size * nodes, _free(device)
    )


def _resident(model: nn.Module, loss: nn.Module, batch: Data) -> list[Tensor]:
    there = [*model.parameters(), *model.buffers(), *loss.parameters(), *loss.buffers()]
    return there + [value for value in batch.to_dict().values() if isinstance(value, Tensor)]


def _free(device: torch.device) -> int | None:
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    if not hasattr(os, "sysconf") or "SC_AVPHYS_PAGES" not in os.sysconf_names:
        return None
    return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _gib(count: int) -> str:
    return f"{count / 2**30:.2f}"
