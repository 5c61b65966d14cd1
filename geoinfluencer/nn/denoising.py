"""Queries made from the truth and spoilt: whom they stand for is known, nothing is matched."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from geoinfluencer import ops
from geoinfluencer.errors import InputError


def instance_columns(instance: Tensor, ptr: Tensor) -> tuple[Tensor, Tensor]:
    """Number the instances of each graph 0, 1, ... in the order of their ids.

    Args:
        instance: id of each node, negative = none; unique within a graph only.
        ptr: first node of each graph, and N.

    Shapes:
        instance (N,), ptr (B+1,) -> column (N,) int64, -1 = none; instance_ptr (B+1,).
    """
    graph = ops.batch_from_ptr(ptr, instance.shape[0])
    member = (instance >= 0).nonzero()[:, 0]
    pairs = torch.stack([graph[member], instance[member].to(torch.int64)])
    found, row = torch.unique(pairs, dim=1, return_inverse=True)
    graphs = torch.arange(ptr.shape[0], device=ptr.device)
    instance_ptr = torch.searchsorted(found[0].contiguous(), graphs)
    column = torch.full_like(instance, -1, dtype=torch.int64)
    column[member] = row - instance_ptr[graph[member]]
    return column, instance_ptr


def flip_labels(
    column: Tensor, ptr: Tensor, flip: float, generator: torch.Generator | None = None
) -> Tensor:
    """Each label replaced, with probability ``flip``, by that of a random node of its graph.

    Args:
        column: labels.
        ptr: first node of each graph, and N.
        flip: probability.
        generator: default torch's own.

    Shapes:
        column (N,), ptr (B+1,) -> (N,).
    """
    size, device = column.shape[0], column.device
    graph = ops.batch_from_ptr(ptr, size)
    draw, flipped = torch.rand(2, size, device=device, generator=generator)
    other = ptr[graph] + (draw.double() * ptr.diff()[graph]).long()
    return torch.where(flipped < flip, column[other], column)


class DenoisingQueries(nn.Module):
    r"""Noised ground-truth queries after `DN-DETR (Li et al., CVPR 2022)
    <https://arxiv.org/abs/2203.01305>`_ and `Mask DINO (Li et al., CVPR 2023)
    <https://arxiv.org/abs/2206.02777>`_: one for each true instance, made from the mean state of
    its nodes after labels were flipped.

    .. math:: q_k = W \operatorname{mean}_{i:\, \tilde k_i = k} s_i + b

    where the label :math:`\tilde k_i` of a node is, with probability ``flip``, that of a random
    node of its graph (another instance's, or none). An instance that lost all its nodes gets them
    back. Each call makes one group; queries of different groups must not attend to each other, nor
    to those that are matched, which would tell them the truth: decode them apart.

    Args:
        in_channels (int): size F of the node states.
        channels (int): size H of the query states.
        flip (float): probability. (default: 0.3)

    Shapes:
        - **input:** states (N, F), ``column`` (N,) and ``instance_ptr`` (B+1,) as
          :func:`instance_columns` gives them, ``ptr`` (B+1,)
        - **output:** query states (K, H), in the order of ``instance_ptr``

    Raises:
        InputError: flip is no probability.
    """

    def __init__(self, in_channels: int, channels: int, *, flip: float = 0.3) -> None:
        super().__init__()
        if not 0.0 <= flip <= 1.0:
            raise InputError(f"flip is {flip}; it must be between 0 and 1")
        self.flip = flip
        self.content = nn.Linear(in_channels, channels)

    def forward(
        self,
        state: Tensor,
        column: Tensor,
        instance_ptr: Tensor,
        ptr: Tensor,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        base = instance_ptr[ops.batch_from_ptr(ptr, state.shape[0])]  # (N,) first row of the graph
        count = int(instance_ptr[-1])
        noised, left = _means(state, flip_labels(column, ptr, self.flip, generator), base, count)
        if not bool(left.all()):
            true, _ = _means(state, column, base, count)
            noised = torch.where(left[:, None], noised, true)
        query: Tensor = self.content(noised)
        return query

    def __repr__(self) -> str:
        sizes = f"{self.content.in_features}, {self.content.out_features}"
        return f"{type(self).__name__}({sizes}, flip={self.flip})"


def _means(state: Tensor, column: Tensor, base: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Mean state (K, F) of each instance's nodes, and whether it has any (K,)."""
    member = (column >= 0).nonzero()[:, 0]
    row = base[member] + column[member]
    some = torch.bincount(row, minlength=count) > 0
    return ops.segment_mean(state[member], row, count), some
