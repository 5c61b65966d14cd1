#include "cpu/order.h"

#include <algorithm>
#include <limits>
#include <type_traits>

#include "cpu/team.h"

namespace geo {
namespace {

constexpr int64_t kPart = 8192;  // points of a node that one task fills or splits, at least
constexpr int kMaxParts = 32;

// The axes that the ordering looks at and what it subtracts: floats are compared as they are,
// doubles relative to a point, so that a huge common offset does not eat the digits.
template <class T>
struct Axes {
  int number;
  int axis[kMaxAxes];
  T origin[kMaxAxes];
};

template <class T>
Axes<T> choose(const T* points, int dim, const int32_t* row, int64_t count) {
  Axes<T> axes{std::min(dim, kMaxAxes), {}, {}};
  const auto at = [&](int64_t i, int d) { return points[(row ? row[i] : i) * dim + d]; };
  T span[kMaxDim];
  int rank[kMaxDim];
  const int64_t step = std::max<int64_t>(1, count / 256);
  for (int d = 0; d < dim; ++d) {
    rank[d] = d;
    if (dim <= kMaxAxes) continue;
    T low = at(0, d), high = low;
    for (int64_t i = step; i < count; i += step) {
      low = std::min(low, at(i, d));
      high = std::max(high, at(i, d));
    }
    span[d] = high - low;
  }
  if (dim > kMaxAxes)
    std::stable_sort(rank, rank + dim, [&](int a, int b) { return span[a] > span[b]; });
  std::sort(rank, rank + axes.number);
  for (int a = 0; a < axes.number; ++a) {
    axes.axis[a] = rank[a];
    axes.origin[a] = std::is_same<T, float>::value ? T(0) : at(0, rank[a]);
  }
  return axes;
}

// Points [begin, end) as columns.
template <class T>
void fill(const T* points, int dim, const int32_t* row, const Axes<T>& axes, const Columns& to,
          int64_t begin, int64_t end) {
  constexpr T most = std::numeric_limits<float>::max();
  auto* rows = reinterpret_cast<int32_t*>(to.column(to.dim));
  for (int64_t i = begin; i < end; ++i) rows[i] = row ? row[i] : static_cast<int32_t>(i);
  for (int a = 0; a < axes.number; ++a) {
    float* column = to.column(a);
    const T origin = axes.origin[a];
    const T* from = points + axes.axis[a];
    if (std::is_same<T, float>::value && !row) {
      for (int64_t i = begin; i < end; ++i) column[i] = static_cast<float>(from[i * dim]);
    } else {
      for (int64_t i = begin; i < end; ++i)
        column[i] = static_cast<float>(
            std::clamp<T>(from[static_cast<int64_t>(rows[i]) * dim] - origin, -most, most));
    }
  }
}

// Splits a large node: its parts are counted first, so that each knows where its points go.
void split_parts(const Columns& from, const Columns& to, int64_t begin, int64_t count, Cut cut) {
  const int64_t part = std::max(kPart, (count / kMaxParts / kLeaf + 1) * kLeaf);
  const int64_t parts = (count + part - 1) / part;
  const float* column = from.column(cut.axis) + begin;
  Tally tally[kMaxParts];
  in_tasks(parts, [&](int64_t p) {
    tally[p] = GEO_RUN(tally, column + p * part, std::min(part, count - p * part), cut.value);
  });
  Room room[kMaxParts];
  int64_t low = begin, high = begin + count, ties = cut.ties;
  for (int64_t p = 0; p < parts; ++p) {
    tally[p].equal = std::min(ties, tally[p].equal);  // now those of them that go left
    ties -= tally[p].equal;
    const int64_t left = tally[p].below + tally[p].equal;
    const int64_t right = std::min(part, count - p * part) - left;
    room[p] = {low, low + left, high - right, high};
    low += left;
    high -= right;
  }
  in_tasks(parts, [&](int64_t p) {
    GEO_RUN(split, from, to, begin + p * part, begin + std::min(count, (p + 1) * part),
            (Cut{cut.axis, cut.value, tally[p].equal}), room[p]);
  });
}

void order_node(const Columns& from, const Columns& to, int64_t begin, int64_t count,
                const Leaves& leaves) {
  if (count <= kSubtree) return GEO_RUN(order, from, to, begin, count, leaves);
  const int64_t left = left_leaves((count + kLeaf - 1) / kLeaf) * kLeaf;
  const Cut cut = GEO_RUN(cut, from, begin, count, left, to.column(0) + begin);
  if (count > 2 * kPart) {
    split_parts(from, to, begin, count, cut);
  } else {
    GEO_RUN(split, from, to, begin, begin + count, cut,
            (Room{begin, begin + left, begin + left, begin + count}));
  }
#pragma omp task default(none) firstprivate(from, to, begin, left, leaves)
  order_node(to, from, begin, left, leaves);
  order_node(to, from, begin + left, count - left, leaves);
}

}  // namespace

template <class T>
bool Ordering::run(const T* points, int dim, const int32_t* row, int64_t count,
                   int64_t before_points, int64_t before_graphs, T* coord, int32_t* order) {
  const int64_t stride = (count + 2 * kLeaf - 1) / kLeaf * kLeaf;  // vectors may read past the end
  const int64_t start = (before_points + before_graphs * 2 * kLeaf) / kLeaf * kLeaf * (axes_ + 1);
  const Columns from{from_.data() + start, stride, axes_}, to{to_.data() + start, stride, axes_};
  constexpr bool is_float = std::is_same<T, float>::value;
  const bool direct = is_float && dim <= kMaxAxes;
  const Leaves leaves{direct ? reinterpret_cast<float*>(coord) : nullptr, order};
  const Axes<T> axes = choose(points, dim, row, count);
  if (count <= kPart) {
    fill(points, dim, row, axes, from, 0, count);
  } else {
    in_tasks((count + kPart - 1) / kPart, [&](int64_t p) {
      fill(points, dim, row, axes, from, p * kPart, std::min(count, (p + 1) * kPart));
    });
  }
#pragma omp taskgroup
  order_node(from, to, 0, count, leaves);
  return direct;
}

template bool Ordering::run<float>(const float*, int, const int32_t*, int64_t, int64_t, int64_t,
                                   float*, int32_t*);
template bool Ordering::run<double>(const double*, int, const int32_t*, int64_t, int64_t, int64_t,
                                    double*, int32_t*);

}  // namespace geo
