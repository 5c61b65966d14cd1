"""Fast exact operators on sets of points: potentials, neighbours, samples, voxels, segments.

Every op runs a native kernel where the library is there and a pure-torch twin
(:mod:`geoinfluencer.ops.reference`) where it is not; :func:`backend` says which.
"""

from geoinfluencer.ops.batching import batch_from_ptr, ptr_from_batch, resolve_ptr
from geoinfluencer.ops.claims import add_claims_gradient, query_claims
from geoinfluencer.ops.coupling import capacity_coupling
from geoinfluencer.ops.edges import knn_graph, radius_graph
from geoinfluencer.ops.felzenszwalb import felzenszwalb
from geoinfluencer.ops.grid import Voxels, grid_pool
from geoinfluencer.ops.image_regions import ImageRegions, image_regions
from geoinfluencer.ops.native import backend, release_memory
from geoinfluencer.ops.neighbors import knn, radius, radius_count
from geoinfluencer.ops.potential import influence_potential
from geoinfluencer.ops.profiles import query_profiles
from geoinfluencer.ops.sampling import farthest_point_sampling
from geoinfluencer.ops.segment import (
    segment_gather,
    segment_logsumexp,
    segment_max,
    segment_mean,
    segment_min,
    segment_softmax,
    segment_sum,
)
from geoinfluencer.ops.segment_ids import SegmentOrder, segment_order
from geoinfluencer.ops.slic import slic
from geoinfluencer.ops.suppression import suppress

__all__ = [
    "ImageRegions",
    "SegmentOrder",
    "Voxels",
    "add_claims_gradient",
    "backend",
    "batch_from_ptr",
    "capacity_coupling",
    "farthest_point_sampling",
    "felzenszwalb",
    "grid_pool",
    "image_regions",
    "influence_potential",
    "knn",
    "knn_graph",
    "ptr_from_batch",
    "query_claims",
    "query_profiles",
    "radius",
    "radius_count",
    "radius_graph",
    "release_memory",
    "resolve_ptr",
    "segment_gather",
    "segment_logsumexp",
    "segment_max",
    "segment_mean",
    "segment_min",
    "segment_order",
    "segment_softmax",
    "segment_sum",
    "slic",
    "suppress",
]
