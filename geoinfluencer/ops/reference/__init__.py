"""Pure-torch twins of every op: the readable definition, the fall-back and the tests' oracle.

Shapes: N points, M second set, D dimensions, B graphs, Q queries, k neighbours, S segments, F
columns, V voxels. A ``ptr`` is (B + 1,) int64 with the points of graph b in rows
``ptr[b]:ptr[b + 1]``; ``None`` is one graph. Pairs are evaluated in tiles, so that memory stays
O(N) whatever their number.
"""

from geoinfluencer.ops.reference.claims import add_claims_gradient, query_claims
from geoinfluencer.ops.reference.coupling import capacity_coupling
from geoinfluencer.ops.reference.felzenszwalb import felzenszwalb
from geoinfluencer.ops.reference.grid import grid_pool
from geoinfluencer.ops.reference.image_regions import image_regions
from geoinfluencer.ops.reference.neighbors import knn, radius, radius_count
from geoinfluencer.ops.reference.order import CURVE_DIMS, curve_bits, morton_codes
from geoinfluencer.ops.reference.potential import influence_potential, potential, scale_by_graph
from geoinfluencer.ops.reference.profiles import query_profiles, query_profiles_gradient
from geoinfluencer.ops.reference.sampling import farthest_point_sampling
from geoinfluencer.ops.reference.segment import segment_gather, segment_reduce
from geoinfluencer.ops.reference.slic import slic
from geoinfluencer.ops.reference.suppression import suppress
from geoinfluencer.ops.reference.tiles import TILE, spans, squared_distances

__all__ = [
    "CURVE_DIMS",
    "TILE",
    "add_claims_gradient",
    "capacity_coupling",
    "curve_bits",
    "farthest_point_sampling",
    "felzenszwalb",
    "grid_pool",
    "image_regions",
    "influence_potential",
    "knn",
    "morton_codes",
    "potential",
    "query_claims",
    "query_profiles",
    "query_profiles_gradient",
    "radius",
    "radius_count",
    "scale_by_graph",
    "segment_gather",
    "segment_reduce",
    "slic",
    "spans",
    "squared_distances",
    "suppress",
]
