// The inner loop of superpixels; compiled once per instruction set.
#pragma once

#include <cstdint>

#include "cpu/isa.h"

namespace geo {

constexpr int64_t kSlicPad = 16;  // pixels of a cell are padded to a multiple of it: whole vectors

// Offers a centre to n pixels: where |colour|^2 + scale |position|^2 is less than `best`, that is
// replaced and `slot` becomes `number`. value (channels + 2, n): channels, x, y; center the same.
struct Offer {
  const float* value;
  int64_t n;
  int channels;
  const float* center;
  float scale, number;
  float *best, *slot;
};

GEO_PER_ISA(void offer(const Offer& task);)

}  // namespace geo
