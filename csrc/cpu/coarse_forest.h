// The coarse copy of all graphs of a forest, see coarse.h.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "cpu/array.h"
#include "cpu/bundle_kernel.h"
#include "cpu/team.h"

namespace geo {

template <class T>
struct CoarseForest {
  std::vector<CoarseTree<T>> tree;  // (B), or empty: none
  Array<uint32_t> coord, box;

  // Call inside a team.
  void build(const Forest<T>& forest, T radius);

  const CoarseTree<T>* of(int64_t b) const {
    return tree.empty() || tree[b].frame.per_unit == T(0) ? nullptr : &tree[b];
  }
};

// Around the median of a sample, which a few points far away do not move, in the finest unit in
// which 15 of 16 points of the sample, and an eighth more room, are inside. None (per_unit 0)
// where more than an eighth would be clamped, or the radius is no number to divide by.
template <class T>
CoarseFrame<T> coarse_frame(const Tree<T>& tree, int dim, T radius) {
  constexpr int64_t kLooked = 256;
  constexpr T kFinest = kCoarseFinest;
  CoarseFrame<T> frame{}, none{};
  const T unit = radius / kCoarseRadius;
  const int64_t number = std::min(tree.leaves, kLooked);
  if (number == 0 || !std::isnormal(unit) || !std::isnormal(kFinest / unit)) return none;
  frame.limit = static_cast<int32_t>(std::sqrt(2147483647.0 / dim));
  T sample[kLooked], sorted[kLooked], far[kLooked] = {};
  for (int d = 0; d < dim; ++d) {
    for (int64_t k = 0; k < number; ++k)
      sample[k] = tree.coord[(tree.leaves * k / number * dim + d) * kLeaf];
    std::copy_n(sample, number, sorted);
    std::nth_element(sorted, sorted + number / 2, sorted + number);
    frame.middle[d] = sorted[number / 2];
    for (int64_t k = 0; k < number; ++k)
      far[k] = std::max(far[k], std::abs(sample[k] - frame.middle[d]));
  }
  std::sort(far, far + number);
  const T farthest = static_cast<T>(frame.limit / 2);
  // all in one place: infinite, and so the finest
  const T times = farthest / (far[number - 1 - number / 16] * T(1.125) / unit);
  frame.per_unit = (times > T(1) ? std::min(times, kFinest) : T(1)) / unit;
  return far[number - 1 - number / 8] * frame.per_unit > farthest ? none : frame;
}

template <class T>
void CoarseForest<T>::build(const Forest<T>& forest, T radius) {
  constexpr int64_t kSome = 128;  // leaves, or halves of groups, of one task
  const int dim = forest.dim;
  const int64_t size = coarse_pairs(dim) * kLeaf, lanes = static_cast<int64_t>(dim) * kLeaf;
  if (dim < kCoarseFrom || isa() == Isa::baseline || forest.leaves() == 0) return;
  coord.reset(forest.leaves() * size);
  box.reset(forest.group_begin.back() * 2 * size);
  tree.resize(forest.graphs);
  for (int64_t b = 0; b < forest.graphs; ++b) {
    const Tree<T> t = forest.tree(b);
    CoarseTree<T>& c = tree[b];
    c = {coarse_frame(t, dim, radius), coord.data() + forest.leaf_begin[b] * size, {}};
    const T* first_box = forest.box.data() + forest.group_begin[b] * 2 * lanes;
    uint32_t* first = box.data() + forest.group_begin[b] * 2 * size;
    for (int k = 0; k < t.levels; ++k) c.box[k] = first + (t.box[k] - first_box) / lanes * size;
    if (c.frame.per_unit == T(0)) continue;
    const auto each = [&](const T* from, int64_t count, uint32_t* to) {
      const int64_t parts = (count + kSome - 1) / kSome;
      in_tasks(parts, [&](int64_t k) {
        GEO_RUN(coarsen, from + k * kSome * lanes, dim, std::min(kSome, count - k * kSome), c.frame,
                to + k * kSome * size);
      });
    };
    each(t.coord, t.leaves, c.coord);
    each(first_box, (forest.group_begin[b + 1] - forest.group_begin[b]) * 2, first);
  }
}

}  // namespace geo
