// Bounding boxes of leaves and of groups of boxes, compiled once per instruction set.
#pragma once

#include <cstdint>

namespace geo {

// Bounds children [begin, end) of one level in their lanes of `group` (parents, 2, D, 16), where
// `begin` is a multiple of 16; lanes without a child become (+inf, -inf). A child is a leaf
// (D, 16) of points or, unless `leaves`, a group (2, D, 16) itself.
#define GEO_BOX_KERNEL(ISA)                                                                        \
  void bound_##ISA(const float* child, int dim, bool leaves, int64_t begin, int64_t end,           \
                   float* group);                                                                  \
  void bound_##ISA(const double* child, int dim, bool leaves, int64_t begin, int64_t end,          \
                   double* group);
GEO_BOX_KERNEL(baseline)
#if defined(__x86_64__)
GEO_BOX_KERNEL(avx2)
GEO_BOX_KERNEL(avx512)
#endif
#undef GEO_BOX_KERNEL

}  // namespace geo
