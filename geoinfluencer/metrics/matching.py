"""Predicted tracks against particles: shared hits, and the majority particle of each track."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class TrackMatching:
    """Contents of the tracks of one event; T tracks, P particles (noise is one), S pairs.

    Attributes:
        particle_id: (P,) int64 ascending; 0 = noise.
        particle_size: (P,) hits of the particle in the event.
        particle_first: (P,) index of one hit of the particle.
        track_id: (T,) int64 ascending predicted ids.
        track_size: (T,) hits in the track.
        majority: (T,) index of the majority particle.
        shared: (T,) hits of the majority particle in the track.
        pair_track: (S,) index of the track of each track-particle pair with a shared hit.
        pair_particle: (S,) index of its particle.
        pair_shared: (S,) number of shared hits.
        hit_track: (N,) index of each hit's track, -1 = none.
    """

    particle_id: np.ndarray
    particle_size: np.ndarray
    particle_first: np.ndarray
    track_id: np.ndarray
    track_size: np.ndarray
    majority: np.ndarray
    shared: np.ndarray
    pair_track: np.ndarray
    pair_particle: np.ndarray
    pair_shared: np.ndarray
    hit_track: np.ndarray


def match_tracks(predicted: np.ndarray, particle_id: np.ndarray) -> TrackMatching:
    """Find the majority particle of every predicted track, of any length.

    The majority particle has most of the track's hits. Of several, it is the one with fewer hits
    in the event, then the one with the smaller id. Noise (id 0) is a candidate like any other and
    its size is the number of noise hits.

    Args:
        predicted: (N,) predicted track of each hit; negative = unassigned, 0 is a track.
        particle_id: (N,) true particle of each hit; 0 = noise.
    """
    particles, first, hit_particle, particle_size = np.unique(
        particle_id, return_index=True, return_inverse=True, return_counts=True
    )
    tracks, hit_track, track_size = np.unique(predicted, return_inverse=True, return_counts=True)
    is_track = tracks >= 0
    number = np.where(is_track, np.cumsum(is_track) - 1, -1)
    hit_track = number[hit_track.reshape(-1)]
    inside = hit_track >= 0
    # np.unique sorts by track, then particle: the pairs of a track are neighbours.
    key = hit_track[inside] * max(len(particles), 1) + hit_particle.reshape(-1)[inside]
    pairs, pair_shared = np.unique(key, return_counts=True)
    pair_track, pair_particle = np.divmod(pairs, max(len(particles), 1))
    # Last key first: track, most shared hits, fewest hits of the particle, smallest id.
    order = np.lexsort((pair_particle, particle_size[pair_particle], -pair_shared, pair_track))
    best = order[np.searchsorted(pair_track[order], np.arange(is_track.sum()))]
    return TrackMatching(
        particle_id=particles,
        particle_size=particle_size,
        particle_first=first,
        track_id=tracks[is_track],
        track_size=track_size[is_track],
        majority=pair_particle[best],
        shared=pair_shared[best],
        pair_track=pair_track,
        pair_particle=pair_particle,
        pair_shared=pair_shared,
        hit_track=hit_track,
    )


def long_tracks(match: TrackMatching, min_track_hits: int) -> TrackMatching:
    """Return the matching with only the tracks of at least this many hits."""
    keep = match.track_size >= min_track_hits
    number = np.append(np.where(keep, np.cumsum(keep) - 1, -1), -1)  # the last entry is for -1
    pair = keep[match.pair_track]
    return replace(
        match,
        track_id=match.track_id[keep],
        track_size=match.track_size[keep],
        majority=match.majority[keep],
        shared=match.shared[keep],
        pair_track=number[match.pair_track[pair]],
        pair_particle=match.pair_particle[pair],
        pair_shared=match.pair_shared[pair],
        hit_track=number[match.hit_track],
    )


def duplicates(majority: np.ndarray, shared: np.ndarray) -> np.ndarray:
    """Return which tracks (T,) have a majority particle with a better track.

    Of the tracks with one majority particle the one with most of its hits is the original, the
    others are duplicates; of equal ones all but one (the first) are.
    """
    order = np.lexsort((np.arange(len(majority)), -shared, majority))
    duplicate = np.zeros(len(majority), dtype=bool)
    duplicate[order[1:]] = majority[order[1:]] == majority[order[:-1]]
    return duplicate
