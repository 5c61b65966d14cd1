// Points of every graph in KD order, cut into leaves of 16, under a 16-ary tree of boxes.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "cpu/array.h"

namespace geo {

constexpr int kLeaf = 16;       // points in a leaf, and children of a node
constexpr int kMaxLevels = 8;   // 16^8 leaves and more points than 32 bits can number
constexpr int kMaxDim = 64;

// Leaves on the left side of a KD split of `leaves` > 1: about half, and whole blocks of 16^k, so
// that every aligned block of 16^k leaves is one cell of the KD-tree.
inline __attribute__((always_inline)) int64_t left_leaves(int64_t leaves) {
  int64_t unit = 1;
  while (unit * kLeaf < leaves) unit *= kLeaf;
  const int64_t units = (leaves / 2 + unit / 2) / unit;
  return (units ? units : 1) * unit;
}

// The tree of one graph. Level 0 bounds leaves, level k blocks of 16^k leaves; 16 consecutive boxes
// are one group (2, D, 16): lower corners, then upper ones, a lane each. The top level is one group.
// Missing children have corners (+inf, -inf): infinitely far from everything.
template <class T>
struct Tree {
  const T* coord;        // (L, D, 16) points; unused lanes repeat the first point of the leaf
  const int32_t* order;  // (L, 16) row within the graph, -1 in unused lanes
  const T* box[kMaxLevels];
  const int32_t* first[kMaxLevels];  // smallest row below each box: ties are broken by row
  int levels;
  int64_t leaves;
  int64_t points;
};

// Squared distances (16) of a point (D) to the points of a leaf.
template <class T>
inline void leaf_distance2(const Tree<T>& tree, int dim, int64_t leaf, const T* point, T* d2) {
  const T* coord = tree.coord + leaf * dim * kLeaf;
  for (int l = 0; l < kLeaf; ++l) d2[l] = T(0);
  for (int d = 0; d < dim; ++d)
    for (int l = 0; l < kLeaf; ++l) {
      const T delta = coord[d * kLeaf + l] - point[d];
      d2[l] += delta * delta;
    }
}

template <class T>
struct Forest {
  int dim = 0;                       // D
  int64_t graphs = 0;                // B
  std::vector<int64_t> base;         // (B) first row of the graph in the caller's array
  std::vector<int64_t> count;        // (B) points kept
  std::vector<int64_t> leaf_begin;   // (B + 1) first leaf of the graph
  std::vector<int64_t> group_begin;  // (B + 1) first group of boxes of the graph
  Array<int32_t> order;              // all leaves, see Tree
  Array<T> coord;
  Array<T> box;                      // (groups, 2, D, 16), level after level in each graph
  Array<int32_t> first;              // (groups, 16), in the order of box
  std::vector<uint8_t> dropped;      // (B) whether a point that is not finite was left out

  int64_t leaves() const { return leaf_begin.back(); }
  int64_t leaves_of(int64_t b) const { return leaf_begin[b + 1] - leaf_begin[b]; }

  // (L) the graph of each leaf
  std::vector<int64_t> graph_of_leaf() const {
    std::vector<int64_t> graph(leaves());
    for (int64_t b = 0; b < graphs; ++b)
      std::fill(graph.begin() + leaf_begin[b], graph.begin() + leaf_begin[b + 1], b);
    return graph;
  }

  Tree<T> tree(int64_t b) const {
    const int64_t lane = leaf_begin[b] * kLeaf;
    Tree<T> t{coord.data() + lane * dim, order.data() + lane, {}, {}, 0, leaves_of(b), count[b]};
    const T* groups = box.data() + group_begin[b] * 2 * dim * kLeaf;
    const int32_t* rows = first.data() + group_begin[b] * kLeaf;
    for (int64_t n = t.leaves; n > 0;) {
      n = (n + kLeaf - 1) / kLeaf;
      t.first[t.levels] = rows;
      t.box[t.levels++] = groups;
      groups += n * 2 * dim * kLeaf;
      rows += n * kLeaf;
      if (n == 1) break;
    }
    return t;
  }
};

// Whether points of these sizes can be planted; rows are numbered by 32 bits.
inline bool plantable(int64_t n, int dim, int64_t graphs, int threads) {
  return n >= 0 && n <= std::numeric_limits<int32_t>::max() && dim >= 1 && dim <= kMaxDim &&
         graphs >= 0 && threads >= 1;
}

// points (N, D); ptr (B + 1) or null; weight (N) or null: zero weights are left out.
// The result does not depend on the number of threads.
template <class T>
Forest<T> plant(const T* points, int64_t n, int dim, int64_t graphs, const int64_t* ptr,
                const T* weight, int threads);

// The same inside a team (see team.h), beside other work.
template <class T>
Forest<T> plant_in_team(const T* points, int64_t n, int dim, int64_t graphs, const int64_t* ptr,
                        const T* weight, int threads);

}  // namespace geo
