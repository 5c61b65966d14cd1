"""Metrics: one protocol per file, pure functions on label arrays, accumulators over samples."""

from geoinfluencer.metrics.coco import CocoMetrics
from geoinfluencer.metrics.files import PROTOCOLS, score_files
from geoinfluencer.metrics.intervals import BinnedEfficiency, clopper_pearson, wilson
from geoinfluencer.metrics.nodes import NodeMetrics
from geoinfluencer.metrics.tracks import TrackMetrics, trackml_score

__all__ = [
    "PROTOCOLS",
    "BinnedEfficiency",
    "CocoMetrics",
    "NodeMetrics",
    "TrackMetrics",
    "clopper_pearson",
    "score_files",
    "trackml_score",
    "wilson",
]
