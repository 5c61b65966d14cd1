#include "cpu/order.h"

#include <algorithm>
#include <cstring>

#include "cpu/forest.h"

namespace geo {
namespace {

constexpr int64_t kTask = 8192;      // points below which a subtree is not worth a task
constexpr int64_t kLocal = 1 << 14;  // numbers of a subtree that is copied into the near caches
constexpr int kSample = 24;          // points that choose the widest dimension

// Float bits as an unsigned number of the same order, the row below it: all keys are different.
inline uint64_t key_of(float value, int32_t row) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  bits ^= (bits >> 31) ? 0xffffffffu : 0x80000000u;
  return (static_cast<uint64_t>(bits) << 32) | static_cast<uint32_t>(row);
}

// Points as rows (., D) of the caller's array.
template <class T>
struct Rows {
  const T* data;
  int dim;
  T at(int32_t row, int d) const { return data[static_cast<int64_t>(row) * dim + d]; }
};

// A few points as columns (D, stride) of float, relative to one of them.
struct Columns {
  const float* data;
  int dim;
  int64_t stride;
  float at(int32_t row, int d) const { return data[d * stride + row]; }
};

template <class Points>
int widest(const Points& points, const int32_t* order, int64_t count) {
  const int64_t step = std::max<int64_t>(1, count / kSample);
  int best = 0;
  float span = -1;
  for (int d = 0; d < points.dim; ++d) {
    auto low = points.at(order[0], d), high = low;
    for (int64_t i = step; i < count; i += step) {
      const auto c = points.at(order[i], d);
      low = c < low ? c : low;
      high = c > high ? c : high;
    }
    const float width = static_cast<float>(high - low);
    if (width > span) {
      span = width;
      best = d;
    }
  }
  return best;
}

// Moves keys below the pivot to the front without a branch per key; returns their number.
inline int64_t partition(uint64_t* key, int64_t count, uint64_t pivot) {
  int64_t below = 0;
  for (int64_t i = 0; i < count; ++i) {
    const uint64_t k = key[i], other = key[below];
    key[i] = other;
    key[below] = k;
    below += k < pivot;
  }
  return below;
}

// The k smallest keys to the front: quickselect with a pivot of about the wanted rank.
void select(uint64_t* key, int64_t count, int64_t k) {
  for (int round = 0; count > 40 && round < 64; ++round) {
    uint64_t sample[33];
    const int size = count > 2048 ? 33 : count > 256 ? 17 : 7;
    for (int i = 0; i < size; ++i) sample[i] = key[(count - 1) * i / (size - 1)];
    std::sort(sample, sample + size);
    const int64_t rank = (k * size + count / 2) / count;
    const int64_t below = partition(key, count, sample[std::clamp<int64_t>(rank, 1, size - 1)]);
    if (below == k) return;
    if (below > k) {
      count = below;
    } else {
      key += below;
      k -= below;
      count -= below;
    }
  }
  if (k > 0 && k < count) std::nth_element(key, key + k, key + count);
}

// One KD split of `order`; returns the number of points on the left.
template <class Points>
int64_t halve(const Points& points, int32_t* order, uint64_t* key, int64_t count) {
  const int64_t left = left_leaves((count + kLeaf - 1) / kLeaf) * kLeaf;
  const int d = widest(points, order, count);
  const auto origin = points.at(order[0], d);
  // relative to one of the points: a huge common offset does not eat the float key's digits
  for (int64_t i = 0; i < count; ++i)
    key[i] = key_of(static_cast<float>(points.at(order[i], d) - origin), order[i]);
  select(key, count, left);
  for (int64_t i = 0; i < count; ++i) order[i] = static_cast<int32_t>(key[i] & 0xffffffffu);
  return left;
}

void order_columns(const Columns& points, int32_t* order, uint64_t* key, int64_t count) {
  while (count > kLeaf) {
    const int64_t left = halve(points, order, key, count);
    order_columns(points, order, key, left);
    order += left;
    count -= left;
  }
}

// A subtree small enough for the near caches: on a copy of its points.
template <class T>
void order_local(const Rows<T>& points, int32_t* order, uint64_t* key, int64_t count) {
  float column[kLocal];
  int32_t local[kLocal], row[kLocal];
  for (int64_t i = 0; i < count; ++i) {
    row[i] = order[i];
    local[i] = static_cast<int32_t>(i);
  }
  for (int d = 0; d < points.dim; ++d) {
    const T origin = points.at(row[0], d);
    for (int64_t i = 0; i < count; ++i)
      column[d * count + i] = static_cast<float>(points.at(row[i], d) - origin);
  }
  order_columns({column, points.dim, count}, local, key, count);
  for (int64_t i = 0; i < count; ++i) order[i] = row[local[i]];
}

template <class T>
void order_rows(Rows<T> points, int32_t* order, uint64_t* key, int64_t count) {
  while (count > kLeaf) {
    if (count * points.dim <= kLocal) return order_local(points, order, key, count);
    const int64_t left = halve(points, order, key, count);
    if (left > kTask) {
#pragma omp task default(none) firstprivate(points, order, key, left)
      order_rows(points, order, key, left);
    } else {
      order_rows(points, order, key, left);
    }
    order += left;
    key += left;
    count -= left;
  }
}

}  // namespace

template <class T>
void kd_order(const T* points, int dim, int32_t* order, uint64_t* scratch, int64_t count) {
  order_rows(Rows<T>{points, dim}, order, scratch, count);
}

template void kd_order<float>(const float*, int, int32_t*, uint64_t*, int64_t);
template void kd_order<double>(const double*, int, int32_t*, uint64_t*, int64_t);

}  // namespace geo
