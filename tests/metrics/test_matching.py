"""Which particle a track belongs to, and which tracks are duplicates."""

from __future__ import annotations

import numpy as np

from geoinfluencer.metrics.matching import duplicates, match_tracks


def test_majority_tie_goes_to_the_particle_with_fewer_hits_then_the_smaller_id() -> None:
    # 2 : 2 between particles 5 (4 hits in truth) and 9 (2 hits): 9 wins.
    match = match_tracks(np.array([0, 0, 0, 0, -1, -1]), np.array([5, 5, 9, 9, 5, 5]))
    assert match.particle_id[match.majority].tolist() == [9]
    # Same sizes: the smaller id, whatever the order of the hits.
    for truth in ([9, 9, 5, 5], [5, 5, 9, 9], [9, 5, 9, 5]):
        match = match_tracks(np.zeros(4, np.int64), np.array(truth))
        assert match.particle_id[match.majority].tolist() == [5]
    # Noise is a candidate with all noise hits as its hits: 2 noise hits beat 3 hits of particle 5.
    match = match_tracks(np.array([0, 0, 0, 0, -1]), np.array([0, 0, 5, 5, 5]))
    assert match.particle_id[match.majority].tolist() == [0]
    match = match_tracks(np.array([0, 0, 0, 0, -1]), np.array([0, 0, 5, 5, 0]))
    assert match.particle_id[match.majority].tolist() == [5]


def test_duplicates_have_fewer_of_the_particle_s_hits() -> None:
    # Most of the particle's hits, not the longest track: track 1 is longer but has fewer.
    majority, shared = np.array([0, 0, 1]), np.array([4, 3, 9])
    assert duplicates(majority, shared).tolist() == [False, True, False]
    assert duplicates(np.array([2, 2, 2]), np.array([3, 3, 3])).sum() == 2
