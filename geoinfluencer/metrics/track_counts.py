"""The counts behind the track metrics of this library, and their ratios."""

from __future__ import annotations

from collections import Counter

import numpy as np

from geoinfluencer.metrics.matching import TrackMatching

Counts = Counter[str]


def double_majority(match: TrackMatching) -> np.ndarray:
    """(T,) bool, in integers: more than half of the track and of the particle."""
    particle_size = match.particle_size[match.majority]
    return (2 * match.shared > match.track_size) & (2 * match.shared > particle_size)


def count_tracks(
    match: TrackMatching, in_window: np.ndarray, double: np.ndarray, duplicate: np.ndarray
) -> tuple[Counts, np.ndarray]:
    """Numerators and denominators of one event, and which particles (P,) are found.

    Args:
        match: the long tracks.
        in_window: (P,) which particles are in W.
        double: (T,) which tracks have double majority.
        duplicate: (T,) which tracks are duplicates.
    """
    particles = len(match.particle_id)
    particle_size = match.particle_size[match.majority]
    complete = match.shared == particle_size
    perfect = complete & (match.shared == match.track_size)
    lhc = 4 * match.shared > 3 * match.track_size
    noise = match.particle_id[match.majority] == 0
    window = in_window[match.majority]
    scored = window | noise
    found = _any_of(match.majority[double], particles)
    counts: Counts = Counter(
        particles=int(in_window.sum()),
        found=int((found & in_window).sum()),
        perfect=int((_any_of(match.majority[perfect], particles) & in_window).sum()),
        lhc=int((_any_of(match.majority[lhc], particles) & in_window).sum()),
        tracks=len(double),
        window_tracks=int(window.sum()),
        noise_tracks=int(noise.sum()),
        scored=int(scored.sum()),
        fake=int((scored & ~double).sum()),
        duplicate=int((scored & duplicate).sum()),
        fake_all=int((~double).sum()),
        duplicate_all=int(duplicate.sum()),
    )
    return counts, found


def ratios(c: Counts) -> dict[str, float]:
    """Turn counts, of one event or pooled, into the metrics by name; 0/0 is nan."""
    return {
        "dm_efficiency": ratio(c["found"], c["particles"]),
        "perfect_efficiency": ratio(c["perfect"], c["particles"]),
        "lhc_efficiency": ratio(c["lhc"], c["particles"]),
        "fake_rate": ratio(c["fake"], c["scored"]),
        "duplicate_rate": ratio(c["duplicate"], c["scored"]),
        "fake_rate_all": ratio(c["fake_all"], c["tracks"]),
        "duplicate_rate_all": ratio(c["duplicate_all"], c["tracks"]),
        "num_particles": c["particles"],
        "num_tracks": c["tracks"],
        "num_window_tracks": c["window_tracks"],
        "noise_tracks": c["noise_tracks"],
        "num_hits": c["hits"],
        "unassigned_fraction": ratio(c["unassigned"], c["hits"]),
    }


def ratio(numerator: int, denominator: int) -> float:
    """The quotient; nan for 0/0 and anything else over 0."""
    return numerator / denominator if denominator else float("nan")


def _any_of(index: np.ndarray, size: int) -> np.ndarray:
    mask = np.zeros(size, dtype=bool)
    mask[index] = True
    return mask
