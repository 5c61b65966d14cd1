"""Achievable accuracy by hand."""

from __future__ import annotations

import numpy as np
import pytest

from geoinfluencer.errors import InputError
from geoinfluencer.graphs.segment_accuracy import achievable_accuracy


def test_by_hand() -> None:
    # segment 0: two of three are 5; segment 1: all -1; segment 3: one of two; 2 is nowhere
    segment = np.array([0, 0, 0, 1, 1, 3, 3])
    label = np.array([5, 5, -1, -1, -1, 7, 2])
    assert achievable_accuracy(segment, label) == (2 + 2 + 1) / 7
    assert achievable_accuracy(np.arange(7), label) == 1
    assert achievable_accuracy(np.zeros(7, np.int64), label) == 3 / 7


@pytest.mark.parametrize("sizes", [(3, 4), (0, 0)])
def test_shapes(sizes: tuple[int, int]) -> None:
    with pytest.raises(InputError, match="`segment` has shape"):
        achievable_accuracy(np.zeros(sizes[0], np.int64), np.zeros(sizes[1], np.int64))
