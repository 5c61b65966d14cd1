"""Raw samples -> graphs."""

from geoinfluencer.graphs.coarse_superpoints import coarser, nesting
from geoinfluencer.graphs.image_features import IMAGE_EDGE_FEATURES, IMAGE_NODE_FEATURES
from geoinfluencer.graphs.images import ImageGraph, image_to_graph
from geoinfluencer.graphs.networkx_export import to_networkx
from geoinfluencer.graphs.pixel_features import PIXEL_EDGE_FEATURES, PIXEL_NODE_FEATURES
from geoinfluencer.graphs.pixel_graph import PixelGraph
from geoinfluencer.graphs.points import (
    POINT_EDGE_FEATURES,
    POINT_NODE_FEATURES,
    PointGraph,
    point_graph,
)
from geoinfluencer.graphs.sample import validate_sample
from geoinfluencer.graphs.superpoint_ceiling import superpoint_ceiling
from geoinfluencer.graphs.superpoint_graph import (
    SUPERPOINT_EDGE_FEATURES,
    SUPERPOINT_NODE_FEATURES,
    SuperpointGraph,
    superpoint_graph,
)
from geoinfluencer.graphs.superpoints import Partition, Superpoints
from geoinfluencer.graphs.tracks import TRACK_EDGE_FEATURES, TRACK_NODE_FEATURES, TrackGraph

__all__ = [
    "IMAGE_EDGE_FEATURES",
    "IMAGE_NODE_FEATURES",
    "PIXEL_EDGE_FEATURES",
    "PIXEL_NODE_FEATURES",
    "POINT_EDGE_FEATURES",
    "POINT_NODE_FEATURES",
    "SUPERPOINT_EDGE_FEATURES",
    "SUPERPOINT_NODE_FEATURES",
    "TRACK_EDGE_FEATURES",
    "TRACK_NODE_FEATURES",
    "ImageGraph",
    "Partition",
    "PixelGraph",
    "PointGraph",
    "SuperpointGraph",
    "Superpoints",
    "TrackGraph",
    "coarser",
    "image_to_graph",
    "nesting",
    "point_graph",
    "superpoint_ceiling",
    "superpoint_graph",
    "to_networkx",
    "validate_sample",
]
