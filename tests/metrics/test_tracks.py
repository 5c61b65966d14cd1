"""Track metrics by hand, case after case, and against the definitions hit by hit."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from geoinfluencer.metrics import TrackMetrics


def evaluate(predicted: list[int], truth: list[int], **options: Any) -> dict[str, float]:
    """Metrics of one event in which every particle has pT 1 GeV and eta 0."""
    pt = options.pop("pt", [1.0 if p else np.nan for p in truth])
    eta = options.pop("eta", [0.0 if p else np.nan for p in truth])
    weight = options.pop("weight", None)
    metrics = TrackMetrics(**options)
    own = metrics.update(
        np.array(predicted, np.int64), np.array(truth, np.int64), pt=pt, eta=eta, weight=weight
    )
    pooled = metrics.compute()
    np.testing.assert_equal({k: pooled[k] for k in own}, own)
    return own


def check(metrics: dict[str, float], **expected: float) -> None:
    np.testing.assert_allclose([metrics[k] for k in expected], list(expected.values()), rtol=1e-12)


def test_perfect_prediction() -> None:
    m = evaluate([0, 0, 0, 1, 1, 1, -1], [5, 5, 5, 7, 7, 7, 0])
    check(m, dm_efficiency=1, perfect_efficiency=1, lhc_efficiency=1, fake_rate=0)
    check(m, duplicate_rate=0, trackml_score=1, num_particles=2, num_tracks=2, noise_tracks=0)
    check(m, unassigned_fraction=1 / 7, num_hits=7, num_window_tracks=2)


def test_label_zero_is_a_track_and_every_negative_is_unassigned() -> None:
    assert evaluate([0, 0, 0], [5, 5, 5])["num_tracks"] == 1
    m = evaluate([-1, -1, -1, -9, -9, -9], [5, 5, 5, 6, 6, 6])
    check(m, num_tracks=0, dm_efficiency=0, unassigned_fraction=1, trackml_score=0)
    assert math.isnan(m["fake_rate"]) and math.isnan(m["duplicate_rate"])


def test_double_majority_needs_more_than_half_of_both() -> None:
    # Track 0: 3 of its 6 hits are of particle 5: not more than half of the track.
    check(evaluate([0] * 6, [5, 5, 5, 6, 7, 8]), dm_efficiency=0, fake_rate=1)
    # Track 0 has 3 of the 6 hits of particle 5: not more than half of the particle.
    check(evaluate([0] * 3 + [-1] * 3, [5] * 6), dm_efficiency=0, fake_rate=1, lhc_efficiency=1)
    # 4 of 7 in the track, 4 of 7 of the particle: more than half of both, purity below 75 %.
    m = evaluate([0] * 7 + [-1] * 3, [5] * 4 + [6, 7, 8] + [5] * 3)
    check(m, dm_efficiency=1, perfect_efficiency=0, lhc_efficiency=0, fake_rate=0)


def test_perfect_and_lhc() -> None:
    # All hits of particle 5 and one foreign: purity 4/5 > 75 %, not perfect.
    m = evaluate([0] * 5, [5, 5, 5, 5, 0])
    check(m, dm_efficiency=1, perfect_efficiency=0, lhc_efficiency=1)
    # Exactly 75 % is not more than 75 %.
    check(evaluate([0] * 4, [5, 5, 5, 0]), dm_efficiency=1, lhc_efficiency=0)


def test_short_tracks_are_no_tracks_but_score_in_trackml() -> None:
    # Particle 6 has 2 hits: below min_hits; its two-hit track counts in the TrackML score alone.
    m = evaluate([0, 0, 0, 1, 1], [5, 5, 5, 6, 6])
    check(m, num_tracks=1, num_particles=1, trackml_score=1)
    m = evaluate([0, 0, 0, 1, 1], [5, 5, 5, 6, 6], min_hits=2, min_track_hits=2)
    check(m, num_tracks=2, num_particles=2, dm_efficiency=1)


def test_tie_decides_which_rates_a_track_enters() -> None:
    # Tie between particle 5 in W (3 hits) and particle 6 outside (pT 0.1, 4 hits): 5 wins, fake.
    predicted, truth = [0, 0, 0, 0, -1, -1, -1], [5, 5, 6, 6, 5, 6, 6]
    pt = [1.0 if p == 5 else 0.1 for p in truth]
    check(evaluate(predicted, truth, pt=pt), fake_rate=1, num_window_tracks=1)
    # With 5 the bigger one, 6 wins and the track is in no window rate.
    predicted, truth = [*predicted, -1, -1], [*truth, 5, 5]
    pt = [1.0 if p == 5 else 0.1 for p in truth]
    m = evaluate(predicted, truth, pt=pt)
    check(m, num_window_tracks=0, fake_rate_all=1)
    assert math.isnan(m["fake_rate"])


def test_window_edges_belong_to_it() -> None:
    truth = [1] * 3 + [2] * 3 + [3] * 3 + [4] * 2 + [5] * 3
    pt = [0.9] * 3 + [0.89] * 3 + [5.0] * 3 + [5.0] * 2 + [np.nan] * 3
    eta = [4.0] * 3 + [0.0] * 3 + [-4.01] * 3 + [0.0] * 2 + [np.nan] * 3
    predicted = [1] * 3 + [2] * 3 + [3] * 3 + [4] * 2 + [5] * 3
    m = evaluate(predicted, truth, pt=pt, eta=eta)
    check(m, num_particles=1, dm_efficiency=1, num_tracks=4, num_window_tracks=1)
    single = [np.float32(v) for v in pt]  # samples store float32
    check(evaluate(predicted, truth, pt=single, eta=eta), num_particles=1)


def test_noise_is_never_in_the_window() -> None:
    m = evaluate([0, 0, 0], [0, 0, 0], pt=[5.0] * 3, eta=[0.0] * 3, pt_min=0.0)
    check(m, num_particles=0, noise_tracks=1)
    assert math.isnan(m["dm_efficiency"]) and math.isnan(m["trackml_score"])


def test_noise_clusters_are_counted_by_the_same_rules() -> None:
    # Seven noise hits in clusters of 3 and 3, one left: no double majority (3 of 7); the second
    # cluster has a noise cluster of equal size beside it, so one of the two is a duplicate.
    m = evaluate([0, 0, 0, 1, 1, 1, 2, 2, 2, -1], [5, 5, 5, 0, 0, 0, 0, 0, 0, 0])
    check(m, noise_tracks=2, num_tracks=3, fake_rate=2 / 3, duplicate_rate=1 / 3)
    check(m, fake_rate_all=2 / 3, gnn_tracking_fake_rate=0, acorn_atlas_fake_rate=2 / 3)
    # All noise in one cluster: more than half of both, so by the letter not a fake.
    check(evaluate([0] * 4, [0] * 4), noise_tracks=1, fake_rate=0, duplicate_rate=0)


def test_duplicates_keep_the_track_with_most_hits_of_the_particle() -> None:
    # Particle 5 has tracks with 3, 5 and 3 of its hits; particle 6 has two of 3.
    predicted = [0] * 3 + [1] * 5 + [2] * 3 + [3] * 3 + [4] * 3
    truth = [5] * 11 + [6] * 6
    m = evaluate(predicted, truth)
    check(m, num_tracks=5, duplicate_rate=3 / 5, dm_efficiency=0, fake_rate=1)


def test_duplicates_of_particles_outside_count_only_in_all() -> None:
    truth = [5] * 3 + [6] * 6
    m = evaluate([0] * 3 + [1] * 3 + [2] * 3, truth, pt=[1.0] * 3 + [0.1] * 6)
    check(m, duplicate_rate=0, fake_rate=0, duplicate_rate_all=1 / 3, fake_rate_all=2 / 3)


def test_other_tools() -> None:
    # W: particles 1 (10 hits), 2 (4), 3 (4). Tracks: 0 has 6 of 1; 1 has 4 of 1 (pure, a
    # duplicate); 2 has 4 of 2 and 1 noise; 3 has 2 of 3 and 1 noise; 4 is noise; 5 is of 9 (soft).
    truth = [1] * 10 + [2] * 4 + [0] + [3] * 4 + [0] + [0] * 3 + [9] * 3
    predicted = [0] * 6 + [1] * 4 + [2] * 5 + [3] * 2 + [-1] * 2 + [3] + [4] * 3 + [5] * 3
    pt = [0.1 if p == 9 else 1.0 for p in truth]
    m = evaluate(predicted, truth, pt=pt)
    check(m, num_particles=3, num_tracks=6, num_window_tracks=4, noise_tracks=1)
    # Double majority: 1 by track 0, 2 by track 2; track 3 has 2 of 4: not more than half.
    check(m, dm_efficiency=2 / 3, perfect_efficiency=0, lhc_efficiency=2 / 3)
    # Tracks with majority in W or noise: 0..4. The noise cluster has 3 of 5 noise hits: double.
    check(m, fake_rate=2 / 5, duplicate_rate=1 / 5, fake_rate_all=2 / 6, duplicate_rate_all=1 / 6)
    check(m, gnn_tracking_double_majority=2 / 3, gnn_tracking_perfect=0)
    check(m, gnn_tracking_lhc=3 / 4, gnn_tracking_fake_rate=2 / 4)
    check(m, heptv2_double_majority=2 / 3, heptv2_fake_rate=2 / 3)
    # Purity above one half: tracks 0, 1 (particle 1), 2, 3: three particles, one duplicate.
    check(m, heptv2_duplicate_rate=1 / 3)
    check(m, acorn_atlas_efficiency=1, acorn_atlas_duplicate_rate=1 / 3)
    # Matched: 0, 1, 2, 3, 5 of six tracks; noise never matches.
    check(m, acorn_atlas_fake_rate=1 / 6, acorn_one_way_fake_rate=1 / 6)
    # More than half of the particle in a track: 1 in track 0, 2 in track 2.
    check(m, acorn_one_way_efficiency=2 / 3, acorn_one_way_duplicate_rate=0)
    check(m, acorn_two_way_efficiency=2 / 3, acorn_two_way_fake_rate=3 / 6)
    check(m, acorn_two_way_duplicate_rate=0)
    # Without the duplicate (track 1): four tracks, of which track 3 is fake.
    check(m, hepattn_efficiency=2 / 3, hepattn_fake_rate=1 / 4)


def test_acorn_matches_a_particle_that_is_not_the_majority() -> None:
    # Track 0 has all 3 hits of particle 5 and 4 of the 9 hits of 6: one way, 5 is reconstructed.
    m = evaluate([0] * 7 + [-1] * 5, [5] * 3 + [6] * 4 + [6] * 5)
    check(m, acorn_one_way_efficiency=1 / 2, acorn_atlas_efficiency=1 / 2)
    check(m, acorn_two_way_efficiency=0, dm_efficiency=0)


def slow_metrics(predicted: list[int], truth: list[int], good: set[int]) -> dict[str, float]:
    """The primary definitions again, hit by hit; W is `good` and at least three hits."""
    size = Counter(truth)
    window = {p for p in good if size[p] >= 3 and p != 0}
    rows = []  # majority, shared, double, perfect
    for track in sorted({t for t in predicted if t >= 0}):
        inside = Counter(p for t, p in zip(predicted, truth, strict=True) if t == track)
        length = sum(inside.values())
        if length < 3:
            continue
        best = min(inside, key=lambda p: (-inside[p], size[p], p))
        shared = inside[best]
        double = shared > length / 2 and shared > size[best] / 2
        rows.append((best, shared, double, shared == length == size[best], shared / length > 0.75))
    scored = [row for row in rows if row[0] in window or row[0] == 0]

    def share(count: int, total: int) -> float:
        return count / total if total else math.nan

    def duplicate_count(chosen: list[tuple[int, int, bool, bool, bool]]) -> int:
        return len(chosen) - len({row[0] for row in chosen})

    return {
        "dm_efficiency": share(len(window & {r[0] for r in rows if r[2]}), len(window)),
        "perfect_efficiency": share(len(window & {r[0] for r in rows if r[3]}), len(window)),
        "lhc_efficiency": share(len(window & {r[0] for r in rows if r[4]}), len(window)),
        "fake_rate": share(sum(not r[2] for r in scored), len(scored)),
        "duplicate_rate": share(duplicate_count(scored), len(scored)),
        "fake_rate_all": share(sum(not r[2] for r in rows), len(rows)),
        "duplicate_rate_all": share(duplicate_count(rows), len(rows)),
    }


@settings(max_examples=200)
@given(st.lists(st.tuples(st.integers(-1, 5), st.integers(0, 6)), min_size=1, max_size=60))
def test_against_the_definitions_hit_by_hit(pairs: list[tuple[int, int]]) -> None:
    predicted, truth = [list(column) for column in zip(*pairs, strict=True)]
    good = {1, 2, 3, 4}
    m = evaluate(
        predicted, truth, pt=[1.0 if p in good else 0.1 for p in truth], eta=[0.0] * len(truth)
    )
    expected = slow_metrics(predicted, truth, good)
    np.testing.assert_allclose([m[k] for k in expected], list(expected.values()))
