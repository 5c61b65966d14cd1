// The inner loop of the potential: all pairs between ranges of leaves, the lanes, and the loop
// points of a graph.
#pragma once

#include <cstdint>

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

GEO_PER_ISA(
  void pairs(PairTask<float>& task);
  void pairs(PairTask<double>& task);
)

}  // namespace geo
