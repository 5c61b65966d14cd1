// Reductions over the rows that share an id. Every path adds the rows of a segment in an order that
// depends on the ids alone, so that the number of threads never shows in the result:
//   ascending ids   runs of rows, a whole run per thread
//   other ids       row after row into the output: a fixed number of chunks of rows with outputs of
//                   their own where there are few segments, or columns shared out where rows are wide
#include <algorithm>
#include <atomic>
#include <limits>
#include <vector>

#include "api.h"
#include "cpu/team.h"

namespace geo {
namespace {

constexpr int64_t kSerial = 1 << 15;     // numbers that are not worth a second thread
constexpr int64_t kChunkRows = 1 << 15;  // rows of a chunk with an output of its own, at least
constexpr int64_t kMaxChunks = 16;
constexpr int64_t kWide = 16;            // columns from which threads share them out
constexpr int kLanes = 16;               // independent partial sums of a long run

// Whether ids (N) never decrease; stops at the first one that does.
bool ascending(const int64_t* index, int64_t n) {
  for (int64_t i = 1; i < n; ++i)
    if (index[i] < index[i - 1]) return false;
  return true;
}

template <class T, int Kind>
constexpr T neutral() {
  return Kind == GEO_SUM   ? T(0)
         : Kind == GEO_MIN ? std::numeric_limits<T>::infinity()
                           : -std::numeric_limits<T>::infinity();
}

// NaN wins over every number, as in torch.
template <int Kind, class T>
inline T join(T a, T b) {
  if (Kind == GEO_SUM) return a + b;
  if (Kind == GEO_MIN) return (b < a || b != b) ? b : a;
  return (b > a || b != b) ? b : a;
}

template <class T>
struct Task {
  const T* src;
  int64_t n, width;
  const int64_t* index;
  int64_t segments;
  T fill;
  T* out;
};

// Rows [first, last) of consecutive rows of one segment. F: the width, 0 where it is not known.
template <int F, int Kind, class T>
void reduce_run(const T* src, int64_t width, int64_t first, int64_t last, T* out) {
  const int64_t f_end = F ? F : width;
  if (F == 1 && last - first >= 2 * kLanes) {
    T lane[kLanes];
    std::fill_n(lane, kLanes, neutral<T, Kind>());
    int64_t i = first;
    for (; i + kLanes <= last; i += kLanes)
      for (int l = 0; l < kLanes; ++l) lane[l] = join<Kind>(lane[l], src[i + l]);
    for (int half = kLanes / 2; half; half /= 2)
      for (int l = 0; l < half; ++l) lane[l] = join<Kind>(lane[l], lane[l + half]);
    for (; i < last; ++i) lane[0] = join<Kind>(lane[0], src[i]);
    out[0] = lane[0];
    return;
  }
  T acc[F ? F : 1];
  T* total = F ? acc : out;
  for (int64_t f = 0; f < f_end; ++f) total[f] = neutral<T, Kind>();
  for (int64_t i = first; i < last; ++i)
    for (int64_t f = 0; f < f_end; ++f) total[f] = join<Kind>(total[f], src[i * f_end + f]);
  if (F)
    for (int64_t f = 0; f < f_end; ++f) out[f] = total[f];
}

template <int F, int Kind, class T>
void sorted_rows(const Task<T>& t, int64_t begin, int64_t end) {
  int64_t next = begin ? t.index[begin - 1] + 1 : 0;  // first segment not written yet
  for (int64_t i = begin; i < end;) {
    const int64_t id = t.index[i];
    int64_t last = i + 1;
    while (last < end && t.index[last] == id) ++last;
    std::fill(t.out + next * t.width, t.out + id * t.width, t.fill);
    reduce_run<F, Kind>(t.src, t.width, i, last, t.out + id * t.width);
    next = id + 1;
    i = last;
  }
  if (end == t.n) std::fill(t.out + next * t.width, t.out + t.segments * t.width, t.fill);
}

// Columns [f0, f1) of rows [first, last) into out (segments, width); false: an id out of range.
template <int F, int Kind, class T>
bool scatter(const Task<T>& t, int64_t first, int64_t last, int64_t f0, int64_t f1, T* out) {
  for (int64_t i = first; i < last; ++i) {
    const int64_t id = t.index[i];
    if (static_cast<uint64_t>(id) >= static_cast<uint64_t>(t.segments)) return false;
    if (F) {
      for (int f = 0; f < F; ++f)
        out[id * F + f] = join<Kind>(out[id * F + f], t.src[i * F + f]);
    } else {
      T* to = out + id * t.width;
      const T* from = t.src + i * t.width;
      for (int64_t f = f0; f < f1; ++f) to[f] = join<Kind>(to[f], from[f]);
    }
  }
  return true;
}

template <int F, int Kind, class T>
bool any_order(const Task<T>& t, int threads) {
  const int64_t size = t.segments * t.width;
  std::fill_n(t.out, size, neutral<T, Kind>());
  std::atomic<bool> good{true};
  const int64_t chunks = std::max<int64_t>(
      1, std::min({t.n / kChunkRows, t.n / (8 * std::max<int64_t>(t.segments, 1)), kMaxChunks}));
  if (chunks > 1) {
    std::vector<T> partial((chunks - 1) * size, neutral<T, Kind>());
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t c = 0; c < chunks; ++c) {
      T* out = c ? partial.data() + (c - 1) * size : t.out;
      if (!scatter<F, Kind>(t, t.n * c / chunks, t.n * (c + 1) / chunks, 0, t.width, out))
        good = false;
    }
    for (int64_t c = 1; c < chunks; ++c)
      for (int64_t i = 0; i < size; ++i)
        t.out[i] = join<Kind>(t.out[i], partial[(c - 1) * size + i]);
  } else if (threads > 1 && t.width >= kWide) {
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int p = 0; p < threads; ++p)
      if (!scatter<0, Kind>(t, 0, t.n, t.width * p / threads, t.width * (p + 1) / threads, t.out))
        good = false;
  } else {
    good = scatter<F, Kind>(t, 0, t.n, 0, t.width, t.out);
  }
  if (good && Kind != GEO_SUM) {  // a sum of nothing is neutral by itself
    std::vector<uint8_t> seen(t.segments, 0);
    for (int64_t i = 0; i < t.n; ++i) seen[t.index[i]] = 1;
    for (int64_t s = 0; s < t.segments; ++s)
      if (!seen[s]) std::fill_n(t.out + s * t.width, t.width, t.fill);
  }
  return good;
}

template <int F, int Kind, class T>
int32_t reduce(const Task<T>& t, int threads) {
  if (!ascending(t.index, t.n)) return any_order<F, Kind>(t, threads) ? GEO_OK : GEO_ID_RANGE;
  if (t.n && (t.index[0] < 0 || t.index[t.n - 1] >= t.segments)) return GEO_ID_RANGE;
#pragma omp parallel for num_threads(threads) schedule(static)
  for (int p = 0; p < threads; ++p) {
    const auto run_start = [&](int64_t row) {
      if (row == 0 || row == t.n) return row;
      return std::upper_bound(t.index + row - 1, t.index + t.n, t.index[row - 1]) - t.index;
    };
    sorted_rows<F, Kind>(t, run_start(t.n * p / threads), run_start(t.n * (p + 1) / threads));
  }
  return GEO_OK;
}

template <int Kind, class T>
int32_t by_width(const Task<T>& t, int threads) {
  switch (t.width) {
    case 1: return reduce<1, Kind>(t, threads);
    case 2: return reduce<2, Kind>(t, threads);
    case 3: return reduce<3, Kind>(t, threads);
    case 4: return reduce<4, Kind>(t, threads);
    case 8: return reduce<8, Kind>(t, threads);
    default: return reduce<0, Kind>(t, threads);
  }
}

template <class T>
int32_t segment_reduce(GEO_SEGMENT_REDUCE(T)) {
  if (n < 0 || width < 0 || segments < 0 || threads < 1) return GEO_BAD_ARGUMENT;
  if (n * width < kSerial) threads = 1;
  const T empty = kind == GEO_SUM ? T(0) : static_cast<T>(fill);
  const Task<T> task{src, n, width, index, segments, empty, out};
  return guarded([&] {
    switch (kind) {
      case GEO_SUM: return by_width<GEO_SUM>(task, threads);
      case GEO_MIN: return by_width<GEO_MIN>(task, threads);
      case GEO_MAX: return by_width<GEO_MAX>(task, threads);
      default: return int32_t{GEO_BAD_ARGUMENT};
    }
  });
}

}  // namespace
}  // namespace geo

extern "C" int32_t geo_segment_reduce_f32(GEO_SEGMENT_REDUCE(float)) {
  return geo::segment_reduce<float>(src, n, width, index, segments, kind, fill, threads, out);
}
extern "C" int32_t geo_segment_reduce_f64(GEO_SEGMENT_REDUCE(double)) {
  return geo::segment_reduce<double>(src, n, width, index, segments, kind, fill, threads, out);
}
