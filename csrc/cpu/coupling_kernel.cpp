// Compiled once per instruction set, see isa.h.
#include "cpu/coupling_kernel.h"

#include "cpu/exponential.h"

namespace geo {
namespace {

constexpr double kTolerance = 1e-2;     // by which a column may be claimed too often
constexpr double kLeastScale = 1e-12, kLeastTemperature = 1e-30;
constexpr double kMostSteps = 262144;   // from the first temperature to the last: nine quarters

// A factor of a column beyond which the type does not hold its claims, and prices, in units of the
// temperature, beyond which it does not hold four digits of a weight.
template <class T>
struct Range;
template <>
struct Range<float> {
  static constexpr float kLog = 69.0f, kMost = 8e29f, kPrice = 300.0f;
};
template <>
struct Range<double> {
  static constexpr double kLog = 690.0, kMost = 1e299, kPrice = __builtin_inf();
};

constexpr int kRows = 4;  // that claim together

// 0 for a row that can go nowhere.
template <class T>
inline T inverse_of(T total) {
  return total > 0 ? 1 / total : T(0);
}

inline float log_of(float v) { return __builtin_logf(v); }
inline double log_of(double v) { return __builtin_log(v); }

// Columns [0, used) of the rows count, a multiple of kCouplingPad; rows are `stride` apart.
template <class T>
struct Graph {
  using S = Simd<T>;
  using V = typename S::V;
  static constexpr int W = S::W;
  int64_t rows, stride, used;
  T *gap, *kernel;                         // (K, stride)
  T *price, *factor, *highest, *claimed;   // (stride)
  T capacity;
  double scale;

  // gap = affinity - its maximum along the row, -inf where nothing is; false: a number is not one.
  template <class In>
  bool prepare(const In* affinity, int64_t width) {
    const V none = S::set(-static_cast<T>(__builtin_inff()));
    const V most = S::set(static_cast<T>(__builtin_inff()));
    T* const best = claimed;  // of each column
    for (int64_t v = 0; v < stride; v += W) S::store(best + v, none);
    double sum = 0;
    int64_t count = 0, served = 0;
    constexpr uint32_t all = (1u << W) - 1u;
    for (int64_t k = 0; k < rows; ++k) {
      T* row = gap + k * stride;
      for (int64_t m = 0; m < width; ++m) row[m] = static_cast<T>(affinity[k * width + m]);
      for (int64_t m = width; m < stride; ++m) row[m] = -static_cast<T>(__builtin_inff());
      V top = none;
      for (int64_t v = 0; v < stride; v += W) {
        const V x = S::load(row + v);
        if (S::bits(S::less(x, most)) != all) return false;
        top = S::max(x, top);
        S::store(best + v, S::max(x, S::load(best + v)));
      }
      const T highest_entry = S::max_lane(top);
      if (highest_entry == -static_cast<T>(__builtin_inff())) continue;
      ++served;
      V total = S::set(T(0));
      for (int64_t v = 0; v < stride; v += W) {
        const V x = S::load(row + v) - S::set(highest_entry);
        const auto there = S::less(none, x);
        total = S::add_if(there, total, x);
        count += __builtin_popcount(S::bits(there));
        S::store(row + v, x);
      }
      sum += static_cast<double>(S::sum(total));
    }
    int64_t columns = 0;
    used = 0;
    for (int64_t m = 0; m < width; ++m) {
      if (best[m] == -static_cast<T>(__builtin_inff())) continue;
      ++columns;
      used = m / kCouplingPad * kCouplingPad + kCouplingPad;
    }
    const double each = columns ? static_cast<double>(served) / static_cast<double>(columns) : 1.0;
    capacity = static_cast<T>(each > 1.0 ? each : 1.0);
    const double mean = count ? -sum / static_cast<double>(count) : 0.0;
    scale = mean > kLeastScale ? mean : kLeastScale;
    for (int64_t v = 0; v < used; v += W) S::store(price + v, S::set(T(0)));
    return true;
  }

  // What a column may be scaled up to: there its price is 0 again. false: see Range.
  bool bound(T inverse) {
    V dearest = S::set(T(0));
    for (int64_t v = 0; v < used; v += W) {
      const V relative = S::load(price + v) * S::set(inverse);
      dearest = S::max(dearest, relative);
      S::store(highest + v, exponential<T>(S::min(relative, S::set(Range<T>::kLog))));
      S::store(factor + v, S::set(T(1)));
    }
    return S::max_lane(dearest) <= Range<T>::kPrice;
  }

  // kernel = exp((gap - price) / T) relative to the largest of its row; `claimed` by all rows.
  void evaluate(T inverse) {
    const V lowest = S::set(-static_cast<T>(sizeof(T) == 4 ? 3e38 : 1e308));
    const V scaled = S::set(inverse);
    for (int64_t v = 0; v < used; v += W) S::store(claimed + v, S::set(T(0)));
    T total[kRows];
    for (int64_t k = 0; k < rows; ++k) {
      const T* from = gap + k * stride;
      T* to = kernel + k * stride;
      V top = lowest;
      for (int64_t v = 0; v < used; v += W) {
        const V x = (S::load(from + v) - S::load(price + v)) * scaled;
        S::store(to + v, x);
        top = S::max(x, top);
      }
      const V shift = S::set(S::max_lane(top));
      V sum = S::set(T(0));
      for (int64_t v = 0; v < used; v += W) {
        const V x = exponential<T>(S::load(to + v) - shift);
        S::store(to + v, x);
        sum = sum + x;
      }
      total[k % kRows] = S::sum(sum);
      if (k % kRows == kRows - 1) claim<kRows>(k + 1 - kRows, total);
    }
    for (int64_t k = rows / kRows * kRows; k < rows; ++k) claim<1>(k, total + k % kRows);
  }

  // What rows k .. k + R - 1 claim of the columns, with factors or, in `total`, the sums of their
  // kernels. Several at a time: one read and write of `claimed` is for all of them.
  template <int R>
  void claim(int64_t k, const T* total) {
    const T* row = kernel + k * stride;
    V share[R];
    for (int r = 0; r < R; ++r) share[r] = S::set(inverse_of(total[r]));
    for (int64_t v = 0; v < used; v += W) {
      V sum = S::load(claimed + v);
      for (int r = 0; r < R; ++r) sum = sum + share[r] * S::load(row + r * stride + v);
      S::store(claimed + v, sum);
    }
  }
  template <int R>
  void claim_by_factors(int64_t k) {
    const T* row = kernel + k * stride;
    V sum[R];
    for (int r = 0; r < R; ++r) sum[r] = S::set(T(0));
    for (int64_t v = 0; v < used; v += W) {
      const V f = S::load(factor + v);
      for (int r = 0; r < R; ++r) sum[r] = sum[r] + f * S::load(row + r * stride + v);
    }
    T total[R];
    for (int r = 0; r < R; ++r) total[r] = S::sum(sum[r]);
    claim<R>(k, total);
  }

  // Factors that bring every column to its capacity, of one with a price too, or its price to 0.
  // Gives the largest claim before, relative to the capacity; fits: see Range.
  T balance(bool& fits) {
    V most = S::set(T(0)), largest = S::set(T(0));
    const V full = S::set(capacity);
    for (int64_t v = 0; v < used; v += W) {
      const V all = S::load(claimed + v);
      most = S::max(most, S::load(factor + v) * all);
      const V next = S::min(full / all, S::load(highest + v));
      largest = S::max(largest, next);
      S::store(factor + v, next);
    }
    fits = S::max_lane(largest) < Range<T>::kMost;
    return S::max_lane(most) / capacity;
  }

  void claim_again() {
    for (int64_t v = 0; v < used; v += W) S::store(claimed + v, S::set(T(0)));
    int64_t k = 0;
    for (; k + kRows <= rows; k += kRows) claim_by_factors<kRows>(k);
    for (; k < rows; ++k) claim_by_factors<1>(k);
  }

  // Whether at this temperature no column is in demand while all are free: then that is the answer,
  // as in a network that has decided, and no other temperature has to be gone through.
  bool free_of_charge(T inverse) {
    bool fits = true;
    bound(inverse);
    evaluate(inverse);
    return balance(fits) <= 1 + static_cast<T>(kTolerance);
  }

  void charge(T temperature, T inverse) {
    for (int64_t m = 0; m < used; ++m) {
      const bool free = factor[m] >= highest[m] && price[m] * inverse < Range<T>::kLog;
      const T next = free ? T(0) : price[m] - temperature * log_of(factor[m]);
      price[m] = next > 0 ? next : T(0);
    }
  }

  template <class Out>
  void write(int64_t width, Out* weight) {
    for (int64_t k = 0; k < rows; ++k) {
      T* row = kernel + k * stride;
      V sum = S::set(T(0));
      for (int64_t v = 0; v < used; v += W) sum = sum + S::load(row + v) * S::load(factor + v);
      const V share = S::set(inverse_of(S::sum(sum)));
      for (int64_t v = 0; v < used; v += W)
        S::store(row + v, share * S::load(row + v) * S::load(factor + v));
      Out* out = weight + k * width;
      for (int64_t m = 0; m < width; ++m) out[m] = m < used ? static_cast<Out>(row[m]) : Out(0);
    }
  }
};

template <class In, class T>
bool couple_in(const In* affinity, int64_t rows, int64_t width, const CouplingSchedule& schedule,
               T* scratch, In* weight) {
  const int64_t stride = (width + kCouplingPad - 1) / kCouplingPad * kCouplingPad;
  T* const columns = scratch + 2 * rows * stride;
  Graph<T> graph{rows,
                 stride,
                 0,
                 scratch,
                 scratch + rows * stride,
                 columns,
                 columns + stride,
                 columns + 2 * stride,
                 columns + 3 * stride,
                 T(1),
                 0.0};
  if (!graph.prepare(affinity, width)) {
    for (int64_t i = 0; i < rows * width; ++i) weight[i] = static_cast<In>(__builtin_nanf(""));
    return true;
  }
  double last = schedule.tau * graph.scale;
  if (last > schedule.max_temperature) last = schedule.max_temperature;
  if (last < kLeastTemperature) last = kLeastTemperature;
  double temperature = schedule.tau_start * graph.scale;
  if (temperature > last * kMostSteps) temperature = last * kMostSteps;
  if (temperature < last) temperature = last;
  bool fits = true;
  if (graph.free_of_charge(static_cast<T>(1 / last))) {
    graph.write(width, weight);
    return true;
  }
  for (;;) {
    const T inverse = static_cast<T>(1 / temperature);
    if (!graph.bound(inverse)) return false;
    graph.evaluate(inverse);
    for (int32_t i = 1;; ++i) {
      const T over = graph.balance(fits);
      if (!fits && sizeof(T) == 4) return false;
      if (over <= 1 + kTolerance || i == schedule.iterations) break;
      graph.claim_again();
    }
    if (temperature <= last) break;
    graph.charge(static_cast<T>(temperature), inverse);
    temperature = temperature / 4 > last ? temperature / 4 : last;
  }
  graph.write(width, weight);
  return true;
}

}  // namespace

namespace GEO_ISA {

bool couple(const float* affinity, int64_t rows, int64_t width, const CouplingSchedule& schedule,
            float* scratch, float* weight) {
  return couple_in(affinity, rows, width, schedule, scratch, weight);
}
bool couple(const float* affinity, int64_t rows, int64_t width, const CouplingSchedule& schedule,
            double* scratch, float* weight) {
  return couple_in(affinity, rows, width, schedule, scratch, weight);
}
bool couple(const double* affinity, int64_t rows, int64_t width, const CouplingSchedule& schedule,
            double* scratch, double* weight) {
  return couple_in(affinity, rows, width, schedule, scratch, weight);
}

}  // namespace GEO_ISA
}  // namespace geo
