"""Batches as a function of the step alone, so that a resumed run sees what it would have seen."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import torch
from torch.utils.data import Sampler


def mixed_seed(*numbers: int) -> int:
    """One 63-bit seed from several numbers; the same in every process and Python version."""
    text = ",".join(str(number) for number in numbers)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") >> 1


class StepBatches(Sampler[list[tuple[int, int]]]):
    """An endless stream of shuffled batches that can start at any step.

    Epoch ``e`` is the permutation drawn from ``(seed, e)``; the epochs are laid end to end and
    batch ``g`` takes positions ``[g * W * batch_size, (g + 1) * W * batch_size)`` of that line,
    split evenly over ``W`` processes. No sample is dropped and none is seen twice in an epoch.
    An entry of a batch is ``(position, sample number)``.

    Args:
        num_samples: size of the dataset, at least 1.
        batch_size: samples per process and batch.
        seed: of the order.
        start: first batch (not sample) to yield.
        rank: this process.
        world_size: number of processes W.
    """

    def __init__(
        self,
        num_samples: int,
        batch_size: int,
        *,
        seed: int = 0,
        start: int = 0,
        rank: int = 0,
        world_size: int = 1,
    ) -> None:
        self.num_samples, self.batch_size, self.seed = num_samples, batch_size, seed
        self.start, self.rank, self.world_size = start, rank, world_size
        self._epoch, self._order = -1, torch.empty(0, dtype=torch.int64)

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        step = self.start
        while True:
            first = (step * self.world_size + self.rank) * self.batch_size
            places = range(first, first + self.batch_size)
            yield [(position, self._sample_at(position)) for position in places]
            step += 1

    def _sample_at(self, position: int) -> int:
        epoch, offset = divmod(position, self.num_samples)
        if epoch != self._epoch:
            generator = torch.Generator().manual_seed(mixed_seed(self.seed, epoch))
            self._order = torch.randperm(self.num_samples, generator=generator)
            self._epoch = epoch
        return int(self._order[offset])
