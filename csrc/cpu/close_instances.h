// Whether the instances of a graph lie close together and apart from each other.
#pragma once

#include <algorithm>
#include <cstdint>

#include "cpu/box_kernel.h"
#include "cpu/by_instance.h"

namespace geo {

constexpr int64_t kSample = 32;  // instances that speak for a graph

// Fewer points of an instance are better off in leaves.
inline int64_t fewest(int dim) { return dim < 6 ? 6 : 4; }

// Points of up to 16 rows as lanes (D, 16); further lanes repeat the first.
template <int D, class T>
void lay_out(const T* points, int dim, const int32_t* row, int64_t count, T* lanes) {
  const int n = D ? D : dim;
  const T* from[kLeaf];
  for (int l = 0; l < kLeaf; ++l)
    from[l] = points + static_cast<int64_t>(row[l < count ? l : 0]) * n;
  for (int d = 0; d < n; ++d)
    for (int l = 0; l < kLeaf; ++l) lanes[d * kLeaf + l] = from[l][d];
}
template <class T>
void lay_out(const T* points, int dim, const int32_t* row, int64_t count, T* lanes) {
  switch (dim) {
    case 2: return lay_out<2>(points, dim, row, count, lanes);
    case 3: return lay_out<3>(points, dim, row, count, lanes);
    case 4: return lay_out<4>(points, dim, row, count, lanes);
    case 8: return lay_out<8>(points, dim, row, count, lanes);
    default: return lay_out<0>(points, dim, row, count, lanes);
  }
}

// Whether lanes (D, 16) are close together and finite: the sides of their box, column `slot` of a
// group (2, D, 16), are no more than 0.8 radii (root mean square).
template <class T>
bool are_close(const T* lanes, const T* group, int slot, int dim, T radius) {
  T diagonal2 = T(0), zero[kLeaf] = {};
  for (int d = 0; d < dim; ++d) {
    const T side = group[(dim + d) * kLeaf + slot] - group[d * kLeaf + slot];
    diagonal2 += side * side;
    for (int l = 0; l < kLeaf; ++l) zero[l] += T(0) * lanes[d * kLeaf + l];  // NaN if not finite
  }
  for (int l = 0; l < kLeaf; ++l) diagonal2 += zero[l];
  return diagonal2 <= T(0.64) * static_cast<T>(dim) * radius * radius;
}

// Copies up to 16 rows, one after the other, and finds the centre of their box; whether they are
// close together and finite, as in are_close.
template <int D, class T>
bool pack(const T* points, int dim, const int32_t* row, int64_t count, T radius, T* to, T* centre) {
  const int n = D ? D : dim;
  T low[D ? D : kMaxDim], high[D ? D : kMaxDim], zero[D ? D : kMaxDim];
  for (int64_t i = 0; i < count; ++i) {
    const T* from = points + static_cast<int64_t>(row[i]) * n;
    for (int d = 0; d < n; ++d) to[i * n + d] = from[d];
  }
  for (int d = 0; d < n; ++d) low[d] = high[d] = to[d], zero[d] = T(0);
  for (int64_t i = 0; i < count; ++i)
    for (int d = 0; d < n; ++d) {
      const T c = to[i * n + d];
      low[d] = c < low[d] ? c : low[d];
      high[d] = c > high[d] ? c : high[d];
      zero[d] += T(0) * c;  // NaN if not finite
    }
  T diagonal2 = T(0);
  for (int d = 0; d < n; ++d) {
    const T side = high[d] - low[d];
    diagonal2 += side * side;
    centre[d] = low[d] + side / 2;
  }
  for (int d = 0; d < n; ++d) diagonal2 += zero[d];
  return diagonal2 <= T(0.64) * static_cast<T>(n) * radius * radius;
}
template <class T>
bool pack(const T* points, int dim, const int32_t* row, int64_t count, T radius, T* to, T* centre) {
  switch (dim) {
    case 2: return pack<2>(points, dim, row, count, radius, to, centre);
    case 3: return pack<3>(points, dim, row, count, radius, to, centre);
    case 4: return pack<4>(points, dim, row, count, radius, to, centre);
    case 8: return pack<8>(points, dim, row, count, radius, to, centre);
    default: return pack<0>(points, dim, row, count, radius, to, centre);
  }
}

// Number k of a sample of 0..n-1: multiples of the golden ratio, which follow no pattern of rows.
inline int64_t spread_out(int64_t k, int64_t n) {
  const uint64_t fraction = static_cast<uint32_t>(static_cast<uint64_t>(k) * 0x9e3779b9u);
  return static_cast<int64_t>((fraction * static_cast<uint64_t>(n)) >> 32);
}

// Whether bundles pay for graph b, by a sample of its instances, whose smallest id is `low`: half
// of the points are in close ones, and of the other set no more than 2 D^2 points nor an eighth, by
// a sample too, are within reach of one of them. Beyond that, finding pairs is the lesser part.
template <class T>
bool bundles_pay(const PointSet<T>& set, const PointSet<T>& other, const ByInstance& by,
                 int64_t b, int64_t low, int dim, T radius) {
  const int64_t begin = by.graph[b], instances = by.graph[b + 1] - begin;
  const int64_t from = other.ptr ? other.ptr[b] : 0;
  const int64_t others = (other.ptr ? other.ptr[b + 1] : other.n) - from;
  if (others == 0) return false;
  const int64_t looked_at = std::min<int64_t>(others, std::clamp<int64_t>(others / 64, 32, 4096));
  int64_t points = 0, close = 0, tests = 0, reached = 0;
  Array<T> lanes(dim * kLeaf), box(2 * dim * kLeaf);
  Array<T> sample(dim * looked_at), distance2(looked_at);
  Array<int64_t> id(looked_at);
  for (int64_t k = 0; k < looked_at; ++k) {
    const int64_t i = from + spread_out(k, others);
    id[k] = other.id[i];
    for (int d = 0; d < dim; ++d) sample[d * looked_at + k] = other.points[i * dim + d];
  }
  for (int64_t s = 0; s < kSample; ++s) {
    const int64_t v = begin + spread_out(s, instances);
    const int64_t count = by.start[v + 1] - by.start[v];
    points += count;
    if (count < fewest(dim)) continue;
    lay_out(set.points, dim, &by.row[by.start[v]], std::min<int64_t>(count, kLeaf),
            lanes.data());
    GEO_RUN(bound, lanes.data(), dim, true, 0, 1, box.data());
    if (!are_close(lanes.data(), box.data(), 0, dim, radius)) continue;
    close += count;
    tests += looked_at;
    std::fill_n(distance2.data(), looked_at, T(0));
    for (int d = 0; d < dim; ++d) {
      const T low_end = box[d * kLeaf], high_end = box[(dim + d) * kLeaf];
      const T* column = sample.data() + d * looked_at;
      T* sum = distance2.data();
      for (int64_t k = 0; k < looked_at; ++k) {
        const T c = column[k], under = low_end - c, over = c - high_end;
        const T gap = under > over ? under : over, apart = gap > T(0) ? gap : T(0);
        sum[k] += apart * apart;
      }
    }
    for (int64_t k = 0; k < looked_at; ++k)
      reached += distance2[k] < radius * radius && id[k] != low + v - begin;
  }
  return close > 0 && 2 * close >= points && 8 * reached <= tests &&
         static_cast<double>(reached) * others <= 2.0 * dim * dim * tests;
}

}  // namespace geo
