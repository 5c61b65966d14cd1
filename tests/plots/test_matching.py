from __future__ import annotations

import numpy as np

from geoinfluencer.metrics.matching import match_tracks
from geoinfluencer.plots import matching as m


def test_majority_breaks_ties_by_the_smaller_id() -> None:
    truth = np.array([3, 3, 1, 1, -1, 5])
    predicted = np.array([0, 0, 0, 0, 1, 2])
    assert m.majority(truth, predicted).tolist() == [1, -1, 5]


def test_majority_breaks_ties_by_fewer_nodes_first() -> None:
    truth = np.array([0, 0, 5, 5, 0, -1, 2])
    predicted = np.array([0, 0, 0, 0, -1, 3, 3])  # noise and 2 have one node each
    assert m.majority(truth, predicted).tolist() == [5, -1, -1, -1]
    assert m.node_errors(truth, predicted)[:4].tolist() == [m.ELSEWHERE] * 2 + [m.RIGHT] * 2


def test_majority_is_that_of_the_metrics() -> None:
    rng = np.random.default_rng(0)
    truth, predicted = rng.integers(-1, 6, (2, 200, 12))
    for true, found in zip(truth, predicted, strict=True):
        match = match_tracks(found, true + 1)
        expected = match.particle_id[match.majority] - 1
        assert m.majority(true, found)[match.track_id].tolist() == expected.tolist()


def test_colours_follow_the_true_instance() -> None:
    truth = np.array([0, 0, 0, 1, 1, -1, -1])
    predicted = np.array([7, 7, 2, 4, 4, 5, -1])
    matched = m.matched_instance(truth, predicted)
    assert matched[:5].tolist() == [0, 0, 0, 1, 1]
    assert matched[5] > truth.max()  # a group of noise is no true instance
    assert matched[6] == -1


def test_every_kind_of_error() -> None:
    truth = np.array([0, 0, 0, 0, 0, 1, 1, -1, -1, 2])
    predicted = np.array([0, 0, 1, -1, 2, 2, 2, 2, -1, 3])
    ignore = np.zeros(10, bool)
    ignore[9] = True
    assert m.node_errors(truth, predicted, ignore).tolist() == [
        m.RIGHT, m.RIGHT, m.IN_PART, m.UNASSIGNED, m.ELSEWHERE,
        m.RIGHT, m.RIGHT, m.NOISE_TAKEN, m.NOISE_LEFT, m.IGNORED,
    ]  # fmt: skip


def test_nothing_predicted_and_nothing_there() -> None:
    none = np.full(4, -1)
    assert (m.node_errors(np.arange(4), none) == m.UNASSIGNED).all()
    assert (m.node_errors(none, none) == m.NOISE_LEFT).all()
    assert m.matched_instance(none, none).tolist() == none.tolist()
    assert m.majority(none[:0], none[:0]).size == 0
