"""Track finding: efficiency, fake and duplicate rates in stated definitions, TrackML score."""

from __future__ import annotations

from collections import Counter

import numpy as np

from geoinfluencer.errors import InputError
from geoinfluencer.metrics.arrays import as_array
from geoinfluencer.metrics.definitions import other_definitions, other_ratios
from geoinfluencer.metrics.intervals import BinnedEfficiency
from geoinfluencer.metrics.matching import (
    TrackMatching,
    duplicates,
    long_tracks,
    match_tracks,
)
from geoinfluencer.metrics.track_counts import Counts, count_tracks, double_majority, ratios

PT_EDGES = np.array([0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 1.2, 1.6, 2.2, 3.0, 4.5, 7.0, 12.0, 30.0, 100.0])
_ETA_BINS = 16


class TrackMetrics:
    r"""Metrics of predicted tracks, pooled over events.

    **Window** W: particles with pT >= ``pt_min``, \|eta\| <= ``eta_max`` and at least ``min_hits``
    hits, counted from the truth that is passed in; pT and eta are compared in float32. Noise and
    particles without known momentum are never in W. **Tracks**: predicted groups of at least
    ``min_track_hits`` hits. **Majority particle** of a track: the particle with most of its hits
    (ties: fewer hits in truth, then smaller id); noise is a candidate like any other, with all
    noise hits as its hits. **Double majority**: the majority particle has more than half of the
    track's hits, and these are more than half of the particle's.

    ============================ ===============================================================
    ``dm_efficiency``            particles of W with a double-majority track / \|W\|
    ``perfect_efficiency``       particles of W of which a track has all hits and no others / \|W\|
    ``lhc_efficiency``           particles of W that have > 75 % of some track's hits / \|W\|
    ``fake_rate``                of the tracks with majority in W or noise: share without double
                                 majority
    ``duplicate_rate``           of the same tracks: share whose majority particle has another
                                 track with more of its hits (of equal ones all but one count)
    ``fake_rate_all``            the same two over all tracks
    ``duplicate_rate_all``
    ``trackml_score``            weight of the majority particle's hits in double-majority tracks of
                                 any length / all weight; mean over events (``score_event`` of the
                                 trackml library, in which the shortest track has one hit)
    ``num_particles``            \|W\|
    ``num_tracks``               tracks; ``num_window_tracks`` of them with majority in W,
                                 ``noise_tracks`` with majority noise
    ``unassigned_fraction``      share of the hits with a negative prediction
    ============================ ===============================================================

    Noise tracks count in the rates exactly by these rules, so noise clusters after the largest
    one are duplicates too. Other tools' definitions come with the tool's name as a prefix: see
    :func:`~geoinfluencer.metrics.definitions.other_definitions`. 0/0 is nan.

    Args:
        pt_min: Least transverse momentum of the window in GeV.
        eta_max: Largest absolute pseudorapidity of the window.
        min_hits: Least number of hits of a particle of the window.
        min_track_hits: Least number of hits of a track.
    """

    protocol = "trackml"

    def __init__(
        self,
        *,
        pt_min: float = 0.9,
        eta_max: float = 4.0,
        min_hits: int = 3,
        min_track_hits: int = 3,
    ) -> None:
        finite = bool(np.isfinite([pt_min, eta_max]).all())
        if not finite or not eta_max > 0 or min_hits < 1 or min_track_hits < 1:
            raise InputError(
                f"window: pt_min={pt_min}, eta_max={eta_max}, min_hits={min_hits}, "
                f"min_track_hits={min_track_hits}; pt_min and eta_max must be finite (for no cut "
                "pt_min=0, eta_max=100), eta_max positive, hits at least 1"
            )
        self.pt_min = pt_min
        self.eta_max = eta_max
        self.min_hits = min_hits
        self.min_track_hits = min_track_hits
        self.events: dict[str, dict[str, float]] = {}
        self._counts: Counts = Counter()
        self._scores: list[float] = []
        self._particles: list[np.ndarray] = []  # rows of pt, eta, found; enough hits only

    @property
    def window(self) -> dict[str, float]:
        """The window's options by name."""
        return {"pt_min": self.pt_min, "eta_max": self.eta_max, "min_hits": self.min_hits}

    def update(
        self,
        predicted: np.ndarray,
        particle_id: np.ndarray,
        *,
        pt: np.ndarray,
        eta: np.ndarray,
        weight: np.ndarray | None = None,
        name: str = "",
    ) -> dict[str, float]:
        """Add one event and return the metrics of this event alone.

        Args:
            predicted: (N,) predicted track of each hit; negative = unassigned.
            particle_id: (N,) true particle of each hit; 0 = noise.
            pt: (N,) transverse momentum of the hit's particle in GeV, nan = unknown.
            eta: (N,) pseudorapidity of the hit's particle, nan = unknown.
            weight: (N,) TrackML weight of each hit; ``None`` = 1 for particles, 0 for noise.
            name: Name of the event; the metrics are kept under it in :attr:`events`.

        Raises:
            InputError: On arrays of unequal length or of the wrong kind.
        """
        predicted = as_array("predicted", predicted, np.int64)
        count = len(predicted)
        particle_id = as_array("particle_id", particle_id, np.int64, count)
        pt = as_array("pt", pt, np.float64, count)
        eta = as_array("eta", eta, np.float64, count)
        if weight is None:
            weight = (particle_id != 0).astype(np.float64)
        weight = as_array("weight", weight, np.float64, count)

        groups = match_tracks(predicted, particle_id)
        match = long_tracks(groups, self.min_track_hits)
        enough = (match.particle_id != 0) & (match.particle_size >= self.min_hits)
        particle_pt, particle_eta = pt[match.particle_first], eta[match.particle_first]
        in_window = enough & self._hard(particle_pt) & self._central(particle_eta)
        double, duplicate = double_majority(match), duplicates(match.majority, match.shared)
        counts, found = count_tracks(match, in_window, double, duplicate)
        counts.update(other_definitions(match, in_window, double, duplicate))
        counts["hits"], counts["unassigned"] = count, int((predicted < 0).sum())
        score = _score(groups, particle_id, weight)

        self._counts.update(counts)
        self._scores.append(score)
        rows = np.stack([particle_pt, particle_eta, found.astype(np.float64)], axis=1)
        self._particles.append(rows[enough])
        metrics = {**ratios(counts), **other_ratios(counts), "trackml_score": score}
        self.events[name or str(len(self._scores) - 1)] = metrics
        return metrics

    def compute(self) -> dict[str, float]:
        """Return the metrics of all events together."""
        scores = [score for score in self._scores if not np.isnan(score)]
        return {
            **ratios(self._counts),
            **other_ratios(self._counts),
            "trackml_score": float(np.mean(scores)) if scores else float("nan"),
            "num_events": len(self._scores),
        }

    def curves(self) -> dict[str, BinnedEfficiency]:
        r"""Double-majority efficiency against ``pt`` (GeV) and ``eta``.

        Particles have at least ``min_hits`` hits. Against pT only \|eta\| is cut, so that the
        turn-on below ``pt_min`` is seen; against eta only pT is cut.
        """
        rows = np.concatenate([np.empty((0, 3)), *self._particles])
        rows = rows[np.isfinite(rows[:, :2]).all(axis=1)]
        pt, eta, found = rows[:, 0], rows[:, 1], rows[:, 2] > 0
        central, hard = self._central(eta), self._hard(pt)
        eta_edges = np.linspace(-self.eta_max, self.eta_max, _ETA_BINS + 1)
        return {
            "pt": BinnedEfficiency.fill("pT [GeV]", PT_EDGES, pt[central], found[central]),
            "eta": BinnedEfficiency.fill("eta", eta_edges, eta[hard], found[hard]),
        }

    # In float32, which samples store: a pT of 0.9 passes pt_min = 0.9 in either precision.

    def _hard(self, pt: np.ndarray) -> np.ndarray:
        return pt.astype(np.float32) >= np.float32(self.pt_min)

    def _central(self, eta: np.ndarray) -> np.ndarray:
        return np.abs(eta.astype(np.float32)) <= np.float32(self.eta_max)


def trackml_score(predicted: np.ndarray, particle_id: np.ndarray, weight: np.ndarray) -> float:
    """Return the score of one event as the ``trackml`` library's ``score_event`` defines it.

    Per track, of any length, the majority particle's hits count with their weight when they are
    more than half of the track and of the particle. Unassigned hits earn nothing. The total is
    divided by the weight of all hits; nan when that is 0.
    """
    return _score(match_tracks(predicted, particle_id), particle_id, weight)


def _score(groups: TrackMatching, particle_id: np.ndarray, weight: np.ndarray) -> float:
    total = float(weight.sum())
    if total == 0:
        return float("nan")
    good = double_majority(groups)
    inside = np.flatnonzero(groups.hit_track >= 0)
    track = groups.hit_track[inside]
    is_majority = particle_id[inside] == groups.particle_id[groups.majority[track]]
    return float(weight[inside[is_majority & good[track]]].sum() / total)
