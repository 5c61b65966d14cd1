// KD ordering of points by exact medians.
#pragma once

#include <cstdint>

namespace geo {

// Reorders `order` (count rows of points (., D)) so that consecutive runs of 16 are the leaves of
// the balanced KD-tree of forest.h. scratch (count). Call inside an OpenMP parallel region: large
// ranges are handed out as tasks. All keys differ (coordinate, then row), so the result is unique.
template <class T>
void kd_order(const T* points, int dim, int32_t* order, uint64_t* scratch, int64_t count);

}  // namespace geo
