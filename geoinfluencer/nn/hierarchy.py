"""Nodes, their superpoints, coarser ones, and back: messages on several levels of one graph."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from geoinfluencer import ops
from geoinfluencer.errors import InputError
from geoinfluencer.nn.interaction import InteractionLayer
from geoinfluencer.nn.mlp import mlp

# field of a sample that holds a level, fine to coarse -> how its graphs get it
LEVELS = {
    "superpoint": "set data.graph.superpoints to the least voxels of one, for instance 8",
    "coarse": "set data.graph.coarse to the least voxels of a coarse superpoint, for instance 100",
}


class Level(nn.Module):
    """Interaction layers on a level, and on those above it, whose results go back to the level
    below.

    The parts of a level start with mean and maximum of the states below. Two are joined where an
    edge below leads from one to the other, and their edge starts with the mean state of those. What
    a part learnt is added to the states of what it consists of.

    Args:
        channels: C.
        layers: of this level and of those above it; a level with one above has as many once more,
            after it.
        dropout: inside the perceptrons.
    """

    pool: nn.Sequential
    middle: nn.ModuleList
    back: nn.Linear
    above: Level | None
    again: nn.ModuleList

    def __init__(self, channels: int, layers: Sequence[int], *, dropout: float = 0.0) -> None:
        super().__init__()
        self._add(channels, layers, dropout)

    def _add(self, channels: int, layers: Sequence[int], dropout: float) -> None:
        c, higher = channels, layers[1:]
        self.pool = mlp([2 * c, c, c])
        self.middle = _stack(c, layers[0], dropout)
        self.back = nn.Linear(c, c)
        self.above = Level(c, higher, dropout=dropout) if higher else None
        self.again = _stack(c, layers[0] if higher else 0, dropout)

    def climb(
        self, nodes: Tensor, edges: Tensor, edge_index: Tensor, members: Sequence[Tensor]
    ) -> Tensor:
        """States (N, C) with what the levels above know; ``members``, (N,) each, say which part of
        this level and of each above it a node is of, 0..S-1."""
        member = members[0]
        count = int(member.max()) + 1 if member.numel() else 0
        pooled = [f(nodes, member, count) for f in (ops.segment_mean, ops.segment_max)]
        parts = self.pool(torch.cat(pooled, dim=1))
        links, link, between = superpoint_edges(member, edge_index)
        part_edges = ops.segment_mean(edges[between], link, links.shape[1])
        for layer in self.middle:
            parts, part_edges = layer(parts, part_edges, links)
        if self.above is not None:
            higher = [part_members(member, each, count) for each in members[1:]]
            parts = self.above.climb(parts, part_edges, links, higher)
        for layer in self.again:
            parts, part_edges = layer(parts, part_edges, links)
        return nodes + self.back(ops.segment_gather(parts, member))


class HierarchyEncoder(Level):
    """Interaction layers on nodes, then on superpoints, then on nodes again, after `"Efficient 3D
    semantic segmentation with superpoint transformer" (Robert, Raguet and Landrieu, ICCV 2023)
    <https://arxiv.org/abs/2306.08045>`_.

    A message crosses a wall in one layer. With one level, of L layers a third, rounded down and at
    least one, comes before and after; the rest, at least one, is on superpoints. With two, nodes
    and superpoints have a fifth before what is above them and a fifth after it.

    Args:
        in_channels, edge_channels: sizes F and A of the features.
        hidden_channels: size C of the states.
        num_layers: L.
        levels: fields of the sample that hold the levels above the nodes, fine to coarse:
            ``superpoint``, ``coarse``. Of graphs whose nodes are superpoints, ``coarse`` alone.
        dropout: inside the perceptrons.

    Shapes:
        x (N, F), ``edge_index`` (2, E), ``edge_attr`` (E, A), ``batch`` (N,), for each level (N,)
        the part that each node is of, numbered within its own graph -> (N, C).

    Raises:
        InputError: ``levels`` are not some of those, fine to coarse; a graph lacks one of them, or
            a part of a level is not wholly in one of the next.
    """

    def __init__(
        self, in_channels: int, edge_channels: int, hidden_channels: int, num_layers: int,
        *, levels: Sequence[str] = ("superpoint",), dropout: float = 0.0,
    ) -> None:  # fmt: skip
        nn.Module.__init__(self)
        if not levels or list(levels) != [name for name in LEVELS if name in levels]:
            raise InputError(
                f"model.levels is {list(levels)!r}; give one or more of {', '.join(LEVELS)}, in "
                "this order"
            )
        self.levels = tuple(levels)
        c, outer = hidden_channels, max(num_layers // (2 * len(levels) + 1), 1)
        top = max(num_layers - 2 * outer * len(levels), 1)
        self.node = mlp([in_channels, c, c])
        self.edge = mlp([max(edge_channels, 1), c, c])
        self.before = _stack(c, outer, dropout)
        self._add(c, [*[outer] * (len(levels) - 1), top], dropout)
        self.after = _stack(c, outer, dropout)

    def forward(
        self, x: Tensor, edge_index: Tensor, edge_attr: Tensor | None, batch: Tensor | None = None,
        *members: Tensor | None,
    ) -> Tensor:  # fmt: skip
        numbers = []
        for name, member in zip(self.levels, members or (None,) * len(self.levels), strict=True):
            if member is None:
                raise InputError(
                    f"model.encoder hierarchy needs graphs with `{name}`; {LEVELS[name]}"
                )
            numbers.append(superpoint_numbers(member, batch)[0])
        if edge_attr is None:
            edge_attr = x.new_ones(edge_index.shape[1], 1)
        nodes, edges = self.node(x), self.edge(edge_attr)
        for layer in self.before:
            nodes, edges = layer(nodes, edges, edge_index)
        nodes = self.climb(nodes, edges, edge_index, numbers)
        for layer in self.after:
            nodes, edges = layer(nodes, edges, edge_index)
        return nodes


def superpoint_numbers(superpoint: Tensor, batch: Tensor | None) -> tuple[Tensor, int]:
    """Numbers (N,) 0..S-1 of the superpoints that occur in a batch, and S."""
    if batch is not None and superpoint.numel():
        superpoint = superpoint + batch * (superpoint.max() + 1)
    values, member = torch.unique(superpoint, return_inverse=True)
    return member, len(values)


def part_members(member: Tensor, higher: Tensor, count: int) -> Tensor:
    """(S,) which part of a higher level each of the ``count`` parts of a level is of, from those
    of the nodes (N,).

    Raises:
        InputError: a part has nodes in several.
    """
    found = higher.new_zeros(count)
    found[member] = higher
    if not torch.equal(found[member], higher):
        raise InputError(
            "model.levels: a part of one level is in several of the next; make the coarse of "
            "whole superpoints"
        )
    return found


def superpoint_edges(member: Tensor, edge_index: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Edges between superpoints, each direction once: (2, L); of the E' node edges that lead from
    one to another the number of theirs (E',), and which edges these are (E',)."""
    ends = member[edge_index]
    between = (ends[0] != ends[1]).nonzero()[:, 0]
    count = member.max() + 1 if member.numel() else 1
    keys, link = torch.unique(ends[0, between] * count + ends[1, between], return_inverse=True)
    return torch.stack([keys // count, keys % count]), link, between


def _stack(channels: int, count: int, dropout: float) -> nn.ModuleList:
    return nn.ModuleList(InteractionLayer(channels, dropout=dropout) for _ in range(count))
