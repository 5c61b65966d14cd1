// Compiled once per instruction set, see isa.h.
#include "cpu/box_kernel.h"

#include "cpu/boxes.h"
#include "cpu/row_box.h"

namespace geo {
namespace {

// The smallest of 16 numbers and the largest of 16 others.
template <class T>
inline void reach(const T* lows, const T* highs, T& low, T& high) {
  using S = Simd<T>;
  auto a = S::load(lows), b = S::load(highs);
  for (int s = S::W; s < kLeaf; s += S::W) {
    a = S::min(a, S::load(lows + s));
    b = S::max(b, S::load(highs + s));
  }
  low = S::min_lane(a);
  high = S::max_lane(b);
}

template <class T>
void bound_children(const T* child, int dim, bool leaves, int64_t begin, int64_t end, T* group) {
  const T inf = static_cast<T>(__builtin_inff());
  const int64_t row = static_cast<int64_t>(dim) * kLeaf, size = leaves ? row : 2 * row;
  for (int64_t g = begin / kLeaf; g * kLeaf < end; ++g) {
    T* to = group + g * 2 * row;
    const int64_t first = g * kLeaf;
    for (int slot = 0; slot < kLeaf; ++slot) {
      const T* from = child + (first + slot) * size;
      if (first + slot >= end) {
        for (int d = 0; d < dim; ++d) {
          to[d * kLeaf + slot] = inf;
          to[row + d * kLeaf + slot] = -inf;
        }
        continue;
      }
      for (int d = 0; d < dim; ++d)
        reach(from + d * kLeaf, from + d * kLeaf + (leaves ? 0 : row), to[d * kLeaf + slot],
              to[row + d * kLeaf + slot]);
    }
  }
}

template <int D, class T>
void gather(const T* points, int dim, const int32_t* row, int64_t count, T* to, T* box) {
  const int n = D ? D : dim;
  const auto at = [=](int32_t r) { return points + r * static_cast<int64_t>(n); };
  for (int64_t i = 0; i < count; ++i) __builtin_prefetch(at(row[i + kAhead]));  // rows lie anywhere
  for (int64_t i = 0; i < count; ++i) __builtin_memcpy(to + i * n, at(row[i]), n * sizeof(T));
  RowBox<D, T> bounds(to, n);
  for (int64_t i = 1; i < count; ++i) bounds.add(to + i * n);
  bounds.store(box);
}

template <int D, class T>
void scatter(const T* from, int dim, const int32_t* row, int64_t count, T unit, T* points) {
  const int n = D ? D : dim;
  for (int64_t i = 0; i < count; ++i)  // rows lie anywhere
    __builtin_prefetch(points + row[i + kAhead] * static_cast<int64_t>(n), 1);
  for (int64_t i = 0; i < count; ++i) {
    T* to = points + row[i] * static_cast<int64_t>(n);
    for (int d = 0; d < n; ++d) to[d] = unit * from[i * n + d];
  }
}

}  // namespace

namespace GEO_ISA {

void bound(const float* child, int dim, bool leaves, int64_t begin, int64_t end, float* group) {
  bound_children(child, dim, leaves, begin, end, group);
}
void bound(const double* child, int dim, bool leaves, int64_t begin, int64_t end, double* group) {
  bound_children(child, dim, leaves, begin, end, group);
}

void gather_rows(const float* points, int dim, const int32_t* row, int64_t count, float* to,
                 float* box) {
  by_dim(dim, [&](auto d) { gather<d.value>(points, dim, row, count, to, box); });
}
void gather_rows(const double* points, int dim, const int32_t* row, int64_t count, double* to,
                 double* box) {
  by_dim(dim, [&](auto d) { gather<d.value>(points, dim, row, count, to, box); });
}

void scatter_rows(const float* from, int dim, const int32_t* row, int64_t count, float unit,
                  float* points) {
  by_dim(dim, [&](auto d) { scatter<d.value>(from, dim, row, count, unit, points); });
}
void scatter_rows(const double* from, int dim, const int32_t* row, int64_t count, double unit,
                  double* points) {
  by_dim(dim, [&](auto d) { scatter<d.value>(from, dim, row, count, unit, points); });
}

}  // namespace GEO_ISA
}  // namespace geo
