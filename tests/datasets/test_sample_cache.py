from __future__ import annotations

import torch
from torch_geometric.data import Data

from geoinfluencer.datasets.sample_cache import SampleCache, access_rng


def fill(cache: SampleCache, keys: str) -> list[str]:
    """Asks for the keys in turn; returns those that had to be made."""
    made: list[str] = []

    def make(key: str) -> Data:
        made.append(key)
        return Data(name=key)

    for key in keys:
        assert cache.get(key, lambda key=key: make(key)).name == key
    return made


def test_the_least_recently_used_goes_first() -> None:
    assert fill(SampleCache(2), "abacab") == ["a", "b", "c", "b"]
    assert fill(SampleCache(0), "aa") == ["a", "a"]


def test_what_a_caller_replaces_is_not_kept() -> None:
    cache = SampleCache(1)
    sample = cache.get(0, lambda: Data(x=torch.zeros(2)))
    sample.x = torch.ones(2)
    assert cache.get(0, lambda: Data()).x.tolist() == [0, 0]


def test_the_access_generator_follows_torch() -> None:
    torch.manual_seed(3)
    first, second = access_rng().random(), access_rng().random()
    torch.manual_seed(3)
    assert access_rng().random() == first != second


def test_large_samples_are_fewer() -> None:
    cache = SampleCache(10, max_bytes=100)
    made: list[int] = []

    def make(key: int) -> Data:
        made.append(key)
        return Data(x=torch.zeros(10))  # 40 bytes

    for key in (0, 1, 0, 2, 0, 1):
        cache.get(key, lambda key=key: make(key))
    assert made == [0, 1, 2, 1]
    cache = SampleCache(10, max_bytes=30)
    made.clear()
    for _ in range(2):
        cache.get(0, lambda: make(0))
    assert made == [0, 0]
