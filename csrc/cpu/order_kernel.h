// The vector loops of the KD ordering: extent, selection, partition.
#pragma once

#include <cstdint>

#include "cpu/forest.h"
#include "cpu/isa.h"

namespace geo {

// The points of a graph as `dim` columns of floats, and a last one that holds their rows (int32).
struct Columns {
  float* data;
  int64_t stride;  // from one column to the next
  int dim;

  __attribute__((always_inline)) float* column(int d) const { return data + d * stride; }
};

// The left side of a split: coordinates below `value`, and the first `ties` of those equal to it.
struct Cut {
  int axis;
  float value;
  int64_t ties;
};

// Where the two sides of a split go: the left one upwards from `low`, the right one downwards from
// `high` (in reverse order, which no later step minds).
struct Room {
  int64_t low, low_end, high_begin, high;
};

// Values below another, and equal to it.
struct Tally {
  int64_t below, equal;
};

// Ordered points, leaf after leaf of 16 (see Tree): coord may be null.
struct Leaves {
  float* coord;
  int32_t* order;
};

// Everything is exact (comparisons only), so that each of these gives the same on every machine.
//   cut      the KD split of points [begin, begin + count): `left` of them are on its left
//   tally    points on the left of a cut value, and on it
//   split    moves points [begin, end) to their sides
//   order    the whole subtree of points [begin, begin + count): both columns are used up
GEO_PER_ISA(
  Cut cut(const Columns& points, int64_t begin, int64_t count, int64_t left, float* free);
  Tally tally(const float* column, int64_t count, float value);
  void split(const Columns& from, const Columns& to, int64_t begin, int64_t end, Cut cut,
             Room room);
  void order(const Columns& from, const Columns& to, int64_t begin, int64_t count,
             const Leaves& leaves);
)

constexpr int64_t kSubtree = 8192;  // points that order takes at most

}  // namespace geo
