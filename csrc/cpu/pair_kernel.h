// The inner loop of the potential: all pairs between ranges of leaves, the lanes, and the loop
// points of a graph.
#pragma once

#include <cstdint>

#include "cpu/coarse.h"
#include "cpu/forest.h"
#include "cpu/isa.h"
#include "hinge.h"

namespace geo {

// Integer of a vector lane's size, for instance ids.
template <class T>
struct LaneInt;
template <>
struct LaneInt<float> {
  using type = int32_t;
};
template <>
struct LaneInt<double> {
  using type = int64_t;
};

// One side: the tree of one graph and what its lanes carry.
template <class T>
struct Side {
  Tree<T> tree;
  const typename LaneInt<T>::type* id;  // (L, 16) or null: all pairs
  const T* weight;                      // (L, 16) or null: 1
  T* grad;                              // (L, D, 16) added to, or null; see Hinge::grad_unit
};

// Leaves [begin, end) of p, below at most two groups of boxes of `level`: descents start there.
struct LeafRange {
  int64_t begin, end;
  int level;
};

// p is read 16 (or 8, 4, 2) lanes at a time, q point by point. Work of one task, all that a thread
// does for a graph: the pairs of the p leaves in the ranges, which ascend, with all of q, which is
// walked once. Where symmetric, p and q are the same points and every unordered pair is met once.
template <class T>
struct PairTask {
  Side<T> p;
  Side<T> q;
  Hinge<T> hinge;
  int dim;
  bool symmetric;
  bool swapped;  // p holds the second set of the call: only the sign at coincident points cares
  const LeafRange* ranges;
  int64_t range_count;
  T* scratch;  // (16, D, 16), one vector per q point and dimension; null without gradient
  double energy;
  int64_t active;
};

// The pairs of bundles of points, the lanes, with all loop points of a graph, for blocks of 16
// bundles. The gradient of a bundle takes the place of its points.
template <class T>
struct BundleTask {
  T* points;                            // (rows, D)
  const int32_t* row;                   // (rows) in the caller's array
  const int32_t* first;                 // (K) of its rows
  const uint8_t* count;                 // (K) of its rows, up to 16
  const typename LaneInt<T>::type* id;  // (K)
  const T* weight;                      // (K, 16) or null: 1
  int64_t base;                         // first row of the graph
  const int32_t* order;                 // (blocks, 16) bundles, -1 in unused lanes
  Side<T> q;
  const CoarseTree<T>* coarse;  // of q, or null
  Hinge<T> hinge;
  int dim;
  bool swapped;
  int64_t begin, end;  // blocks
  T* lanes;            // (16, D, 16)
  T* scratch;          // (16, D, 16); null without gradient
  double energy;
  int64_t active;
};

GEO_PER_ISA(
  void pairs(PairTask<float>& task);
  void pairs(PairTask<double>& task);
  void pairs(BundleTask<float>& task);
  void pairs(BundleTask<double>& task);
)

}  // namespace geo
