// Query profiles: one pass over the logits for values, one for gradients.
//
// Every thread takes rows side by side and adds them to sums (S, M) of its own. A sum in float that
// grows long loses digits, so rows are added up in chunks, and then the chunks.
#include <algorithm>
#include <atomic>
#include <limits>

#include "api.h"
#include "cpu/array.h"
#include "cpu/profile_kernel.h"
#include "cpu/team.h"

namespace geo {
namespace {

constexpr int64_t kSerial = 1 << 15;  // numbers that are not worth a second thread
constexpr int64_t kChunk = 4096;      // rows of a chunk, at least
constexpr int64_t kChunkShare = 16;   // and by segment, so that adding up chunks costs little

template <class T>
struct Values {
  const T* logits;
  int64_t n, width;
  const int64_t* index;
  const T* weight;
  int64_t segments;
  T *profile, *log_void, *mass, *level;
};

// Adds the weights of rows [begin, end) to mass (S); false: an id is too large.
template <class T>
bool weigh(const Values<T>& v, int64_t begin, int64_t end, double* mass) {
  for (int64_t i = begin; i < end; ++i) {
    if (v.index[i] >= v.segments) return false;
    if (v.index[i] >= 0) mass[v.index[i]] += v.weight ? static_cast<double>(v.weight[i]) : 1.0;
  }
  return true;
}

// Sums (threads, size) of rows, each thread's in chunks: rows(begin, end, sum, thread) adds its rows
// to sum; false: that is the end of it.
template <class T, class F>
bool add_up(int64_t n, int64_t segments, int64_t size, int threads, T* sums, const F& rows) {
  const int64_t chunk = std::max(kChunk, kChunkShare * segments);
  const bool single = n <= chunk * threads;
  Array<T> recent(single ? 0 : threads * size);
  std::atomic<bool> good{true};
#pragma omp parallel for num_threads(threads) schedule(static) if (threads > 1)
  for (int t = 0; t < threads; ++t) {
    T* total = sums + t * size;
    T* sum = single ? total : recent.data() + t * size;
    std::fill_n(total, size, T(0));
    const int64_t stop = n * (t + 1) / threads;
    for (int64_t begin = n * t / threads, end; begin < stop && good; begin = end) {
      end = single ? stop : std::min(stop, begin + chunk);
      if (!single) std::fill_n(sum, size, T(0));
      if (!rows(begin, end, sum, t)) good = false;
      if (single) continue;
      for (int64_t k = 0; k < size; ++k) total[k] += sum[k];
    }
  }
  return good;
}

int64_t padded(int64_t width) { return (width + kProfilePad - 1) / kProfilePad * kProfilePad; }

// false: an id is too large.
template <class T>
bool evaluate(const Values<T>& v, int threads) {
  const int64_t stride = padded(v.width), size = v.segments * stride;
  Array<T> sums(threads * size);
  Array<double> mass(threads * v.segments);
  std::fill_n(mass.data(), threads * v.segments, 0.0);
  const bool good = add_up(
      v.n, v.segments, size, threads, sums.data(),
      [&](int64_t begin, int64_t end, T* sum, int t) {
        if (!weigh(v, begin, end, mass.data() + t * v.segments)) return false;
        const ProfileRows<T> task{v.logits, v.width,    begin,   end, v.index,
                                  v.weight, v.log_void, v.level, sum, stride};
        GEO_RUN(profile, task);
        return true;
      });
  if (!good) return false;
#pragma omp parallel for num_threads(threads) schedule(static) if (threads > 1)
  for (int64_t s = 0; s < v.segments; ++s) {
    T* out = v.profile + s * v.width;
    double weight = 0;
    for (int t = 0; t < threads; ++t) {
      weight += mass[t * v.segments + s];
      const T* part = sums.data() + t * size + s * stride;
      for (int64_t m = 0; m < v.width; ++m) out[m] = (t ? out[m] : T(0)) + part[m];
    }
    v.mass[s] = static_cast<T>(weight);
    if (v.mass[s] == 0) continue;
    for (int64_t m = 0; m < v.width; ++m) out[m] /= v.mass[s];
  }
  return true;
}

template <class T>
int32_t profiles(GEO_PROFILES(T)) {
  if (n < 0 || width < 0 || segments < 0 || threads < 1) return GEO_BAD_ARGUMENT;
  if (n * width < kSerial) threads = 1;
  return guarded([&]() -> int32_t {
    const Values<T> values{logits,   n,       width,    index, weight,
                           segments, profile, log_void, mass,  level};
    return evaluate(values, threads) ? GEO_OK : GEO_ID_RANGE;
  });
}

// Gradient of each segment's sum, from that of its mean, and the sum along each row. What is -inf
// has no gradient, whatever is given for it.
template <class T>
void slopes_of(const T* grad, const T* profile, const T* mass, int64_t segments, int64_t width,
               int threads, T* slope, T* total) {
  const T none = -std::numeric_limits<T>::infinity();
#pragma omp parallel for num_threads(threads) schedule(static) if (threads > 1)
  for (int64_t s = 0; s < segments; ++s) {
    double sum = 0;
    for (int64_t m = s * width; m < (s + 1) * width; ++m) {
      slope[m] = profile[m] == none || mass[s] == 0 ? T(0) : grad[m] / mass[s];
      sum += slope[m];
    }
    total[s] = static_cast<T>(sum);
  }
}

template <class T>
int32_t profiles_grad(GEO_PROFILES_GRAD(T)) {
  if (n < 0 || width < 0 || segments < 0 || threads < 1) return GEO_BAD_ARGUMENT;
  for (int64_t i = 0; i < n; ++i)
    if (index[i] >= segments) return GEO_ID_RANGE;
  if (n * width < kSerial) threads = 1;
  ask_huge_pages(grad_logits, static_cast<size_t>(n * width) * sizeof(T));
  return guarded([&]() -> int32_t {
    Array<T> slope, total;
    if (grad_profile) {
      slope.reset(segments * width);
      total.reset(segments);
      slopes_of(grad_profile, profile, mass, segments, width, threads, slope.data(), total.data());
    }
#pragma omp parallel for num_threads(threads) schedule(static) if (threads > 1)
    for (int t = 0; t < threads; ++t) {
      const ProfileSlopes<T> task{logits,       width,        n * t / threads, n * (t + 1) / threads,
                                  index,        weight,       slope.data(),    total.data(),
                                  level,        grad_void,    grad_logits};
      GEO_RUN(profile_slopes, task);
    }
    return GEO_OK;
  });
}

bool in_range(const int64_t* segment, int64_t n, int64_t segments) {
  for (int64_t i = 0; i < n; ++i)
    if (segment[i] < 0 || segment[i] >= segments) return false;
  return true;
}

template <class T>
int32_t claims_of(GEO_CLAIMS(T)) {
  if (n < 0 || width < 0 || segments < 0 || threads < 1) return GEO_BAD_ARGUMENT;
  if (!in_range(segment, n, segments)) return GEO_ID_RANGE;
  if (n * width < kSerial) threads = 1;
  return guarded([&]() -> int32_t {
    const int64_t stride = padded(width), size = segments * stride;
    Array<T> sums(threads * size);
    add_up(n, segments, size, threads, sums.data(),
           [&](int64_t begin, int64_t end, T* sum, int) {
             const ClaimRows<T> task{logits, width, begin, end, segment, weight, log_void, sum,
                                     stride};
             GEO_RUN(claim, task);
             return true;
           });
    for (int64_t s = 0; s < segments; ++s)
      for (int64_t m = 0; m < width; ++m) {
        T total = T(0);
        for (int t = 0; t < threads; ++t) total += sums[t * size + s * stride + m];
        claims[s * width + m] = total;
      }
    return GEO_OK;
  });
}

template <class T>
int32_t claims_grad(GEO_CLAIMS_GRAD(T)) {
  if (n < 0 || width < 0 || segments < 0 || threads < 1) return GEO_BAD_ARGUMENT;
  if (!in_range(segment, n, segments)) return GEO_ID_RANGE;
  if (n * width < kSerial) threads = 1;
#pragma omp parallel for num_threads(threads) schedule(static) if (threads > 1)
  for (int t = 0; t < threads; ++t) {
    const ClaimSlopes<T> task{logits, width,    n * t / threads, n * (t + 1) / threads, segment,
                              weight, log_void, grad_claims,     grad_logits};
    GEO_RUN(claim_slopes, task);
  }
  return GEO_OK;
}

}  // namespace
}  // namespace geo

extern "C" int32_t geo_claims_f32(GEO_CLAIMS(float)) {
  return geo::claims_of<float>(logits, n, width, log_void, segment, weight, segments, threads,
                               claims);
}
extern "C" int32_t geo_claims_f64(GEO_CLAIMS(double)) {
  return geo::claims_of<double>(logits, n, width, log_void, segment, weight, segments, threads,
                                claims);
}
extern "C" int32_t geo_claims_grad_f32(GEO_CLAIMS_GRAD(float)) {
  return geo::claims_grad<float>(logits, n, width, log_void, segment, weight, segments,
                                 grad_claims, threads, grad_logits);
}
extern "C" int32_t geo_claims_grad_f64(GEO_CLAIMS_GRAD(double)) {
  return geo::claims_grad<double>(logits, n, width, log_void, segment, weight, segments,
                                  grad_claims, threads, grad_logits);
}
extern "C" int32_t geo_profiles_f32(GEO_PROFILES(float)) {
  return geo::profiles<float>(logits, n, width, index, weight, segments, threads, profile, log_void,
                              mass, level);
}
extern "C" int32_t geo_profiles_f64(GEO_PROFILES(double)) {
  return geo::profiles<double>(logits, n, width, index, weight, segments, threads, profile,
                               log_void, mass, level);
}
extern "C" int32_t geo_profiles_grad_f32(GEO_PROFILES_GRAD(float)) {
  return geo::profiles_grad<float>(logits, n, width, index, weight, segments, profile, mass,
                                   level, grad_profile, grad_void, threads, grad_logits);
}
extern "C" int32_t geo_profiles_grad_f64(GEO_PROFILES_GRAD(double)) {
  return geo::profiles_grad<double>(logits, n, width, index, weight, segments, profile, mass,
                                    level, grad_profile, grad_void, threads, grad_logits);
}
