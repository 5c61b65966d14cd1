"""Raw samples -> graphs."""

from geoinfluencer.graphs.sample import validate_sample
from geoinfluencer.graphs.tracks import EDGE_FEATURES, NODE_FEATURES, TrackGraph

__all__ = ["EDGE_FEATURES", "NODE_FEATURES", "TrackGraph", "validate_sample"]
