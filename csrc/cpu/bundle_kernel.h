// The inner loop of the potential where instances lie close together: bundles of their points.
#pragma once

#include <cstdint>

#include "cpu/coarse.h"
#include "cpu/pair_kernel.h"

namespace geo {

constexpr int kMostBlocks = 4;  // of 16 bundles, that go down the tree together: bits of a uint64_t
constexpr int64_t kMostLoop = int64_t{1} << 28;  // loop points: leaf * 64 + bundle has 31 bits

// The pairs of bundles of points, the lanes, with all loop points of a graph, for blocks of 16
// bundles. The gradient of a bundle takes the place of its points.
template <class T>
struct BundleTask {
  T* points;                            // (rows, D)
  const int32_t* row;                   // (rows) in the caller's array
  const int32_t* first;                 // (blocks, 16) of its rows
  const uint8_t* count;                 // (blocks, 16) of its rows, up to 16; 0: no bundle
  const typename LaneInt<T>::type* id;  // (blocks, 16)
  const T* weight;                      // (blocks, 16, 16) or null: 1
  int64_t base;                         // first row of the graph
  Side<T> q;
  const CoarseTree<T>* coarse;  // of q, or null
  Hinge<T> hinge;
  int dim;
  bool swapped;
  int64_t begin, end;  // blocks
  T* lanes;            // (kMostBlocks, 16, D, 16), of which D < 5 uses the first block
  T* scratch;          // the same; null without gradient
  double energy;
  int64_t active;
};

GEO_PER_ISA(
  void pairs(BundleTask<float>& task);
  void pairs(BundleTask<double>& task);
)

// Fills `to` (count, pairs, 16) from `from` (count, D, 16).
GEO_PER_ISA(
  void coarsen(const float* from, int dim, int64_t count, const CoarseFrame<float>& frame,
               uint32_t* to);
  void coarsen(const double* from, int dim, int64_t count, const CoarseFrame<double>& frame,
               uint32_t* to);
)

}  // namespace geo
