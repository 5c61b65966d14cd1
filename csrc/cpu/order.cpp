#include "cpu/order.h"

#include <algorithm>
#include <cstring>

#include "cpu/forest.h"

namespace geo {
namespace {

constexpr int64_t kTask = 8192;      // points below which a subtree is not worth a task
constexpr int64_t kLocal = 1 << 14;  // numbers of a subtree that is copied into the near caches
constexpr int kSample = 10;          // points that choose the widest dimension

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

// Few dimensions: the points themselves are moved, which reads memory in order. A record is moved
// in whole vectors, so that a load never waits for several smaller stores.
template <int Words>
struct Record {
  typedef int32_t Vector __attribute__((vector_size(16)));
  Vector part[Words / 4];  // Words - 1 coordinates, float relative to the graph's first point; row

  float at(int d) const {
    float c;
    std::memcpy(&c, reinterpret_cast<const char*>(part) + 4 * d, sizeof c);
    return c;
  }
  int32_t row() const { return part[Words / 4 - 1][3]; }
};

template <int W>
int widest(const Record<W>* record, int dim, int64_t count) {
  const int64_t step = std::max<int64_t>(1, count / kSample);
  float low[W - 1], high[W - 1];
  for (int d = 0; d < W - 1; ++d) low[d] = high[d] = record[0].at(d);
  for (int64_t i = step; i < count; i += step)
    for (int d = 0; d < W - 1; ++d) {
      low[d] = std::min(low[d], record[i].at(d));
      high[d] = std::max(high[d], record[i].at(d));
    }
  int best = 0;
  for (int d = 1; d < dim; ++d)
    if (high[d] - low[d] > high[best] - low[best]) best = d;
  return best;
}

// Moves the records for which below(c) holds to the front; returns their number.
template <int W, class Below>
int64_t partition(Record<W>* record, int64_t count, int d, Below below) {
  int64_t front = 0;
  for (int64_t i = 0; i < count; ++i) {
    const Record<W> r = record[i], other = record[front];
    record[i] = other;
    record[front] = r;
    front += below(r.at(d));
  }
  return front;
}

template <int W>
void select(Record<W>* record, int64_t count, int64_t k, int d) {
  for (int round = 0; count > 24 && round < 64; ++round) {
    float sample[33];
    const int size = count > 2048 ? 33 : count > 256 ? 17 : 7;
    for (int i = 0; i < size; ++i) sample[i] = record[(count - 1) * i / (size - 1)].at(d);
    std::sort(sample, sample + size);
    const int64_t rank = std::clamp<int64_t>((k * size + count / 2) / count, 1, size - 1);
    const float pivot = sample[rank];
    int64_t below = partition(record, count, d, [=](float c) { return c < pivot; });
    if (below == 0) {  // the pivot is the smallest value: take all equal to it
      below = partition(record, count, d, [=](float c) { return c <= pivot; });
      if (k <= below) return;
    }
    if (below > k) {
      count = below;
    } else {
      record += below;
      k -= below;
      count -= below;
    }
    if (k == 0) return;
  }
  if (k > 0 && k < count)
    std::nth_element(record, record + k, record + count,
                     [d](const Record<W>& a, const Record<W>& b) { return a.at(d) < b.at(d); });
}

template <int W>
void order_records(Record<W>* record, int dim, int64_t count) {
  while (count > kLeaf) {
    const int64_t left = left_leaves((count + kLeaf - 1) / kLeaf) * kLeaf;
    select(record, count, left, widest(record, dim, count));
    if (left > kTask) {
#pragma omp task default(none) firstprivate(record, dim, left)
      order_records(record, dim, left);
    } else {
      order_records(record, dim, left);
    }
    record += left;
    count -= left;
  }
}

template <int W, class T>
void order_few(const Rows<T>& points, int32_t* order, void* scratch, int64_t count) {
  if (count == 0) return;
  auto* record = static_cast<Record<W>*>(scratch);
  T origin[W] = {};
  for (int d = 0; d < points.dim; ++d) origin[d] = points.at(order[0], d);
  for (int64_t i = 0; i < count; ++i) {
    float c[W] = {};
    for (int d = 0; d < points.dim; ++d)
      c[d] = static_cast<float>(points.at(order[i], d) - origin[d]);
    std::memcpy(&c[W - 1], &order[i], sizeof c[0]);
    std::memcpy(record[i].part, c, sizeof c);
  }
#pragma omp taskgroup
  order_records(record, points.dim, count);
  for (int64_t i = 0; i < count; ++i) order[i] = record[i].row();
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

int64_t scratch_size(int dim) {
  return dim <= 3 ? sizeof(Record<4>) : dim <= 7 ? sizeof(Record<8>) : sizeof(uint64_t);
}

template <class T>
void kd_order(const T* points, int dim, int32_t* order, void* scratch, int64_t count) {
  const Rows<T> rows{points, dim};
  if (dim <= 3)
    order_few<4>(rows, order, scratch, count);
  else if (dim <= 7)
    order_few<8>(rows, order, scratch, count);
  else
    order_rows(rows, order, static_cast<uint64_t*>(scratch), count);
}

template void kd_order<float>(const float*, int, int32_t*, void*, int64_t);
template void kd_order<double>(const double*, int, int32_t*, void*, int64_t);

}  // namespace geo
