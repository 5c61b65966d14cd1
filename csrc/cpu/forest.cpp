#include "cpu/forest.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "cpu/box_kernel.h"
#include "cpu/order.h"
#include "cpu/team.h"

namespace geo {
namespace {

constexpr int64_t kRows = 4096;    // points looked at together
constexpr int64_t kGroups = 16;    // groups of leaves that one task packs

template <class T>
bool usable(const T* point, int dim) {
  T sum = T(0);  // 0 * c is 0 for what is finite, NaN for all else
  for (int d = 0; d < dim; ++d) sum += T(0) * point[d];
  return sum == T(0);
}

// Whether every point takes part: then rows need no list.
template <class T>
bool all_kept(const T* points, int64_t n, int dim, const T* weight) {
  const int64_t blocks = (n + kRows - 1) / kRows;
  std::vector<uint8_t> missing(blocks, 0);
  in_tasks(blocks, [&](int64_t k) {
    const int64_t begin = k * kRows, end = std::min(n, begin + kRows);
    T bad[8] = {};
    const T *c = points + begin * dim, *stop = points + end * dim;
    for (; c + 8 <= stop; c += 8)
      for (int l = 0; l < 8; ++l) bad[l] += T(0) * c[l];
    for (; c < stop; ++c) bad[0] += T(0) * *c;
    for (int l = 0; l < 8; ++l) missing[k] |= !(bad[l] == T(0));
    if (weight)
      for (int64_t i = begin; i < end; ++i) missing[k] |= weight[i] == T(0);
  });
  return std::find(missing.begin(), missing.end(), 1) == missing.end();
}

int64_t groups_of(int64_t leaves) {
  int64_t total = 0;
  for (int64_t n = leaves; n > 0;) {
    n = (n + kLeaf - 1) / kLeaf;
    total += n;
    if (n == 1) break;
  }
  return total;
}

// The smallest row below each of children [begin, end); no row is the largest number.
void first_rows(const int32_t* child, int64_t begin, int64_t end, int32_t* first) {
  constexpr uint32_t none = std::numeric_limits<int32_t>::max();
  for (int64_t c = begin; c < end; ++c) {
    uint32_t least = none;  // as unsigned numbers, -1 is large too
    for (int l = 0; l < kLeaf; ++l) {
      const auto row = static_cast<uint32_t>(child[c * kLeaf + l]);
      least = row < least ? row : least;
    }
    first[c] = static_cast<int32_t>(least);
  }
  for (int64_t c = end; c % kLeaf; ++c) first[c] = static_cast<int32_t>(none);
}

// Copies the points of leaves [begin, end) into lanes; unused ones repeat the first point.
template <class T>
void gather(const T* points, int dim, const int32_t* order, int64_t begin, int64_t end, T* coord) {
  for (int64_t leaf = begin; leaf < end; ++leaf) {
    const int32_t* rows = order + leaf * kLeaf;
    const T* from[kLeaf];
    for (int l = 0; l < kLeaf; ++l)
      from[l] = points + static_cast<int64_t>(rows[rows[l] < 0 ? 0 : l]) * dim;
    T* to = coord + leaf * dim * kLeaf;
    for (int d = 0; d < dim; ++d)
      for (int l = 0; l < kLeaf; ++l) to[d * kLeaf + l] = from[l][d];
  }
}

// Orders and packs one graph; large ones are cut into tasks.
template <class T>
void grow(const T* points, const int32_t* row, Forest<T>& f, int64_t graph, Ordering& ordering) {
  const int dim = f.dim;
  const int64_t leaves = f.leaves_of(graph), begin = f.leaf_begin[graph];
  if (leaves == 0) return;
  points += f.base[graph] * dim;
  if (row) row += f.base[graph];
  int32_t* order = f.order.data() + begin * kLeaf;
  T* coord = f.coord.data() + begin * dim * kLeaf;
  T* box = f.box.data() + f.group_begin[graph] * 2 * dim * kLeaf;
  int32_t* first = f.first.data() + f.group_begin[graph] * kLeaf;
  const bool packed =
      ordering.run(points, dim, row, f.count[graph], f.base[graph], graph, coord, order);
  const int64_t step = kGroups * kLeaf;
  in_tasks((leaves + step - 1) / step, [=](int64_t k) {
    const int64_t begin = k * step, end = std::min(leaves, begin + step);
    if (!packed) gather(points, dim, order, begin, end, coord);
    GEO_RUN(bound, coord, dim, true, begin, end, box);
    first_rows(order, begin, end, first);
  });
  for (int64_t n = (leaves + kLeaf - 1) / kLeaf; n > 1; n = (n + kLeaf - 1) / kLeaf) {
    T* above = box + n * 2 * dim * kLeaf;
    GEO_RUN(bound, box, dim, false, 0, n, above);
    first_rows(first, 0, n, first + n * kLeaf);
    box = above;
    first += n * kLeaf;
  }
}

// Rows that take part, graph after graph, each from its base; their numbers go to f.count.
template <class T>
Array<int32_t> keep(const T* points, int64_t n, const int64_t* ptr, const T* weight, Forest<T>& f) {
  Array<int32_t> kept(n);
  for (int64_t b = 0; b < f.graphs; ++b) {
    const int64_t end = ptr ? ptr[b + 1] : n;
    f.count[b] = 0;
    for (int64_t i = f.base[b]; i < end; ++i) {
      if (weight && weight[i] == T(0)) continue;
      if (usable(points + i * f.dim, f.dim))
        kept[f.base[b] + f.count[b]++] = static_cast<int32_t>(i - f.base[b]);
      else
        f.dropped[b] = 1;
    }
  }
  return kept;
}

}  // namespace

template <class T>
Forest<T> plant_in_team(const T* points, int64_t n, int dim, int64_t graphs, const int64_t* ptr,
                        const T* weight, int threads) {
  Forest<T> f;
  f.dim = dim;
  f.graphs = graphs;
  f.base.resize(graphs);
  f.count.resize(graphs);
  f.dropped.assign(graphs, 0);
  f.leaf_begin.assign(graphs + 1, 0);
  f.group_begin.assign(graphs + 1, 0);
  for (int64_t b = 0; b < graphs; ++b) {
    f.base[b] = ptr ? ptr[b] : 0;
    f.count[b] = (ptr ? ptr[b + 1] : n) - f.base[b];
  }
  Array<int32_t> kept;
  if (!all_kept(points, n, dim, weight)) kept = keep(points, n, ptr, weight, f);
  for (int64_t b = 0; b < graphs; ++b) {
    const int64_t leaves = (f.count[b] + kLeaf - 1) / kLeaf;
    f.leaf_begin[b + 1] = f.leaf_begin[b] + leaves;
    f.group_begin[b + 1] = f.group_begin[b] + groups_of(leaves);
  }
  f.order.reset(f.leaves() * kLeaf);
  f.coord.reset(f.leaves() * dim * kLeaf);
  f.box.reset(f.group_begin[graphs] * 2 * dim * kLeaf);
  f.first.reset(f.group_begin[graphs] * kLeaf);
  Ordering ordering(n, graphs, dim);
  const int32_t* row = kept.data();
  // many small graphs: a few tasks of consecutive ones instead of one each
  const int64_t grain = std::max<int64_t>(1, graphs / (8 * static_cast<int64_t>(threads)));
#pragma omp taskgroup
  for (int64_t first = 0; first < graphs; first += grain) {
    const int64_t last = std::min(graphs, first + grain);
    // A single graph is no task: for the tasks of a task, libgomp wakes no thread that sleeps.
#pragma omp task if (graphs > 1) default(none) shared(f, ordering) \
    firstprivate(points, row, first, last)
    for (int64_t b = first; b < last; ++b) grow(points, row, f, b, ordering);
  }
  return f;
}

template <class T>
Forest<T> plant(const T* points, int64_t n, int dim, int64_t graphs, const int64_t* ptr,
                const T* weight, int threads) {
  Forest<T> f;
  in_team(threads, n, [&] { f = plant_in_team(points, n, dim, graphs, ptr, weight, threads); });
  return f;
}

#define GEO_PLANT(T)                                                                             \
  template Forest<T> plant_in_team(const T*, int64_t, int, int64_t, const int64_t*, const T*,    \
                                   int);                                                         \
  template Forest<T> plant(const T*, int64_t, int, int64_t, const int64_t*, const T*, int);
GEO_PLANT(float)
GEO_PLANT(double)

}  // namespace geo
