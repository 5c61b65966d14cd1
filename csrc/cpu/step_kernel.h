// Steps are differences in colour between two pixels, each the Euclidean length of the difference of
// their channels; compiled once per instruction set.
#pragma once

#include <cstdint>

#include "cpu/isa.h"

namespace geo {

// Colours a and b of n pairs of pixels, 1 to 4 channels, `stride` floats from one to the next; out
// (n), the length of a - b of each pair.
struct Steps {
  const float *a, *b;
  int64_t stride, n;
  int channels;
  float* out;
};

GEO_PER_ISA(void steps(const Steps& task);)

}  // namespace geo
