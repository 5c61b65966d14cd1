// KD ordering of points by exact medians.
#pragma once

#include <cstdint>

namespace geo {

// Bytes of scratch memory per point, to be aligned to 16.
int64_t scratch_size(int dim);

// Reorders `order` (count rows of points (., D)) so that consecutive runs of 16 are the leaves of
// the KD-tree of forest.h. Call inside an OpenMP parallel region: large ranges are handed out as
// tasks, which changes nothing in the result. Needs no other memory and cannot fail.
template <class T>
void kd_order(const T* points, int dim, int32_t* order, void* scratch, int64_t count);

}  // namespace geo
