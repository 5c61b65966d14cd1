// Whether the instances of a graph lie close together and apart from each other.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

#include "cpu/box_kernel.h"
#include "cpu/by_instance.h"
#include "cpu/row_kernel.h"
#include "cpu/team.h"

namespace geo {

constexpr int64_t kSample = 32;  // instances that speak for a graph

// Fewer points of an instance are better off in leaves.
inline int64_t fewest(int dim) { return dim < 6 ? 6 : 4; }

// Copies up to 16 rows, one after the other, and finds their box (2, D); returns whether they are
// finite and close together: its sides are no more than 0.8 radii (root mean square).
template <class T>
bool pack(const T* points, int dim, const int32_t* row, int64_t count, T radius, T* to, T* box) {
  GEO_RUN(gather_rows, points, dim, row, count, to, box);
  T diagonal2 = T(0);
  for (int d = 0; d < dim; ++d) {
    const T side = box[dim + d] - box[d];
    diagonal2 += side * side;
  }
  return diagonal2 <= T(0.64) * static_cast<T>(dim) * radius * radius;
}

// Number k of a sample of 0..n-1: multiples of the golden ratio, which follow no pattern of rows.
inline int64_t spread_out(int64_t k, int64_t n) {
  const uint64_t fraction = static_cast<uint32_t>(static_cast<uint64_t>(k) * 0x9e3779b9u);
  return static_cast<int64_t>((fraction * static_cast<uint64_t>(n)) >> 32);
}

// Whether bundles pay for graph b, by a sample of its instances, whose smallest id is `low`: half
// of the points are in close ones, and of the other set no more than 2 D^2 points nor an eighth, by
// a sample too, are within reach of one of them. Beyond that, finding pairs is the lesser part.
// Call inside a team.
template <class T>
bool bundles_pay(const PointSet<T>& set, const PointSet<T>& other, const ByInstance& by,
                 int64_t b, int64_t low, int dim, T radius) {
  const int64_t begin = by.graph[b], instances = by.graph[b + 1] - begin;
  const int64_t from = other.ptr ? other.ptr[b] : 0;
  const int64_t others = (other.ptr ? other.ptr[b + 1] : other.n) - from;
  if (others == 0) return false;
  const int64_t looked_at = std::min<int64_t>(others, std::clamp<int64_t>(others / 64, 32, 4096));
  constexpr int64_t kTasks = 4, kEach = kSample / kTasks;
  const int64_t leaves = (looked_at + kLeaf - 1) / kLeaf, row = static_cast<int64_t>(dim) * kLeaf;
  Array<T> all_rows(kTasks * row), sample(leaves * row);  // (leaves, D, 16)
  Array<int64_t> id(leaves * kLeaf);
  std::fill_n(sample.data(), leaves * row, std::numeric_limits<T>::infinity());  // in unused lanes
  std::fill_n(id.data(), leaves * kLeaf, -1);
  for (int64_t k = 0; k < looked_at; ++k) {
    const int64_t i = from + spread_out(k, others);
    id[k] = other.id[i];
    T* to = sample.data() + k / kLeaf * row + k % kLeaf;
    for (int d = 0; d < dim; ++d) to[d * kLeaf] = other.points[i * dim + d];
  }
  struct Count {
    int64_t points = 0, close = 0, tests = 0, reached = 0;
  } count[kTasks];
  in_tasks(kTasks, [&](int64_t task) {
    Count& found = count[task];
    T box[2 * kMaxDim];
    T* rows = all_rows.data() + task * row;
    for (int64_t s = task * kEach; s < (task + 1) * kEach; ++s) {
      const int64_t v = begin + spread_out(s, instances);
      const int64_t size = by.start[v + 1] - by.start[v];
      found.points += size;
      if (size < fewest(dim)) continue;
      if (!pack(set.points, dim, &by.row[by.start[v]], std::min<int64_t>(size, kLeaf), radius, rows,
                box))
        continue;
      found.close += size;
      found.tests += looked_at;
      found.reached += GEO_RUN(others_near, sample.data(), id.data(), leaves, dim, box, radius,
                               low + v - begin);
    }
  });
  int64_t points = 0, close = 0, tests = 0, reached = 0;
  for (const Count& one : count) {
    points += one.points;
    close += one.close;
    tests += one.tests;
    reached += one.reached;
  }
  return close > 0 && 2 * close >= points && 8 * reached <= tests &&
         static_cast<double>(reached) * others <= 2.0 * dim * dim * tests;
}

}  // namespace geo
