// The loop points of a graph and their boxes once more, in 16-bit integers: half of the bytes and
// half of the operations where only "surely out of reach" is asked.
//
// Coordinates are counted in units of a frame, from radius / 128 down to radius / 2048, of which
// limit / 2 is its middle, rounded to nearest and clamped to [0, limit], where limit is the largest for
// which no sum of squares leaves 32 bits. Clamping brings points closer and rounding moves a
// difference by no more than one unit, so that points within a distance are within
// distance / unit + sqrt(D) here. What is clamped is tested less sharply, never wrongly.
#pragma once

#include <cstdint>

#include "cpu/forest.h"

namespace geo {

constexpr int kCoarseFrom = 5;      // dimensions: below, boxes are tested and not balls
constexpr int kCoarseRadius = 128;  // units in a radius, at least
constexpr int kCoarseFinest = 16;   // times as many, at most: where points lie close together

inline constexpr int coarse_pairs(int dim) { return (dim + 1) / 2; }

// Where the integers of one graph have their middle, limit / 2, and how large their unit is.
template <class T>
struct CoarseFrame {
  T middle[kMaxDim];
  T per_unit;   // units in a length of 1; 0: no coarse copy
  int32_t limit;
};

// Dimensions come in pairs, both of a lane in 32 bits (the last alone where D is odd).
template <class T>
struct CoarseTree {
  CoarseFrame<T> frame;
  uint32_t* coord;           // (L, pairs, 16)
  uint32_t* box[kMaxLevels];  // each (groups, 2, pairs, 16), one level after the other
};

}  // namespace geo
