// Points of one instance that lie close together, in bundles of up to 16.
//
// A KD-tree of all points cuts through such instances; in eight dimensions nearly every leaf is a
// patchwork of several, as wide as the space between them. Bundles follow the instances instead:
// what is in reach is found once for all points of a bundle, and almost nothing else is tested.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "cpu/bundle_kernel.h"
#include "cpu/close_instances.h"
#include "cpu/planted.h"
#include "cpu/row_kernel.h"
#include "cpu/team.h"

namespace geo {

constexpr int64_t kSpan = 512;  // instances, or bundles, of one task

template <class T>
struct Bundles {
  using Id = typename LaneInt<T>::type;

  int dim = 0;
  std::vector<int64_t> base;         // (B) first row of each graph in the caller's array
  std::vector<int64_t> block_begin;  // (B + 1) first block of each graph; empty if there are none
  std::vector<int64_t> runs_of;      // (B) runs of each graph: its bundles, and what is not close
  Array<T> points;                   // (rows, D) in the order of `row`; see BundleTask
  Array<int32_t> row;                // (rows + kAhead) in the caller's array, bundle by bundle
  Array<int32_t> first;              // (blocks, 16) of its rows
  Array<uint8_t> count;              // (blocks, 16) of its rows; 0: no bundle, or not a close one
  Array<Id> id;                      // (blocks, 16)
  Array<T> weight;                   // (blocks, 16, 16) or empty
  Array<T> rest;                     // (N) 0 for points in bundles, else weight or 1
  int64_t rest_points = 0;           // that are in no bundle

  // Where `set` has close instances with few points of `other` in reach. Call inside a team.
  void make(const PointSet<T>& set, const PointSet<T>& other, int dimensions, int64_t graphs,
            T radius, bool with_weight, int threads);

  bool empty() const { return block_begin.empty(); }

  // No gradient for graph b, which has nothing to meet.
  void clear(int64_t b);

  // `unit` times the gradients that have taken the place of the points, to the caller's rows.
  void scatter(T unit, int threads, T* grad) const;

 private:
  // Up to 16 rows of an instance: from where on, in the order of instances, and how many.
  struct Run {
    int32_t from, count;
    Id id;
  };

  void arrange(const Array<Run>& runs, const Forest<T>& forest, const Array<int32_t>& by_instance);
  void pack_all(const PointSet<T>& set, T radius, bool with_weight);
  void mark_rest(const PointSet<T>& set);

  // f(begin, end) for parts of all bundles, as tasks.
  int64_t parts() const { return (first.size() + kSpan - 1) / kSpan; }
  template <class F>
  void each_part(const F& f) const {
    in_tasks(parts(), [&](int64_t k) { f(k * kSpan, std::min(first.size(), (k + 1) * kSpan)); });
  }
};

template <class T>
void Bundles<T>::make(const PointSet<T>& set, const PointSet<T>& other, int dimensions,
                      int64_t graphs, T radius, bool with_weight, int threads) {
  if (!set.id || set.n < kSmallGraph) return;
  if (other.n > kMostLoop) return;
  // boxes that do not exist are at infinity and must stay out of reach; squares of small parts of
  // the radius must not lose their digits
  if (!std::isfinite(T(64) * radius * radius)) return;
  if (radius * radius < T(1e6) * std::numeric_limits<T>::min()) return;
  dim = dimensions;
  // Two parts a thread: one thread may still be planting the other set. Each part counts all
  // instances for itself: beyond 8 that takes more memory than it saves time.
  const bool share = threads > 1 && set.n > 2 * kAlone;
  const RowParts<T> in{set, graphs, share ? std::min<int64_t>(2 * threads, 8) : 1};
  ByInstance by;
  const std::vector<int64_t> low = number_instances(in, by);
  const int64_t instances = by.graph.back();
  if (instances == 0) return;
  sort_rows(in, low, by);

  std::vector<int64_t> begin(graphs + 1, 0);  // first run of each graph
  Array<int32_t> run_begin(instances + 1);    // first run of each instance
  int32_t total = 0;
  for (int64_t b = 0; b < graphs; ++b) {
    const bool some = by.graph[b] < by.graph[b + 1] &&
                      bundles_pay(set, other, by, b, low[b], dim, radius);
    begin[b] = total;
    for (int64_t v = by.graph[b]; v < by.graph[b + 1]; ++v) {
      run_begin[v] = total;
      const int32_t size = by.start[v + 1] - by.start[v];
      if (some && size >= fewest(dim)) total += (size + kLeaf - 1) / kLeaf;
    }
  }
  run_begin[instances] = total;
  begin[graphs] = total;
  if (total == 0) return;

  // One point of each run stands for it in the tree: runs are small beside the space between them.
  Array<Run> runs(total);
  Array<T> mark(static_cast<int64_t>(total) * dim);
  in_tasks((instances + kSpan - 1) / kSpan, [&](int64_t k) {
    int64_t b = 0;
    for (int64_t v = k * kSpan; v < std::min(instances, (k + 1) * kSpan); ++v) {
      while (v >= by.graph[b + 1]) ++b;
      const int64_t ahead = std::min(v + 8, instances);
      __builtin_prefetch(set.points + by.row[by.start[ahead]] * static_cast<int64_t>(dim));
      const int64_t number = run_begin[v + 1] - run_begin[v];
      const int64_t size = by.start[v + 1] - by.start[v];
      for (int64_t r = 0; r < number; ++r) {
        const int64_t from = by.start[v] + size * r / number;
        const int64_t end = by.start[v] + size * (r + 1) / number;
        runs[run_begin[v] + r] = {static_cast<int32_t>(from), static_cast<int32_t>(end - from),
                                  static_cast<Id>(low[b] + v - by.graph[b])};
        const T* point = set.points + by.row[from] * static_cast<int64_t>(dim);
        for (int d = 0; d < dim; ++d) mark[(run_begin[v] + r) * dim + d] = point[d];
      }
    }
  });
  const Forest<T> forest =
      plant_in_team<T>(mark.data(), total, dim, graphs, begin.data(), nullptr, threads);
  mark.release();
  if (forest.leaves() == 0) return;  // not one of them is finite
  for (int64_t b = 0; b < graphs; ++b) base.push_back(in.first(b));
  arrange(runs, forest, by.row);
  by.row.release();
  pack_all(set, radius, with_weight);
  if (rest_points > 0) mark_rest(set);
}

// Runs in the order of the tree, and their rows.
template <class T>
void Bundles<T>::arrange(const Array<Run>& runs, const Forest<T>& forest,
                         const Array<int32_t>& by_instance) {
  block_begin = forest.leaf_begin;
  runs_of = forest.count;
  const int64_t size = forest.leaves() * kLeaf;
  first.reset(size);
  count.reset(size);
  id.reset(size);
  std::vector<int32_t> rows(parts() + 1, 0);
  each_part([&](int64_t from, int64_t end) {
    int64_t b = 0;
    int32_t sum = 0;
    for (int64_t k = from; k < end; ++k) {
      while (k >= block_begin[b + 1] * kLeaf) ++b;
      if (k + kAhead < end)
        __builtin_prefetch(runs.data() + forest.base[b] + std::max(0, forest.order[k + kAhead]));
      const int32_t one = forest.order[k];
      const Run run = one < 0 ? Run{0, 0, -1} : runs[forest.base[b] + one];
      first[k] = run.from;
      count[k] = static_cast<uint8_t>(run.count);
      id[k] = run.id;
      sum += run.count;
    }
    rows[from / kSpan + 1] = sum;
  });
  for (size_t k = 1; k < rows.size(); ++k) rows[k] += rows[k - 1];
  row.reset(rows.back() + kAhead);
  std::fill_n(row.data() + rows.back(), kAhead, 0);
  each_part([&](int64_t from, int64_t end) {
    int32_t to = rows[from / kSpan];
    for (int64_t k = from; k < end; ++k) {
      if (k + kAhead < end) __builtin_prefetch(by_instance.data() + first[k + kAhead]);
      for (int i = 0; i < count[k]; ++i) row[to + i] = by_instance[first[k] + i];
      first[k] = to;
      to += count[k];
    }
  });
}

// Fetches the points; what is not close is no bundle after all.
template <class T>
void Bundles<T>::pack_all(const PointSet<T>& set, T radius, bool with_weight) {
  points.reset((row.size() - kAhead) * dim);
  if (with_weight) weight.reset(count.size() * kLeaf);
  std::vector<int64_t> packed(parts(), 0);
  each_part([&](int64_t from, int64_t end) {
    T box[2 * kMaxDim];
    for (int64_t k = from; k < end; ++k) {
      if (count[k] == 0) continue;
      const int32_t* rows = &row[first[k]];
      if (with_weight)
        for (int l = 0; l < kLeaf; ++l)
          weight[k * kLeaf + l] = set.weight && l < count[k] ? set.weight[rows[l]] : T(1);
      if (!pack(set.points, dim, rows, count[k], radius,
                points.data() + first[k] * static_cast<int64_t>(dim), box))
        count[k] = 0;
      packed[from / kSpan] += count[k];
    }
  });
  rest_points = set.n;
  for (const int64_t rows : packed) rest_points -= rows;
}

template <class T>
void Bundles<T>::mark_rest(const PointSet<T>& set) {
  rest.reset(set.n);
  if (set.weight)
    std::copy_n(set.weight, set.n, rest.data());
  else
    std::fill_n(rest.data(), set.n, T(1));
  each_part([&](int64_t from, int64_t end) {
    for (int64_t k = from; k < end; ++k)
      for (int i = 0; i < count[k]; ++i) rest[row[first[k] + i]] = T(0);
  });
}

template <class T>
void Bundles<T>::clear(int64_t b) {
  for (int64_t k = block_begin[b] * kLeaf; k < block_begin[b + 1] * kLeaf; ++k)
    if (count[k])
      std::fill_n(points.data() + first[k] * static_cast<int64_t>(dim), count[k] * dim, T(0));
}

template <class T>
void Bundles<T>::scatter(T unit, int threads, T* grad) const {
  const int64_t total = count.size();
#pragma omp parallel for num_threads(threads) schedule(static) if (total > kSpan)
  for (int64_t k = 0; k < total; k += kSpan) {
    const int64_t stop = std::min(total, k + kSpan);
    for (int64_t i = k; i < stop;) {  // at once up to a gap: the rows of a run that was not close
      const int64_t from = first[i];
      int64_t end = from;
      for (; i < stop && first[i] == end; ++i) end += count[i];
      GEO_RUN(scatter_rows, points.data() + from * dim, dim, row.data() + from, end - from, unit,
              grad);
    }
  }
}

}  // namespace geo
