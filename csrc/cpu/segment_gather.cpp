// Rows of segments handed back to their members, and the sizes of segments.
#include <algorithm>
#include <atomic>

#include "api.h"

namespace geo {
namespace {

constexpr int64_t kSerial = 1 << 15;  // numbers that are not worth a second thread

template <class T>
int32_t segment_gather(GEO_SEGMENT_GATHER(T)) {
  if (n < 0 || width < 0 || segments < 0 || threads < 1) return GEO_BAD_ARGUMENT;
  if (n * width < kSerial) threads = 1;
  std::atomic<bool> good{true};
#pragma omp parallel for num_threads(threads) schedule(static)
  for (int p = 0; p < threads; ++p) {
    for (int64_t i = n * p / threads; i < n * (p + 1) / threads; ++i) {
      const int64_t id = index[i];
      if (static_cast<uint64_t>(id) >= static_cast<uint64_t>(segments)) {
        good = false;
        break;
      }
      if (width == 1)
        out[i] = values[id];
      else
        std::copy_n(values + id * width, width, out + i * width);
    }
  }
  return good ? GEO_OK : GEO_ID_RANGE;
}

}  // namespace
}  // namespace geo

extern "C" int32_t geo_segment_gather_f32(GEO_SEGMENT_GATHER(float)) {
  return geo::segment_gather<float>(values, segments, width, index, n, threads, out);
}
extern "C" int32_t geo_segment_gather_f64(GEO_SEGMENT_GATHER(double)) {
  return geo::segment_gather<double>(values, segments, width, index, n, threads, out);
}

extern "C" int32_t geo_segment_count(const int64_t* index, int64_t n, int64_t segments,
                                     int64_t* count) {
  if (n < 0 || segments < 0) return GEO_BAD_ARGUMENT;
  std::fill_n(count, segments, int64_t{0});
  for (int64_t i = 0; i < n; ++i) {
    if (static_cast<uint64_t>(index[i]) >= static_cast<uint64_t>(segments)) return GEO_ID_RANGE;
    ++count[index[i]];
  }
  return GEO_OK;
}
