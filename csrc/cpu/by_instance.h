// Points sorted by the instance that they belong to.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "cpu/planted.h"
#include "cpu/row_kernel.h"
#include "cpu/team.h"

namespace geo {

constexpr int64_t kSmallGraph = 2048;  // points below which sorting does not pay

// Rows in the order of their instances; those without one, or of weight 0, are left out.
struct ByInstance {
  std::vector<int64_t> graph;  // (B + 1) first instance of each graph
  Array<int32_t> row;          // (N + kAhead) in the caller's array; the last ones are any
  Array<int32_t> start;        // (V + 1) first row of each instance
};

// The rows of a call, cut for tasks.
template <class T>
struct RowParts {
  const PointSet<T>& set;
  int64_t graphs;
  int64_t parts;

  int64_t first(int64_t b) const { return set.ptr ? set.ptr[b] : 0; }
  int64_t last(int64_t b) const { return set.ptr ? set.ptr[b + 1] : set.n; }
  bool takes_part(int64_t i) const {
    return set.id[i] >= 0 && !(set.weight && set.weight[i] == T(0));
  }

  // f(graph, begin, end) for the rows of part p.
  template <class F>
  void rows(int64_t p, const F& f) const {
    const int64_t begin = set.n * p / parts, end = set.n * (p + 1) / parts;
    for (int64_t b = 0; b < graphs && first(b) < end; ++b)
      if (last(b) > begin) f(b, std::max(begin, first(b)), std::min(end, last(b)));
  }
};

// Smallest id of each graph, and where its instances begin: there are as many as ids from the
// smallest to the largest. None where that is more than points.
template <class T>
std::vector<int64_t> number_instances(const RowParts<T>& in, ByInstance& by) {
  constexpr int64_t most = std::numeric_limits<int64_t>::max();
  std::vector<int64_t> low(in.parts * in.graphs, most), high(in.parts * in.graphs, -1);
  in_tasks(in.parts, [&](int64_t p) {
    in.rows(p, [&](int64_t b, int64_t begin, int64_t end) {
      uint64_t least = most;  // as unsigned numbers, negative ids are large
      int64_t largest = -1;
      for (int64_t i = begin; i < end; ++i) {
        least = std::min(least, static_cast<uint64_t>(in.set.id[i]));
        largest = std::max(largest, in.set.id[i]);
      }
      low[p * in.graphs + b] = static_cast<int64_t>(least);
      high[p * in.graphs + b] = largest;
    });
  });
  by.graph.assign(in.graphs + 1, 0);
  for (int64_t b = 0; b < in.graphs; ++b) {
    const int64_t n = in.last(b) - in.first(b);
    for (int64_t p = 1; p < in.parts; ++p) {
      low[b] = std::min(low[b], low[p * in.graphs + b]);
      high[b] = std::max(high[b], high[p * in.graphs + b]);
    }
    const bool dense = n >= kSmallGraph && high[b] >= 0 && high[b] - low[b] < n &&
                       high[b] <= std::numeric_limits<typename LaneInt<T>::type>::max();
    by.graph[b + 1] = by.graph[b] + (dense ? high[b] - low[b] + 1 : 0);
  }
  low.resize(in.graphs);
  return low;
}

// Counting sort: rows of an instance keep their order.
template <class T>
void sort_rows(const RowParts<T>& in, const std::vector<int64_t>& low, ByInstance& by) {
  const int64_t instances = by.graph.back();
  Array<int32_t> count(in.parts * instances);
  const auto each = [&](int64_t p, const auto& f) {
    int32_t* own = count.data() + p * instances;
    in.rows(p, [&](int64_t b, int64_t begin, int64_t end) {
      if (by.graph[b] == by.graph[b + 1]) return;
      const int64_t shift = by.graph[b] - low[b];
      for (int64_t i = begin; i < end; ++i)
        if (in.takes_part(i)) f(i, own[in.set.id[i] + shift]);
    });
  };
  in_tasks(in.parts, [&](int64_t p) {
    std::fill_n(count.data() + p * instances, instances, 0);
    each(p, [](int64_t, int32_t& own) { ++own; });
  });
  by.start.reset(instances + 1);
  int32_t total = 0;
  for (int64_t v = 0; v < instances; ++v) {
    by.start[v] = total;
    for (int64_t p = 0; p < in.parts; ++p) {
      const int32_t own = count[p * instances + v];
      count[p * instances + v] = total;
      total += own;
    }
  }
  by.start[instances] = total;
  by.row.reset(total + kAhead);
  std::fill_n(by.row.data() + total, kAhead, 0);
  int32_t* row = by.row.data();
  in_tasks(in.parts, [&](int64_t p) {
    each(p, [=](int64_t i, int32_t& next) { row[next++] = static_cast<int32_t>(i); });
  });
}

}  // namespace geo
