"""Numbers of labels and majorities, against loops."""

from __future__ import annotations

import numpy as np
import pytest

from geoinfluencer.metrics.labels import majority, numbered


def test_numbers_and_first_points() -> None:
    ids, index, first = numbered(np.array([7, -1, 3, 7, -5, 3]))
    assert ids.tolist() == [3, 7] and first.tolist() == [2, 0]
    assert index.tolist() == [1, -1, 0, 1, -1, 0]
    assert [len(part) for part in numbered(np.full(2, -1))] == [0, 2, 0]


@pytest.mark.parametrize("weighted", [False, True])
def test_majority_is_that_of_a_loop(weighted: bool) -> None:
    rng = np.random.default_rng(0)
    index, label = rng.integers(-1, 20, 150), rng.integers(-1, 4, 150)
    index[:20] = np.arange(20)
    mass = rng.integers(0, 3, 150).astype(float) if weighted else None
    each = np.ones(150) if mass is None else mass
    wanted = []
    for k in range(20):
        votes = {c: each[(index == k) & (label == c)].sum() for c in np.unique(label[index == k])}
        wanted.append(min(votes, key=lambda c: (-votes[c], c)))
    assert majority(index, label, 20, mass).tolist() == wanted
