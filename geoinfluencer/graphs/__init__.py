"""Raw samples -> graphs."""

from geoinfluencer.graphs.images import ImageGraph, image_to_graph
from geoinfluencer.graphs.points import PointGraph, point_graph
from geoinfluencer.graphs.sample import validate_sample
from geoinfluencer.graphs.tracks import EDGE_FEATURES, NODE_FEATURES, TrackGraph

__all__ = [
    "EDGE_FEATURES",
    "NODE_FEATURES",
    "ImageGraph",
    "PointGraph",
    "TrackGraph",
    "image_to_graph",
    "point_graph",
    "validate_sample",
]
