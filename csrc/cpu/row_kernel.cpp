// Compiled once per instruction set, see isa.h.
#include "cpu/row_kernel.h"

#include "cpu/boxes.h"
#include "cpu/row_box.h"

namespace geo {
namespace {

template <int D, class T>
void gather(const T* points, int dim, const int32_t* row, int64_t count, T* to, T* box) {
  const int n = D ? D : dim;
  const auto at = [=](int32_t r) { return points + r * static_cast<int64_t>(n); };
  // rows lie anywhere; to the second level, where more can be on their way than to the first
  for (int64_t i = 0; i < count; ++i) __builtin_prefetch(at(row[i + kAhead]), 0, 2);
  for (int64_t i = 0; i < count; ++i) __builtin_memcpy(to + i * n, at(row[i]), n * sizeof(T));
  RowBox<D, T> bounds(to, n);
  for (int64_t i = 1; i < count; ++i) bounds.add(to + i * n);
  bounds.store(box);
}

template <int D, class T>
void scatter(const T* from, int dim, const int32_t* row, int64_t count, T unit, T* points) {
  const int n = D ? D : dim;
  for (int64_t i = 0; i < count; ++i) {
    __builtin_prefetch(points + row[i + kAhead] * static_cast<int64_t>(n), 1);  // they lie anywhere
    T* to = points + row[i] * static_cast<int64_t>(n);
    for (int d = 0; d < n; ++d) to[d] = unit * from[i * n + d];
  }
}

}  // namespace

namespace GEO_ISA {

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
