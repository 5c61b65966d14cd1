// Compiled once per instruction set, see isa.h. Rows of at least one vector are read along the row;
// narrower ones as many at a time as there are lanes.
#include "cpu/profile_kernel.h"

#include "cpu/exponential.h"

namespace geo {
namespace {

inline float log_of(float v) { return __builtin_logf(v); }
inline double log_of(double v) { return __builtin_log(v); }

// The weight of a row in its segment, 0 where it has none.
template <class Task>
inline auto share_of(const Task& task, int64_t i) -> decltype(*task.logits + 0) {
  if (task.index[i] < 0) return 0;
  return task.weight ? task.weight[i] : 1;
}

template <class T>
inline void keep_level(const ProfileRows<T>& task, int64_t i, T highest, T over) {
  task.log_void[i] = -(highest + over);
  task.level[2 * i] = highest;
  task.level[2 * i + 1] = over;
}

// Rows in blocks that stay in the nearest cache, one step after the other for all rows of a block:
// in a step rows do not wait for each other, but every step waits for the one before.
template <class T>
void profile_wide(const ProfileRows<T>& task) {
  using S = Simd<T>;
  using V = typename S::V;
  constexpr int W = S::W;
  constexpr int64_t most = 16, bytes = 1 << 14;
  const int64_t width = task.width, full = width / W * W;
  const int rest = static_cast<int>(width - full);  // columns of the last vector
  const V fill = S::set(-static_cast<T>(__builtin_inff())), zero = S::set(T(0));
  int64_t size = bytes / (width * static_cast<int64_t>(sizeof(T)));
  size = size < 1 ? 1 : size > most ? most : size;
  T highest[most] = {}, over[most] = {};
  for (int64_t first = task.begin; first < task.end; first += size) {
    const int64_t rows = task.end - first < size ? task.end - first : size;
    const T* block = task.logits + first * width;
    for (int64_t r = 0; r < rows; ++r) {
      const T* row = block + r * width;
      V top = S::max(S::load_first(row + full, rest, fill), zero);  // 0: void
      for (int64_t m = 0; m < full; m += W) top = S::max(S::load(row + m), top);
      highest[r] = S::max_lane(top);
    }
    for (int64_t r = 0; r < rows; ++r) {
      const T* row = block + r * width;
      const V shift = S::set(highest[r]);
      V total = rest ? exponential<T>(S::load_first(row + full, rest, fill) - shift) : zero;
      for (int64_t m = 0; m < full; m += W)
        total = total + exponential<T>(S::load(row + m) - shift);
      over[r] = S::sum(total);
    }
    for (int64_t r = 0; r < most; r += W)
      S::store(over + r, S::load(over + r) + exponential<T>(zero - S::load(highest + r)));
    for (int64_t r = 0; r < rows; ++r) {
      over[r] = log_of(over[r]);
      keep_level(task, first + r, highest[r], over[r]);
    }
    for (int64_t r = 0; r < rows; ++r) {
      const T share = share_of(task, first + r);
      if (share == 0) continue;
      const T* row = block + r * width;
      T* sum = task.sum + task.index[first + r] * task.stride;
      const V shift = S::set(highest[r]), below = S::set(over[r]), weight = S::set(share);
      const auto step = [&](int64_t m, V x) {
        S::store(sum + m, S::load(sum + m) + weight * ((x - shift) - below));
      };
      for (int64_t m = 0; m < full; m += W) step(m, S::load(row + m));
      if (rest) step(full, S::load_first(row + full, rest, zero));
    }
  }
}

// Up to W rows of less than W columns, column by column.
template <class T>
struct Narrow {
  static constexpr int W = Simd<T>::W;
  T column[W][W];
  int rows;

  Narrow(const T* logits, int64_t width, int64_t begin, int64_t end)
      : rows(end - begin < W ? static_cast<int>(end - begin) : W) {
    for (int64_t m = 0; m < width; ++m) {
      for (int l = 0; l < rows; ++l) column[m][l] = logits[(begin + l) * width + m];
      for (int l = rows; l < W; ++l) column[m][l] = T(0);
    }
  }
};

template <class T>
void profile_narrow(const ProfileRows<T>& task) {
  using S = Simd<T>;
  using V = typename S::V;
  constexpr int W = S::W;
  const int64_t width = task.width;
  for (int64_t i = task.begin; i < task.end; i += W) {
    const Narrow<T> x(task.logits, width, i, task.end);
    V top = S::set(T(0));  // void
    for (int64_t m = 0; m < width; ++m) top = S::max(S::load(x.column[m]), top);
    V total = exponential<T>(S::set(T(0)) - top);
    for (int64_t m = 0; m < width; ++m) total = total + exponential<T>(S::load(x.column[m]) - top);
    T highest[W], over[W];
    S::store(highest, top);
    S::store(over, total);
    for (int l = 0; l < x.rows; ++l) {
      over[l] = log_of(over[l]);
      keep_level(task, i + l, highest[l], over[l]);
      const T share = share_of(task, i + l);
      if (share == 0) continue;
      T* sum = task.sum + task.index[i + l] * task.stride;
      for (int64_t m = 0; m < width; ++m)
        sum[m] += share * ((x.column[m][l] - highest[l]) - over[l]);
    }
  }
}

// What a row of the gradient is made of: weight slope - p total.
template <class T>
struct Slope {
  T weight, total;
  const T* own;  // (M), null where weight is 0

  Slope(const ProfileSlopes<T>& task, int64_t i)
      : weight(task.slope ? share_of(task, i) : T(0)), total(T(0)), own(nullptr) {
    if (weight != 0) {
      own = task.slope + task.index[i] * task.width;
      total = weight * task.slope_sum[task.index[i]];
    }
    if (task.grad_void) total += task.grad_void[i];
  }
};

template <class T>
void slopes_wide(const ProfileSlopes<T>& task) {
  using S = Simd<T>;
  using V = typename S::V;
  constexpr int W = S::W;
  const int64_t width = task.width, full = width / W * W;
  for (int64_t i = task.begin; i < task.end; ++i) {
    const T* row = task.logits + i * width;
    T* out = task.grad + i * width;
    const Slope<T> slope(task, i);
    if (!slope.own && slope.total == 0) {
      for (int64_t m = 0; m < width; ++m) out[m] = T(0);
      continue;
    }
    const V highest = S::set(task.level[2 * i]), over = S::set(task.level[2 * i + 1]);
    const V total = S::set(slope.total), weight = S::set(slope.weight);
    const auto step = [&](int64_t m) {
      const V p = exponential<T>((S::load(row + m) - highest) - over);
      const V own = slope.own ? weight * S::load(slope.own + m) : S::set(T(0));
      S::store(out + m, own - p * total);
    };
    for (int64_t m = 0; m < full; m += W) step(m);
    if (full < width) step(width - W);  // some columns once more, with the same result
  }
}

template <class T>
void slopes_narrow(const ProfileSlopes<T>& task) {
  using S = Simd<T>;
  using V = typename S::V;
  constexpr int W = S::W;
  const int64_t width = task.width;
  for (int64_t i = task.begin; i < task.end; i += W) {
    Narrow<T> x(task.logits, width, i, task.end);
    T highest[W] = {}, over[W] = {};
    for (int l = 0; l < x.rows; ++l) {
      highest[l] = task.level[2 * (i + l)];
      over[l] = task.level[2 * (i + l) + 1];
    }
    const V top = S::load(highest), above = S::load(over);
    for (int64_t m = 0; m < width; ++m)
      S::store(x.column[m], exponential<T>((S::load(x.column[m]) - top) - above));
    for (int l = 0; l < x.rows; ++l) {
      const Slope<T> slope(task, i + l);
      T* out = task.grad + (i + l) * width;
      for (int64_t m = 0; m < width; ++m)
        out[m] = (slope.own ? slope.weight * slope.own[m] : T(0)) - x.column[m][l] * slope.total;
    }
  }
}

template <class T>
void profile_of(const ProfileRows<T>& task) {
  if (task.width < Simd<T>::W) return profile_narrow(task);
  profile_wide(task);
}

template <class T>
void slopes_of(const ProfileSlopes<T>& task) {
  if (task.width < Simd<T>::W) return slopes_narrow(task);
  slopes_wide(task);
}

template <class T>
void claim_of(const ClaimRows<T>& task) {
  using S = Simd<T>;
  using V = typename S::V;
  constexpr int W = S::W;
  const int64_t full = task.width / W * W;
  const int rest = static_cast<int>(task.width - full);  // columns of the last vector
  const V fill = S::set(-static_cast<T>(__builtin_inff()));
  for (int64_t i = task.begin; i < task.end; ++i) {
    const T share = task.weight ? task.weight[i] : T(1);
    if (share == 0) continue;
    const T* row = task.logits + i * task.width;
    T* sum = task.sum + task.segment[i] * task.stride;
    const V weight = S::set(share), shift = S::set(task.log_void[i]);
    const auto step = [&](int64_t m, V x) {
      S::store(sum + m, S::load(sum + m) + weight * exponential<T>(x + shift));
    };
    for (int64_t m = 0; m < full; m += W) step(m, S::load(row + m));
    if (rest) step(full, S::load_first(row + full, rest, fill));
  }
}

template <class T>
void claim_slopes_of(const ClaimSlopes<T>& task) {
  using S = Simd<T>;
  using V = typename S::V;
  constexpr int W = S::W;
  const int64_t width = task.width, full = width / W * W;
  const int rest = static_cast<int>(width - full);
  const V fill = S::set(-static_cast<T>(__builtin_inff())), zero = S::set(T(0));
  for (int64_t i = task.begin; i < task.end; ++i) {
    const T share = task.weight ? task.weight[i] : T(1);
    if (share == 0) continue;
    const T *row = task.logits + i * width, *slope = task.slope + task.segment[i] * width;
    T* out = task.grad + i * width;
    const V shift = S::set(task.log_void[i]), weight = S::set(share);
    const auto p = [&](int64_t m) { return exponential<T>(S::load(row + m) + shift); };
    V dots = zero, last = zero, last_slope = zero;
    for (int64_t m = 0; m < full; m += W) dots = dots + p(m) * S::load(slope + m);
    if (rest) {
      last = exponential<T>(S::load_first(row + full, rest, fill) + shift);
      last_slope = S::load_first(slope + full, rest, zero);
      dots = dots + last * last_slope;
    }
    const V mean = S::set(S::sum(dots));  // the slope of void is 0
    for (int64_t m = 0; m < full; m += W)
      S::store(out + m, S::load(out + m) + weight * p(m) * (S::load(slope + m) - mean));
    if (!rest) continue;
    T tail[W];
    S::store(tail, weight * last * (last_slope - mean));
    for (int m = 0; m < rest; ++m) out[full + m] += tail[m];
  }
}

}  // namespace

namespace GEO_ISA {

void claim(const ClaimRows<float>& task) { claim_of(task); }
void claim(const ClaimRows<double>& task) { claim_of(task); }
void claim_slopes(const ClaimSlopes<float>& task) { claim_slopes_of(task); }
void claim_slopes(const ClaimSlopes<double>& task) { claim_slopes_of(task); }

void profile(const ProfileRows<float>& task) { profile_of(task); }
void profile(const ProfileRows<double>& task) { profile_of(task); }
void profile_slopes(const ProfileSlopes<float>& task) { slopes_of(task); }
void profile_slopes(const ProfileSlopes<double>& task) { slopes_of(task); }

}  // namespace GEO_ISA
}  // namespace geo
