"""Samples kept in memory between accesses, and the randomness of each access."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Hashable

import numpy as np
import torch
from torch_geometric.data import Data


def access_rng() -> np.random.Generator:
    """Return a generator seeded from torch's: it differs per access, epoch and worker, and
    repeats under ``torch.manual_seed``."""
    return np.random.default_rng(int(torch.randint(2**63 - 1, (1,)).item()))


class SampleCache:
    """The last ``size`` samples by key, fewer where they have more than ``max_bytes`` together."""

    def __init__(self, size: int, max_bytes: float = math.inf) -> None:
        self.size, self.max_bytes = size, max_bytes
        self._bytes = 0
        self._samples: OrderedDict[Hashable, Data] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], Data]) -> Data:
        """Return a shallow copy of the sample, made when it is not kept."""
        sample = self._samples.pop(key, None)
        if sample is None:
            sample = make()
            self._bytes += _bytes(sample)
        self._samples[key] = sample
        while len(self._samples) > self.size or self._bytes > self.max_bytes:
            self._bytes -= _bytes(self._samples.popitem(last=False)[1])
        return sample.__copy__()

    def clear(self) -> None:
        """Keeps nothing: samples will be made in another way."""
        self._samples.clear()
        self._bytes = 0


def _bytes(sample: Data) -> int:
    values = sample.to_dict().values()
    return sum(value.nbytes for value in values if isinstance(value, torch.Tensor))
