// A point set as the pair kernel wants it: its trees, ids and weights per lane; and the way back.
#pragma once

#include <cstdint>
#include <vector>

#include "cpu/pair_kernel.h"

namespace geo {

// One set as the caller gives it; see GEO_POTENTIAL in api.h.
template <class T>
struct PointSet {
  const T* points;
  int64_t n;
  const int64_t* ptr;
  const int64_t* id;
  const T* weight;
  T* grad;
};

template <class T>
struct Planted {
  using Id = typename LaneInt<T>::type;

  Forest<T> forest;
  std::vector<int64_t> graph;  // (L) graph of each leaf
  Array<Id> id;                // (L, 16) or empty
  Array<T> weight;             // (L, 16) or empty

  // False if an id does not fit its lane. Call inside a team.
  bool plant_set(const PointSet<T>& set, int dim, int64_t graphs, bool with_weight, int threads);

  // Ids and weights of one leaf.
  bool carry(const PointSet<T>& set, int64_t leaf);

  // One graph, adding to `gradient` (all leaves, D, 16) or to none.
  Side<T> side(int64_t b, T* gradient) const {
    const int64_t lane = forest.leaf_begin[b] * kLeaf;
    return {forest.tree(b), id.empty() ? nullptr : id.data() + lane,
            weight.empty() ? nullptr : weight.data() + lane,
            gradient ? gradient + lane * forest.dim : nullptr};
  }

  // `unit` times the sum of all `parts` (L, D, 16), from lanes back to the caller's rows.
  void scatter(const std::vector<const T*>& parts, T unit, int threads,
               const PointSet<T>& set) const;

  // Whether a point of any graph was not finite.
  bool any_dropped() const;
};

}  // namespace geo
