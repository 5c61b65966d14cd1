"""Fast exact operators on sets of points: potentials, neighbours, suppression, segments.

Every op runs a native kernel where the library is there and a pure-torch twin
(:mod:`geoinfluencer.ops.reference`) where it is not; :func:`backend` says which.
"""

from geoinfluencer.ops.batching import batch_from_ptr, ptr_from_batch, resolve_ptr
from geoinfluencer.ops.edges import knn_graph, radius_graph
from geoinfluencer.ops.native import backend
from geoinfluencer.ops.neighbors import knn, radius, radius_count
from geoinfluencer.ops.potential import influence_potential
from geoinfluencer.ops.segment import (
    segment_logsumexp,
    segment_max,
    segment_mean,
    segment_min,
    segment_sum,
)
from geoinfluencer.ops.suppression import suppress

__all__ = [
    "backend",
    "batch_from_ptr",
    "influence_potential",
    "knn",
    "knn_graph",
    "ptr_from_batch",
    "radius",
    "radius_count",
    "radius_graph",
    "resolve_ptr",
    "segment_logsumexp",
    "segment_max",
    "segment_mean",
    "segment_min",
    "segment_sum",
    "suppress",
]
