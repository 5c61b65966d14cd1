// The capacity coupling of one graph; compiled once per instruction set.
#pragma once

#include <cstdint>

#include "cpu/isa.h"

namespace geo {

// affinity (K, M) -> weight (K, M); see geo_coupling_* of api.h.
struct CouplingSchedule {
  double tau, tau_start, max_temperature;
  int32_t iterations;
};

constexpr int64_t kCouplingPad = 16;

// Numbers of scratch that a graph needs.
inline int64_t coupling_scratch(int64_t rows, int64_t width) {
  const int64_t padded = (width + kCouplingPad - 1) / kCouplingPad * kCouplingPad;
  return (2 * rows + 4) * padded;
}

// Computed in the type of the scratch. false: that is not enough for this graph (float alone).
GEO_PER_ISA(
  bool couple(const float* affinity, int64_t rows, int64_t width, const CouplingSchedule& schedule,
              float* scratch, float* weight);
  bool couple(const float* affinity, int64_t rows, int64_t width, const CouplingSchedule& schedule,
              double* scratch, float* weight);
  bool couple(const double* affinity, int64_t rows, int64_t width,
              const CouplingSchedule& schedule, double* scratch, double* weight);
)

}  // namespace geo
