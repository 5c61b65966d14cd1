"""The track metrics as other tools define and print them."""

from __future__ import annotations

from collections import Counter

import numpy as np

from geoinfluencer.metrics.matching import TrackMatching
from geoinfluencer.metrics.track_counts import Counts, ratio

ACORN_STYLES = ("atlas", "one_way", "two_way")


def other_definitions(
    match: TrackMatching, in_window: np.ndarray, double: np.ndarray, duplicate: np.ndarray
) -> Counts:
    r"""Count what the other tools' definitions need.

    W and tracks are as in :class:`~geoinfluencer.metrics.TrackMetrics`; *clusters* are the tracks
    with majority in W (noise clusters are invisible in these tools). The majority follows this
    library's tie rule everywhere.

    ========================================= ===================================================
    ``gnn_tracking_double_majority``          double-majority clusters / \|W\|
    ``gnn_tracking_perfect``                  clusters with all hits of the particle and > 99 %
                                              purity / \|W\|
    ``gnn_tracking_lhc``                      clusters with > 75 % purity / clusters
    ``gnn_tracking_fake_rate``                clusters without double majority / clusters
    ``heptv2_double_majority``                as gnn_tracking
    ``heptv2_fake_rate``                      clusters without double majority / \|W\|
    ``heptv2_duplicate_rate``                 (clusters with > 50 % purity - their particles) /
                                              their particles
    ``acorn_STYLE_efficiency``                particles of W with a reconstructing track / \|W\|
    ``acorn_STYLE_fake_rate``                 1 - matched tracks / all tracks (noise never matches)
    ``acorn_STYLE_duplicate_rate``            (reconstructing track-particle pairs - reconstructed
                                              particles) / reconstructed particles
    ``hepattn_efficiency``                    particles of W with a double-majority track that is
                                              not a duplicate / \|W\|
    ``hepattn_fake_rate``                     of the tracks with majority in W or noise that are not
                                              duplicates: share without double majority
    ========================================= ===================================================

    STYLE ``atlas``: track matched and particle reconstructed when the particle has >= 50 % of the
    track (acorn adds 1e-6 to the half, so: more than half). ``one_way``: matched by that,
    reconstructed when the track has more than half of the particle. ``two_way``: both. Any
    particle in a track can match there, not the majority particle alone.
    """
    purity_99 = 100 * match.shared > 99 * match.track_size
    pure = 2 * match.shared > match.track_size
    complete = match.shared == match.particle_size[match.majority]
    lhc = 4 * match.shared > 3 * match.track_size
    cluster = in_window[match.majority]
    scored = cluster | (match.particle_id[match.majority] == 0)
    first = ~duplicate
    counts: Counts = Counter(
        cluster_double=int((cluster & double).sum()),
        cluster_perfect=int((cluster & complete & purity_99).sum()),
        cluster_lhc=int((cluster & lhc).sum()),
        cluster_pure=int((cluster & pure).sum()),
        cluster_pure_particles=len(np.unique(match.majority[cluster & pure])),
        hepattn_found=len(np.unique(match.majority[cluster & double & first])),
        hepattn_tracks=int((scored & first).sum()),
        hepattn_fake=int((scored & first & ~double).sum()),
    )
    counts.update(_acorn(match, in_window))
    return counts


def _acorn(match: TrackMatching, in_window: np.ndarray) -> Counts:
    particle, track = match.pair_particle, match.pair_track
    real = match.particle_id[particle] != 0
    pure = real & (2 * match.pair_shared > match.track_size[track])
    complete = real & (2 * match.pair_shared > match.particle_size[particle])
    counts: Counts = Counter()
    for style in ACORN_STYLES:
        matched = pure & complete if style == "two_way" else pure
        reconstructing = complete if style == "one_way" else matched
        reconstructing = reconstructing & in_window[particle]
        counts[f"acorn_{style}_matched"] = len(np.unique(track[matched]))
        counts[f"acorn_{style}_pairs"] = int(reconstructing.sum())
        counts[f"acorn_{style}_found"] = len(np.unique(particle[reconstructing]))
    return counts


def other_ratios(c: Counts) -> dict[str, float]:
    """Turn counts, of one event or pooled, into the metrics of the other tools; 0/0 is nan."""
    metrics: dict[str, float] = {
        "gnn_tracking_double_majority": ratio(c["cluster_double"], c["particles"]),
        "gnn_tracking_perfect": ratio(c["cluster_perfect"], c["particles"]),
        "gnn_tracking_lhc": ratio(c["cluster_lhc"], c["window_tracks"]),
        "gnn_tracking_fake_rate": ratio(
            c["window_tracks"] - c["cluster_double"], c["window_tracks"]
        ),
        "heptv2_double_majority": ratio(c["cluster_double"], c["particles"]),
        "heptv2_fake_rate": ratio(c["window_tracks"] - c["cluster_double"], c["particles"]),
        "heptv2_duplicate_rate": ratio(
            c["cluster_pure"] - c["cluster_pure_particles"], c["cluster_pure_particles"]
        ),
        "hepattn_efficiency": ratio(c["hepattn_found"], c["particles"]),
        "hepattn_fake_rate": ratio(c["hepattn_fake"], c["hepattn_tracks"]),
    }
    for style in ACORN_STYLES:
        found, pairs = c[f"acorn_{style}_found"], c[f"acorn_{style}_pairs"]
        metrics[f"acorn_{style}_efficiency"] = ratio(found, c["particles"])
        metrics[f"acorn_{style}_fake_rate"] = ratio(
            c["tracks"] - c[f"acorn_{style}_matched"], c["tracks"]
        )
        metrics[f"acorn_{style}_duplicate_rate"] = ratio(pairs - found, found)
    return metrics
