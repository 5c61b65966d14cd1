// Points of one instance that lie close together, in bundles of up to 16.
//
// A KD-tree of all points cuts through such instances; in eight dimensions nearly every leaf is a
// patchwork of several, as wide as the space between them. Bundles follow the instances instead:
// what is in reach is found once for all points of a bundle, and almost nothing else is tested.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "cpu/close_instances.h"
#include "cpu/planted.h"
#include "cpu/row_kernel.h"
#include "cpu/team.h"

namespace geo {

constexpr int64_t kSpan = 512;  // instances that one task packs

template <class T>
struct Bundles {
  using Id = typename LaneInt<T>::type;

  int dim = 0;
  std::vector<int64_t> base;   // (B) first row of each graph in the caller's array
  std::vector<int64_t> begin;  // (B + 1) first bundle of each graph; empty if there are none
  Array<T> points;             // (rows, D) in the order of `row`; see BundleTask
  Array<int32_t> row;          // (rows + kAhead) in the caller's array, instance by instance
  Array<int32_t> first;        // (K) of its rows
  Array<uint8_t> count;        // (K) of its rows; 0: not close, no bundle after all
  Array<T> weight;             // (K, 16) or empty
  Array<Id> id;                // (K)
  Forest<T> forest;            // of the centres: a leaf is a block of 16 bundles
  Array<T> rest;               // (N) 0 for points in bundles, else weight or 1
  int64_t rest_points = 0;     // that are in no bundle

  // Where `set` has close instances with few points of `other` in reach. Call inside a team.
  void make(const PointSet<T>& set, const PointSet<T>& other, int dimensions, int64_t graphs,
            T radius, bool with_weight, int threads);

  bool empty() const { return begin.empty(); }

  // No gradient for graph b, which has nothing to meet.
  void clear(int64_t b);

  // `unit` times the gradients that have taken the place of the points, to the caller's rows.
  void scatter(T unit, int threads, T* grad) const;
};

template <class T>
void Bundles<T>::make(const PointSet<T>& set, const PointSet<T>& other, int dimensions,
                      int64_t graphs, T radius, bool with_weight, int threads) {
  if (!set.id || set.n < kSmallGraph) return;
  if (!std::isfinite(T(64) * radius * radius)) return;  // what is missing is at infinity: out of reach
  dim = dimensions;
  // each part counts all instances for itself: more than 8 would cost more memory than they save time
  const RowParts<T> in{set, graphs, set.n > 2 * kAlone ? std::min<int64_t>(threads, 8) : 1};
  ByInstance by;
  const std::vector<int64_t> low = number_instances(in, by);
  const int64_t instances = by.graph.back();
  if (instances == 0) return;
  sort_rows(in, low, by);

  std::vector<int64_t> starts(graphs + 1, 0);
  by.bundle.reset(instances + 1);
  int32_t total = 0;
  for (int64_t b = 0; b < graphs; ++b) {
    const bool some = by.graph[b] < by.graph[b + 1] &&
                      bundles_pay(set, other, by, b, low[b], dim, radius);
    starts[b] = total;
    for (int64_t v = by.graph[b]; v < by.graph[b + 1]; ++v) {
      by.bundle[v] = total;
      const int32_t size = by.start[v + 1] - by.start[v];
      if (some && size >= fewest(dim)) total += (size + kLeaf - 1) / kLeaf;
    }
  }
  by.bundle[instances] = total;
  starts[graphs] = total;
  if (total == 0) return;

  begin = starts;
  for (int64_t b = 0; b < graphs; ++b) base.push_back(in.first(b));
  row = std::move(by.row);
  points.reset((row.size() - kAhead) * dim);
  first.reset(total);
  count.reset(total);
  if (with_weight) weight.reset(static_cast<int64_t>(total) * kLeaf);
  id.reset(total);
  Array<T> centre(static_cast<int64_t>(total) * dim);
  Array<T> kept(total);  // 1 or 0: weights, by which those that are no bundles are left out
  const int64_t spans = (instances + kSpan - 1) / kSpan;
  std::vector<int64_t> packed(spans, 0);
  in_parts(spans, [&](int64_t k) {
    const int64_t end = std::min(instances, (k + 1) * kSpan);
    T box[2 * kMaxDim];
    int64_t b = 0;
    for (int64_t v = k * kSpan; v < end; ++v) {
      while (v >= by.graph[b + 1]) ++b;
      const int64_t runs = by.bundle[v + 1] - by.bundle[v];
      const int64_t size = by.start[v + 1] - by.start[v];
      for (int64_t r = 0; r < runs; ++r) {
        const int64_t slot = by.bundle[v] + r;
        const int64_t from = by.start[v] + size * r / runs;
        const int32_t* rows = &row[from];
        const int64_t taken = size * (r + 1) / runs - size * r / runs;
        const bool close =
            pack(set.points, dim, rows, taken, radius, points.data() + from * dim, box);
        for (int d = 0; d < dim; ++d)
          centre[slot * dim + d] = box[d] + (box[dim + d] - box[d]) / 2;
        first[slot] = static_cast<int32_t>(from);
        count[slot] = static_cast<uint8_t>(close ? taken : 0);
        kept[slot] = close ? T(1) : T(0);
        packed[k] += count[slot];
        id[slot] = static_cast<Id>(low[b] + v - by.graph[b]);
        if (with_weight)
          for (int l = 0; l < kLeaf; ++l)
            weight[slot * kLeaf + l] = set.weight && l < taken ? set.weight[rows[l]] : T(1);
      }
    }
  });
  rest_points = set.n;
  for (const int64_t rows : packed) rest_points -= rows;
  bool all = true;
  for (int64_t slot = 0; slot < total; ++slot) all &= kept[slot] != T(0);
  forest = plant_in_team(centre.data(), total, dim, graphs, begin.data(),
                         all ? nullptr : kept.data(), threads);
  forest.coord.release();  // the order is what counts
  if (rest_points == 0) return;
  rest.reset(set.n);
  if (set.weight)
    std::copy_n(set.weight, set.n, rest.data());
  else
    std::fill_n(rest.data(), set.n, T(1));
  in_parts(spans, [&](int64_t k) {
    const int64_t last = by.bundle[std::min(instances, (k + 1) * kSpan)];
    for (int64_t slot = by.bundle[k * kSpan]; slot < last; ++slot)
      for (int i = 0; i < count[slot]; ++i) rest[row[first[slot] + i]] = T(0);
  });
}

template <class T>
void Bundles<T>::clear(int64_t b) {
  for (int64_t k = begin[b]; k < begin[b + 1]; ++k)
    std::fill_n(points.data() + static_cast<int64_t>(first[k]) * dim, count[k] * dim, T(0));
}

template <class T>
void Bundles<T>::scatter(T unit, int threads, T* grad) const {
  const int64_t total = begin.back();
#pragma omp parallel for num_threads(threads) schedule(static) if (total > kSpan)
  for (int64_t k = 0; k < total; ++k) {
    const int64_t from = first[k];
    GEO_RUN(scatter_rows, points.data() + from * dim, dim, row.data() + from, count[k], unit, grad);
  }
}

}  // namespace geo
