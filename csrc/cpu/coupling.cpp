// The capacity coupling, one graph per thread.
#include "api.h"
#include "cpu/array.h"
#include "cpu/coupling_kernel.h"
#include "cpu/team.h"

namespace geo {
namespace {

template <class Scratch, class T>
bool run(const T* affinity, int64_t rows, int64_t width, const CouplingSchedule& schedule,
         T* weight) {
  Array<Scratch> scratch(coupling_scratch(rows, width));
  return GEO_RUN(couple, affinity, rows, width, schedule, scratch.data(), weight);
}

// In float where that is enough, which is as good as always; see Range in coupling_kernel.cpp.
inline void one_graph(const float* affinity, int64_t rows, int64_t width,
                      const CouplingSchedule& schedule, float* weight) {
  if (!run<float>(affinity, rows, width, schedule, weight))
    run<double>(affinity, rows, width, schedule, weight);
}
inline void one_graph(const double* affinity, int64_t rows, int64_t width,
                      const CouplingSchedule& schedule, double* weight) {
  run<double>(affinity, rows, width, schedule, weight);
}

template <class T>
int32_t coupling(GEO_COUPLING(T)) {
  if (rows < 0 || width < 0 || graphs < 0 || threads < 1 || iterations < 1 || !(tau > 0) ||
      !(tau_start > 0) || !(max_temperature > 0))
    return GEO_BAD_ARGUMENT;
  const CouplingSchedule schedule{tau, tau_start, max_temperature, iterations};
  return guarded([&] {
    deal_out(graphs, threads, [&](int64_t b) {
      const int64_t first = row_ptr ? row_ptr[b] : 0, last = row_ptr ? row_ptr[b + 1] : rows;
      if (last > first && width > 0)
        one_graph(affinity + first * width, last - first, width, schedule,
                  weight + first * width);
    });
    return int32_t{GEO_OK};
  });
}

}  // namespace
}  // namespace geo

extern "C" int32_t geo_coupling_f32(GEO_COUPLING(float)) {
  return geo::coupling<float>(affinity, rows, width, graphs, row_ptr, tau, tau_start,
                              max_temperature, iterations, threads, weight);
}
extern "C" int32_t geo_coupling_f64(GEO_COUPLING(double)) {
  return geo::coupling<double>(affinity, rows, width, graphs, row_ptr, tau, tau_start,
                               max_temperature, iterations, threads, weight);
}
