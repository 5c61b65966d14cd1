// KD ordering of points by exact medians.
#pragma once

#include <cstdint>

#include "cpu/array.h"
#include "cpu/order_kernel.h"

namespace geo {

constexpr int kMaxAxes = 16;  // axes the ordering looks at: wider points lend the longest ones

// Memory of the ordering of up to `points` points of `graphs` graphs.
class Ordering {
 public:
  Ordering(int64_t points, int64_t graphs, int dim)
      : axes_(dim < kMaxAxes ? dim : kMaxAxes),
        room_((points + graphs * 2 * kLeaf) * (axes_ + 1)),
        from_(room_),
        to_(room_) {}

  // Puts the points (., D) of a graph, `row` (count) of them or the first `count`, into KD order:
  // consecutive runs of 16 are the leaves of the tree of forest.h. `order` (leaves, 16) is -1 in
  // unused lanes. Writes `coord` (leaves, D, 16) as well, and says so, if that costs no gather.
  // `before` points and graphs came before this one. Call inside an OpenMP parallel region: large
  // ranges are handed out as tasks, which changes nothing in the result.
  template <class T>
  bool run(const T* points, int dim, const int32_t* row, int64_t count, int64_t before_points,
           int64_t before_graphs, T* coord, int32_t* order);

 private:
  int axes_;
  int64_t room_;
  Array<float> from_, to_;
};

}  // namespace geo
