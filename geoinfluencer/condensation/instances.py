"""What condensation makes of a batch: instances, not bare labels."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import torch
from torch import Tensor


@dataclass(frozen=True)
class Instances:
    """The K instances of a batch of N nodes in B graphs.

    Invariants: the instances of a graph are consecutive rows, graphs ascending, and within a graph
    in the order of their influencer nodes; row k is id ``k - (first row of its graph)`` in
    ``instance``; every node is in at most one instance; every instance has a member.
    """

    instance: Tensor  # (N,) int64: id within the node's graph, 0, 1, ...; -1 = noise
    ptr: Tensor  # (B+1,) int64: first node of each graph, and N
    influencer: Tensor  # (K,) int64: node that stands for the instance
    score: Tensor  # (K,) confidence in [0, 1]
    size: Tensor  # (K,) int64: members
    batch: Tensor  # (K,) int64: graph of each instance
    label: Tensor | None = None  # (K,) int64 class
    properties: dict[str, Tensor] = field(default_factory=dict)  # each (K, ...)

    def __len__(self) -> int:
        """K, the instances of all graphs together."""
        return self.influencer.shape[0]

    @property
    def num_graphs(self) -> int:
        """B."""
        return self.ptr.shape[0] - 1

    @property
    def instance_ptr(self) -> Tensor:
        """(B+1,) int64: first instance row of each graph, and K."""
        count = torch.bincount(self.batch, minlength=self.num_graphs)
        return torch.nn.functional.pad(torch.cumsum(count, 0), (1, 0))

    def members(self, k: int) -> Tensor:
        """Nodes of instance row ``k`` (negative counts from the end), ascending."""
        row = range(len(self))[k]
        graph = int(self.batch[row])
        low, high = int(self.ptr[graph]), int(self.ptr[graph + 1])
        local = row - int(self.instance_ptr[graph])
        return low + (self.instance[low:high] == local).nonzero()[:, 0]

    def to(self, device: torch.device | str) -> Instances:
        """The same on another device."""
        moved = {name: value.to(device) for name, value in self._tensors().items()}
        properties = {name: value.to(device) for name, value in self.properties.items()}
        return replace(self, **moved, properties=properties)

    def split(self) -> list[Instances]:
        """One object per graph, with node indices local to it."""
        nodes, rows = self.ptr.tolist(), self.instance_ptr.tolist()
        return [
            Instances(
                instance=self.instance[nodes[b] : nodes[b + 1]],
                ptr=torch.tensor([0, nodes[b + 1] - nodes[b]], device=self.ptr.device),
                influencer=self.influencer[rows[b] : rows[b + 1]] - nodes[b],
                score=self.score[rows[b] : rows[b + 1]],
                size=self.size[rows[b] : rows[b + 1]],
                batch=torch.zeros_like(self.batch[rows[b] : rows[b + 1]]),
                label=None if self.label is None else self.label[rows[b] : rows[b + 1]],
                properties={
                    name: value[rows[b] : rows[b + 1]] for name, value in self.properties.items()
                },
            )
            for b in range(self.num_graphs)
        ]

    def _tensors(self) -> dict[str, Tensor]:
        names = ("instance", "ptr", "influencer", "score", "size", "batch", "label")
        return {name: value for name in names if (value := getattr(self, name)) is not None}

    def __repr__(self) -> str:
        return f"Instances({len(self)} in {self.num_graphs} graphs, {len(self.instance)} nodes)"
