// Bounding boxes of leaves and of groups of boxes, and points near one. Compiled once per
// instruction set.
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

// Of the points in leaves (count, D, 16), how many of other instances than `own` are within the
// radius of a box (2, D). Points at infinity are near nothing.
GEO_PER_ISA(
  int64_t others_near(const float* leaves, const int64_t* id, int64_t count, int dim,
                      const float* box, float radius, int64_t own);
  int64_t others_near(const double* leaves, const int64_t* id, int64_t count, int dim,
                      const double* box, double radius, int64_t own);
)

}  // namespace geo
