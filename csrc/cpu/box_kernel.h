// Bounding boxes of leaves and of groups of boxes, compiled once per instruction set.
#pragma once

#include <cstdint>

#include "cpu/isa.h"

namespace geo {

// Bounds children [begin, end) of one level in their lanes of `group` (parents, 2, D, 16), where
// `begin` is a multiple of 16; lanes without a child become (+inf, -inf). A child is a leaf
// (D, 16) of points or, unless `leaves`, a group (2, D, 16) itself.
GEO_PER_ISA(
  void bound(const float* child, int dim, bool leaves, int64_t begin, int64_t end, float* group);
  void bound(const double* child, int dim, bool leaves, int64_t begin, int64_t end, double* group);
)

}  // namespace geo
