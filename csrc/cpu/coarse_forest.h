// The coarse copy of all graphs of a forest, see coarse.h.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "cpu/array.h"
#include "cpu/coarse.h"

namespace geo {

template <class T>
struct CoarseForest {
  std::vector<CoarseTree<T>> tree;  // (B), or empty: none
  Array<uint32_t> coord, box;

  void build(const Forest<T>& forest, T radius, int threads);

  const CoarseTree<T>* of(int64_t b) const {
    return tree.empty() || tree[b].frame.per_unit == T(0) ? nullptr : &tree[b];
  }
};

// Around the median of a sample, which a few points far away do not move. None (per_unit 0) where
// more than an eighth would be clamped, or the radius is no number to divide by.
template <class T>
CoarseFrame<T> coarse_frame(const Tree<T>& tree, int dim, T radius) {
  constexpr int64_t kSampled = 256;
  CoarseFrame<T> frame{}, none{};
  const T unit = radius / kCoarseRadius;
  const int64_t number = std::min(tree.leaves, kSampled);
  if (number == 0 || !std::isnormal(unit) || !std::isnormal(T(1) / unit)) return none;
  frame.per_unit = T(1) / unit;
  frame.limit = static_cast<int32_t>(std::sqrt(2147483647.0 / dim));
  const T farthest = static_cast<T>(frame.limit / 2);
  T sample[kSampled], sorted[kSampled];
  bool clamped[kSampled] = {};
  for (int d = 0; d < dim; ++d) {
    for (int64_t k = 0; k < number; ++k)
      sample[k] = tree.coord[(tree.leaves * k / number * dim + d) * kLeaf];
    std::copy_n(sample, number, sorted);
    std::nth_element(sorted, sorted + number / 2, sorted + number);
    frame.middle[d] = sorted[number / 2];
    for (int64_t k = 0; k < number; ++k)
      clamped[k] |= std::abs(sample[k] - frame.middle[d]) * frame.per_unit > farthest;
  }
  return 8 * std::count(clamped, clamped + number, true) > number ? none : frame;
}

template <class T>
void CoarseForest<T>::build(const Forest<T>& forest, T radius, int threads) {
  constexpr int64_t kSome = 64;  // groups
  const int dim = forest.dim;
  const int64_t size = coarse_pairs(dim) * kLeaf;
  if (dim < kCoarseFrom || isa() == Isa::baseline || forest.leaves() == 0) return;
  int64_t groups = 0;
  for (int64_t b = 0; b < forest.graphs; ++b) groups += (forest.leaves_of(b) + kLeaf - 1) / kLeaf;
  coord.reset(forest.leaves() * size);
  box.reset(groups * 2 * size);
  tree.resize(forest.graphs);
  groups = 0;
  for (int64_t b = 0; b < forest.graphs; ++b) {
    const Tree<T> t = forest.tree(b);
    tree[b] = {coarse_frame(t, dim, radius), coord.data() + forest.leaf_begin[b] * size,
               box.data() + groups * 2 * size};
    groups += (t.leaves + kLeaf - 1) / kLeaf;
    if (tree[b].frame.per_unit == T(0)) continue;
    const int64_t parts = (t.leaves + kSome * kLeaf - 1) / (kSome * kLeaf);
#pragma omp parallel for num_threads(threads) schedule(static) if (threads > 1 && parts > 8)
    for (int64_t k = 0; k < parts; ++k)
      GEO_RUN(coarsen, t, dim, k * kSome * kLeaf, std::min(t.leaves, (k + 1) * kSome * kLeaf),
              tree[b]);
  }
}

}  // namespace geo
