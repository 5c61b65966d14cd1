"""The TrackML score by hand, against a plain version and against the challenge's library."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geoinfluencer.metrics import trackml_score


def slow_score(predicted: list[int], truth: list[int], weight: list[float]) -> float:
    """score_event: majority with > 1/2 of the track and of the particle earns its hits' weight."""
    size, earned = Counter(truth), 0.0
    for track in {t for t in predicted if t >= 0}:
        hits = [i for i, t in enumerate(predicted) if t == track]
        best, shared = Counter(truth[i] for i in hits).most_common(1)[0]
        if shared / len(hits) > 0.5 and shared / size[best] > 0.5:
            earned += sum(weight[i] for i in hits if truth[i] == best)
    return earned / sum(weight)


@settings(max_examples=200)
@given(
    st.lists(
        st.tuples(st.integers(-1, 5), st.integers(0, 6), st.floats(0.01, 1.0)),
        min_size=1,
        max_size=60,
    )
)
def test_trackml_score_against_a_plain_version(rows: list[tuple[int, int, float]]) -> None:
    predicted, truth, weight = [list(column) for column in zip(*rows, strict=True)]
    got = trackml_score(np.array(predicted), np.array(truth), np.array(weight))
    np.testing.assert_allclose(got, slow_score(predicted, truth, weight), rtol=1e-9)


def test_trackml_score_by_hand() -> None:
    # Track 0: 2 of 3 hits of particle 1 (3 hits): weights 1 + 2. Track 1: a single hit that is all
    # of particle 2. Particle 3 is split in halves: nothing. Total 1 + 2 + 4 + 8 + 16 + 32 = 63.
    truth, weight = [1, 1, 1, 2, 3, 3], [1.0, 2, 4, 8, 16, 32]
    score = trackml_score(np.array([0, 0, 5, 1, 2, 3]), np.array(truth), np.array(weight))
    assert score == pytest.approx((1 + 2 + 8) / 63)
    assert math.isnan(trackml_score(np.array([0]), np.array([1]), np.array([0.0])))


def test_trackml_score_against_the_library() -> None:
    # The library of the challenge; PyPI's "trackml" is another package and has no such module.
    score = pytest.importorskip("trackml.score", reason="the trackml library is not installed")
    pandas = pytest.importorskip("pandas")
    rng = np.random.default_rng(0)
    for _ in range(20):
        truth = rng.integers(0, 30, 300)
        predicted = np.where(rng.random(300) < 0.6, truth, rng.integers(0, 30, 300))
        weight = rng.random(300) * (truth > 0)
        hits = np.arange(300)
        expected = score.score_event(
            pandas.DataFrame({"hit_id": hits, "particle_id": truth, "weight": weight}),
            pandas.DataFrame({"hit_id": hits, "track_id": predicted}),
        )
        assert trackml_score(predicted, truth, weight) == pytest.approx(expected)
