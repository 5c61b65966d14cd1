// Rows that lie anywhere in a caller's array, fetched and written back. Compiled once per
// instruction set.
#pragma once

#include <cstdint>

#include "cpu/isa.h"

namespace geo {

constexpr int64_t kAhead = 32;  // rows to ask memory for before they are needed

// Copies rows of points (.., D), of which there are at least one, one after the other, and bounds
// them (2, D); lower corners are NaN where a coordinate is not finite. `row` goes on for kAhead.
GEO_PER_ISA(
  void gather_rows(const float* points, int dim, const int32_t* row, int64_t count, float* to,
                   float* box);
  void gather_rows(const double* points, int dim, const int32_t* row, int64_t count, double* to,
                   double* box);
)

// The way back: `unit` times rows that lie one after the other. Here too `row` goes on for kAhead.
GEO_PER_ISA(
  void scatter_rows(const float* from, int dim, const int32_t* row, int64_t count, float unit,
                    float* points);
  void scatter_rows(const double* from, int dim, const int32_t* row, int64_t count, double unit,
                    double* points);
)

}  // namespace geo
