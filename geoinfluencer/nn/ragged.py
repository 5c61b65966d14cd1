"""Rows of several graphs in one tensor, and the same rows padded to a rectangle."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import torch
from torch import Tensor

from geoinfluencer import ops

PAIRS_PER_CALL = 1024  # as many take as long as one more call


@dataclass(frozen=True)
class Ragged:
    """Where the rows of each of B graphs lie; sizes are read from the device once."""

    ptr: Tensor  # (B+1,) int64
    bounds: tuple[int, ...]  # ptr, on the host

    @classmethod
    def of(cls, ptr: Tensor) -> Ragged:
        """Of row pointers (B+1,); on a GPU this waits for it."""
        return cls(ptr, tuple(ptr.tolist()))

    @property
    def num_graphs(self) -> int:
        """B."""
        return len(self.bounds) - 1

    @property
    def total(self) -> int:
        """Rows of all graphs."""
        return self.bounds[-1]

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """Rows of each graph."""
        return tuple(b - a for a, b in pairwise(self.bounds))

    @cached_property
    def largest(self) -> int:
        """Rows of the largest graph."""
        return max(self.sizes, default=0)

    @cached_property
    def even(self) -> bool:
        """Whether all graphs have as many rows: no padding is needed."""
        return all(size == self.largest for size in self.sizes)

    @cached_property
    def graph(self) -> Tensor:
        """(total,) graph of each row."""
        return ops.batch_from_ptr(self.ptr, self.total)

    @cached_property
    def local(self) -> Tensor:
        """(total,) place of each row within its graph."""
        return torch.arange(self.total, device=self.ptr.device) - self.ptr[self.graph]

    @cached_property
    def valid(self) -> Tensor:
        """(B, largest) which places of the rectangle hold a row."""
        places = torch.arange(self.largest, device=self.ptr.device)
        return places < self.ptr.diff()[:, None]

    def pad(self, rows: Tensor) -> Tensor:
        """(total, ...) -> (B, largest, ...), zeros where there is no row."""
        shape = (self.num_graphs, self.largest, *rows.shape[1:])
        if self.even:
            return rows.reshape(shape)
        return rows.new_zeros(shape).index_put((self.graph, self.local), rows)

    def unpad(self, padded: Tensor) -> Tensor:
        """(B, largest, ...) -> (total, ...)."""
        if self.even:
            return padded.reshape(self.total, *padded.shape[2:])
        return padded[self.graph, self.local]


def prefer_padding(rows: Ragged, columns: Ragged) -> bool:
    """Whether a batch of rows x columns products is quicker as one padded product than one by one.

    So it is where padding adds at most ``PAIRS_PER_CALL`` pairs per graph. Measured for attention
    and for logits (width 64, 4 heads, forward and backward, CPU): up to some 500 to 3,000 wasted
    pairs per graph one padded call is quicker, from 4,000 on one call per graph is, up to 6 times.
    """
    if rows.even and columns.even:
        return True
    padded = rows.num_graphs * rows.largest * columns.largest
    wanted = sum(m * n for m, n in zip(rows.sizes, columns.sizes, strict=True))
    return padded - wanted <= PAIRS_PER_CALL * rows.num_graphs
