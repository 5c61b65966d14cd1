// Points of one instance that lie close together, in bundles of up to 16.
//
// A KD-tree of all points cuts through such instances; in eight dimensions nearly every leaf is a
// patchwork of several, as wide as the space between them. Bundles follow the instances instead:
// what is in reach is found once for all points of a bundle, and almost nothing else is tested.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "cpu/box_kernel.h"
#include "cpu/close_instances.h"
#include "cpu/planted.h"
#include "cpu/team.h"

namespace geo {

constexpr int64_t kSpan = 512;  // instances that one task packs

template <class T>
struct Bundles {
  using Id = typename LaneInt<T>::type;

  int dim = 0;
  std::vector<int64_t> base;   // (B) first row of each graph in the caller's array
  std::vector<int64_t> begin;  // (B + 1) first bundle of each graph; empty if there are none
  Array<T> coord;              // (K, D, 16) points, unused lanes repeat the first; see BundleTask
  Array<T> box;                // (K, 2, D)
  Array<T> weight;             // (K, 16) or empty
  Array<Id> id;                // (K)
  Array<int32_t> row;          // (K, 16) in the caller's array, -1 in unused lanes
  Forest<T> forest;            // of the centres: a leaf is a block of 16 bundles
  Array<T> rest;               // (N) 0 for points in bundles, else weight or 1
  int64_t rest_points = 0;     // that are in no bundle

  // Where `set` has close instances with few points of `other` in reach. Call inside a team.
  void gather(const PointSet<T>& set, const PointSet<T>& other, int dim, int64_t graphs, T radius,
              bool with_weight, int threads);

  bool empty() const { return begin.empty(); }

  // No gradient for graph b, which has nothing to meet.
  void clear(int64_t b);

  // `unit` times the gradients that have taken the place of the points, to the caller's rows.
  void scatter(T unit, int threads, T* grad) const;
};

template <class T>
void Bundles<T>::gather(const PointSet<T>& set, const PointSet<T>& other, int dimensions,
                        int64_t graphs, T radius, bool with_weight, int threads) {
  if (!set.id || set.n < kSmallGraph) return;
  dim = dimensions;
  const RowParts<T> in{set, graphs, set.n > 2 * kAlone ? std::min<int64_t>(threads, 8) : 1};
  ByInstance by;
  const std::vector<int64_t> low = number_instances(in, by);
  const int64_t instances = by.graph.back();
  if (instances == 0) return;
  sort_rows(in, low, by);

  std::vector<int64_t> first(graphs + 1, 0);
  by.bundle.reset(instances + 1);
  int32_t total = 0;
  for (int64_t b = 0; b < graphs; ++b) {
    const bool some = by.graph[b] < by.graph[b + 1] &&
                      bundles_pay(set, other, by, b, low[b], dim, radius);
    first[b] = total;
    for (int64_t v = by.graph[b]; v < by.graph[b + 1]; ++v) {
      by.bundle[v] = total;
      const int32_t points = by.start[v + 1] - by.start[v];
      if (some && points >= fewest(dim)) total += (points + kLeaf - 1) / kLeaf;
    }
  }
  by.bundle[instances] = total;
  first[graphs] = total;
  if (total == 0) return;

  begin = first;
  for (int64_t b = 0; b < graphs; ++b) base.push_back(in.first(b));
  coord.reset(static_cast<int64_t>(total) * dim * kLeaf);
  box.reset(static_cast<int64_t>(total) * 2 * dim);
  if (with_weight) weight.reset(static_cast<int64_t>(total) * kLeaf);
  id.reset(total);
  row.reset(static_cast<int64_t>(total) * kLeaf);
  Array<T> centre(static_cast<int64_t>(total) * dim), kept(total);
  const int64_t spans = (instances + kSpan - 1) / kSpan;
  std::vector<int64_t> packed(spans, 0);
  in_parts(spans, [&](int64_t k) {
    const int64_t end = std::min(instances, (k + 1) * kSpan);
    int64_t b = 0;
    for (int64_t v = k * kSpan; v < end; ++v) {
      while (v >= by.graph[b + 1]) ++b;
      const int64_t runs = by.bundle[v + 1] - by.bundle[v];
      const int64_t points = by.start[v + 1] - by.start[v];
      for (int64_t r = 0; r < runs; ++r) {
        const int64_t slot = by.bundle[v] + r;
        const int32_t* rows = &by.row[by.start[v] + points * r / runs];
        const int64_t count = points * (r + 1) / runs - points * r / runs;
        for (int64_t i = 0; i < count; ++i)  // rows lie anywhere: ask for those of later bundles
          __builtin_prefetch(set.points + static_cast<int64_t>(rows[i + kAhead]) * dim);
        lay_out(set.points, dim, rows, count, coord.data() + slot * dim * kLeaf);
        id[slot] = static_cast<Id>(low[b] + v - by.graph[b]);
        for (int l = 0; l < kLeaf; ++l) row[slot * kLeaf + l] = l < count ? rows[l] : -1;
        if (with_weight)
          for (int l = 0; l < kLeaf; ++l)
            weight[slot * kLeaf + l] = set.weight && l < count ? set.weight[rows[l]] : T(1);
      }
    }
    T group[2 * kMaxDim * kLeaf];
    for (int64_t first = by.bundle[k * kSpan]; first < by.bundle[end]; first += kLeaf) {
      const int64_t count = std::min<int64_t>(kLeaf, by.bundle[end] - first);
      GEO_RUN(bound, coord.data() + first * dim * kLeaf, dim, true, 0, count, group);
      for (int s = 0; s < count; ++s) {
        const int64_t slot = first + s;
        const bool close = are_close(coord.data() + slot * dim * kLeaf, group, s, dim, radius);
        kept[slot] = close ? T(1) : T(0);
        for (int d = 0; d < dim; ++d) {
          const T low_end = group[d * kLeaf + s], high_end = group[(dim + d) * kLeaf + s];
          box[slot * 2 * dim + d] = low_end;
          box[(slot * 2 + 1) * dim + d] = high_end;
          centre[slot * dim + d] = low_end + (high_end - low_end) / 2;
        }
        for (int l = 0; l < kLeaf; ++l)
          if (close)
            packed[k] += row[slot * kLeaf + l] >= 0;
          else
            row[slot * kLeaf + l] = -1;
      }
    }
  });
  rest_points = set.n;
  for (const int64_t points : packed) rest_points -= points;
  bool all = true;
  for (int64_t slot = 0; slot < total; ++slot) all &= kept[slot] != T(0);
  forest = plant_in_team(centre.data(), total, dim, graphs, begin.data(),
                         all ? nullptr : kept.data(), threads);
  if (rest_points == 0) return;
  rest.reset(set.n);
  if (set.weight)
    std::copy_n(set.weight, set.n, rest.data());
  else
    std::fill_n(rest.data(), set.n, T(1));
  in_parts(spans, [&](int64_t k) {
    const int64_t first = by.bundle[k * kSpan];
    const int64_t last = by.bundle[std::min(instances, (k + 1) * kSpan)];
    for (int64_t i = first * kLeaf; i < last * kLeaf; ++i)
      if (row[i] >= 0) rest[row[i]] = T(0);
  });
}

template <class T>
void Bundles<T>::clear(int64_t b) {
  const int64_t size = static_cast<int64_t>(dim) * kLeaf;
  std::fill_n(coord.data() + begin[b] * size, (begin[b + 1] - begin[b]) * size, T(0));
}

template <class T>
void Bundles<T>::scatter(T unit, int threads, T* grad) const {
  const int64_t total = begin.back(), last = total * kLeaf - 1;
#pragma omp parallel for num_threads(threads) schedule(static) if (total > kSpan)
  for (int64_t k = 0; k < total; ++k) {
    for (int l = 0; l < kLeaf; ++l) {  // rows lie anywhere
      const int32_t later = row[std::min(last, k * kLeaf + kAhead + l)];
      __builtin_prefetch(grad + static_cast<int64_t>(later < 0 ? 0 : later) * dim, 1);
    }
    for (int l = 0; l < kLeaf; ++l) {
      const int64_t to = row[k * kLeaf + l];
      if (to < 0) break;
      for (int d = 0; d < dim; ++d) grad[to * dim + d] = unit * coord[(k * dim + d) * kLeaf + l];
    }
  }
}

}  // namespace geo
