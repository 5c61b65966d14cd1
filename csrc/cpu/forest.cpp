#include "cpu/forest.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include "cpu/order.h"

namespace geo {
namespace {

constexpr int64_t kSerial = 16384;  // points below which a second thread does not pay

template <class T>
bool usable(const T* point, int dim) {
  for (int d = 0; d < dim; ++d)
    if (!std::isfinite(point[d])) return false;
  return true;
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

// A group (2, D, 16) without children.
template <class T>
void clear(T* group, int dim) {
  const T inf = std::numeric_limits<T>::infinity();
  std::fill_n(group, dim * kLeaf, inf);
  std::fill_n(group + dim * kLeaf, dim * kLeaf, -inf);
}

// Copies the points of a leaf into lanes and bounds them in lane `slot` of a group.
template <class T>
void fill_leaf(const T* points, int dim, const int32_t* order, T* coord, T* group, int slot) {
  const T* row[kLeaf];
  for (int l = 0; l < kLeaf; ++l)
    row[l] = points + static_cast<int64_t>(order[order[l] < 0 ? 0 : l]) * dim;
  for (int d = 0; d < dim; ++d) {
    T low = row[0][d], high = low;
    for (int l = 0; l < kLeaf; ++l) {
      const T c = row[l][d];
      coord[d * kLeaf + l] = c;
      low = c < low ? c : low;
      high = c > high ? c : high;
    }
    group[d * kLeaf + slot] = low;
    group[(dim + d) * kLeaf + slot] = high;
  }
}

// Packs group g of level 0: up to 16 leaves.
template <class T>
void fill_group(const T* points, Forest<T>& f, int64_t graph, int64_t g) {
  const int dim = f.dim;
  const int64_t begin = f.leaf_begin[graph], leaves = f.leaves_of(graph);
  T* group = f.box.data() + (f.group_begin[graph] + g) * 2 * dim * kLeaf;
  int32_t* first = f.first.data() + (f.group_begin[graph] + g) * kLeaf;
  clear(group, dim);
  for (int64_t l = g * kLeaf; l < std::min(leaves, (g + 1) * kLeaf); ++l) {
    const int32_t* order = f.order.data() + (begin + l) * kLeaf;
    fill_leaf(points, dim, order, f.coord.data() + (begin + l) * dim * kLeaf, group,
              static_cast<int>(l % kLeaf));
    for (int i = 0; i < kLeaf && order[i] >= 0; ++i)
      first[l % kLeaf] = std::min(first[l % kLeaf], order[i]);
  }
}

// Joins the boxes of each level into the next.
template <class T>
void join_levels(Forest<T>& f, int64_t graph) {
  const int dim = f.dim;
  const int64_t size = 2 * static_cast<int64_t>(dim) * kLeaf;
  T* lower = f.box.data() + f.group_begin[graph] * size;
  int32_t* row = f.first.data() + f.group_begin[graph] * kLeaf;
  for (int64_t n = (f.leaves_of(graph) + kLeaf - 1) / kLeaf; n > 1;) {
    T* upper = lower + n * size;
    const int64_t next = (n + kLeaf - 1) / kLeaf;
    for (int64_t g = 0; g < next; ++g) clear(upper + g * size, dim);
    for (int64_t g = 0; g < n; ++g) {
      const T* from = lower + g * size;
      T* to = upper + g / kLeaf * size + g % kLeaf;
      row[n * kLeaf + g] = *std::min_element(row + g * kLeaf, row + (g + 1) * kLeaf);
      for (int d = 0; d < dim; ++d) {
        to[d * kLeaf] = *std::min_element(from + d * kLeaf, from + (d + 1) * kLeaf);
        to[(dim + d) * kLeaf] =
            *std::max_element(from + (dim + d) * kLeaf, from + (dim + d + 1) * kLeaf);
      }
    }
    lower = upper;
    row += n * kLeaf;
    n = next;
  }
}

// Orders and packs one graph; large ones are cut into tasks.
template <class T>
void grow(const T* points, Forest<T>& f, int64_t graph, char* scratch) {
  const int64_t leaves = f.leaves_of(graph);
  if (leaves == 0) return;
  const T* rows = points + f.base[graph] * f.dim;
#pragma omp taskgroup
  kd_order(rows, f.dim, f.order.data() + f.leaf_begin[graph] * kLeaf, scratch, f.count[graph]);
  const int64_t groups = (leaves + kLeaf - 1) / kLeaf;
#pragma omp taskloop default(none) shared(f) firstprivate(rows, graph, groups) grainsize(64) if (groups > 64)
  for (int64_t g = 0; g < groups; ++g) fill_group(rows, f, graph, g);
  join_levels(f, graph);
}

}  // namespace

template <class T>
Forest<T> plant(const T* points, int64_t n, int dim, int64_t graphs, const int64_t* ptr,
                const T* weight, int threads) {
  Forest<T> f;
  f.dim = dim;
  f.graphs = graphs;
  f.base.resize(graphs);
  f.count.assign(graphs, 0);
  f.dropped.assign(graphs, 0);
  f.leaf_begin.assign(graphs + 1, 0);
  f.group_begin.assign(graphs + 1, 0);
  std::vector<int32_t> kept(n);  // rows kept, graph after graph, each from its base
  for (int64_t b = 0; b < graphs; ++b) {
    const int64_t begin = ptr ? ptr[b] : 0, end = ptr ? ptr[b + 1] : n;
    f.base[b] = begin;
    for (int64_t i = begin; i < end; ++i) {
      if (weight && weight[i] == T(0)) continue;
      if (!usable(points + i * dim, dim)) {
        f.dropped[b] = 1;
        continue;
      }
      kept[begin + f.count[b]++] = static_cast<int32_t>(i - begin);
    }
    const int64_t leaves = (f.count[b] + kLeaf - 1) / kLeaf;
    f.leaf_begin[b + 1] = f.leaf_begin[b] + leaves;
    f.group_begin[b + 1] = f.group_begin[b] + groups_of(leaves);
  }
  f.order.assign(f.leaves() * kLeaf, -1);
  f.coord.resize(f.leaves() * dim * kLeaf);
  f.box.resize(f.group_begin[graphs] * 2 * dim * kLeaf);
  f.first.assign(f.group_begin[graphs] * kLeaf, std::numeric_limits<int32_t>::max());
  const int64_t size = scratch_size(dim);
  std::unique_ptr<char[]> scratch(new char[n * size + 1]);  // new aligns to 16
  for (int64_t b = 0; b < graphs; ++b)
    std::copy_n(kept.begin() + f.base[b], f.count[b], f.order.begin() + f.leaf_begin[b] * kLeaf);
  // many small graphs: a few tasks of consecutive ones instead of one each
  const int64_t grain = std::max<int64_t>(1, graphs / (8 * static_cast<int64_t>(threads)));
#pragma omp parallel num_threads(threads) if (threads > 1 && n > kSerial)
#pragma omp single
  for (int64_t first = 0; first < graphs; first += grain) {
    const int64_t last = std::min(graphs, first + grain);
#pragma omp task default(none) shared(f, scratch, points) firstprivate(first, last, size)
    for (int64_t b = first; b < last; ++b) grow(points, f, b, scratch.get() + f.base[b] * size);
  }
  return f;
}

template Forest<float> plant(const float*, int64_t, int, int64_t, const int64_t*, const float*,
                             int);
template Forest<double> plant(const double*, int64_t, int, int64_t, const int64_t*, const double*,
                              int);

}  // namespace geo
