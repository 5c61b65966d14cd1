// Differences in colour between pixels; compiled once per instruction set.
#pragma once

#include <cstdint>

#include "cpu/isa.h"

namespace geo {

// Lengths of a - b: a and b (channels, n), the rows of a channel `stride` apart; out (n).
struct Steps {
  const float *a, *b;
  int64_t stride, n;
  int channels;
  float* out;
};

GEO_PER_ISA(void steps(const Steps& task);)

}  // namespace geo
