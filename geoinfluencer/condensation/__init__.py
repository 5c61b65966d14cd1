"""Dense outputs -> instances; one decoder per file."""

from geoinfluencer.condensation.calibrate import RadiusScore, calibrate_radius
from geoinfluencer.condensation.influencer import condense
from geoinfluencer.condensation.instances import Instances
from geoinfluencer.condensation.panoptic import merge_stuff, node_labels
from geoinfluencer.condensation.queries import condense_queries
from geoinfluencer.condensation.semantic import semantic_labels

__all__ = [
    "Instances",
    "RadiusScore",
    "calibrate_radius",
    "condense",
    "condense_queries",
    "merge_stuff",
    "node_labels",
    "semantic_labels",
]
