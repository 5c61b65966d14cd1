// Greedy suppression: every kept point removes the living points within its radius from the tree.
// Each point is removed once and dead subtrees are skipped, so that coincident points cost O(N).
#include <algorithm>
#include <vector>

#include "api.h"
#include "cpu/forest.h"
#include "cpu/team.h"

namespace geo {
namespace {

// The living points of one graph's tree.
template <class T>
class Thinning {
 public:
  Thinning(const Forest<T>& f, int64_t graph, T radius)
      : tree_(f.tree(graph)), dim_(f.dim), base_(f.base[graph]), radius2_(radius * radius) {
    living_.resize(tree_.leaves);
    for (int64_t l = 0; l < tree_.leaves; ++l)
      living_[l] = static_cast<uint16_t>((1u << std::min<int64_t>(kLeaf, tree_.points - l * kLeaf)) - 1u);
    int64_t boxes = tree_.leaves;
    for (int level = 0; level < tree_.levels; ++level, boxes = (boxes + kLeaf - 1) / kLeaf) {
      alive_[level].assign(boxes, 0);
      for (int64_t i = 0; i < boxes; ++i) {
        const int64_t first = (i << (4 * level)) * kLeaf, size = (int64_t{kLeaf}) << (4 * level);
        alive_[level][i] = static_cast<int32_t>(std::min(size, tree_.points - first));
      }
    }
  }

  // Marks all living points within the radius of a point (D) as dead; calls dead(row).
  template <class F>
  void remove_around(const T* point, F dead) {
    if (tree_.leaves) remove(tree_.levels - 1, 0, point, dead);
  }

 private:
  // Squared distance of a point to box `slot` of a group.
  T box_distance2(const T* group, int slot, const T* point) const {
    T total = T(0);
    for (int d = 0; d < dim_; ++d) {
      const T low = group[d * kLeaf + slot], high = group[(dim_ + d) * kLeaf + slot];
      const T gap = std::max(std::max(low - point[d], point[d] - high), T(0));
      total += gap * gap;
    }
    return total;
  }

  template <class F>
  int32_t remove(int level, int64_t number, const T* point, F& dead) {
    const T* group = tree_.box[level] + number * 2 * dim_ * kLeaf;
    const int64_t boxes = static_cast<int64_t>(alive_[level].size());
    int32_t total = 0;
    for (int64_t i = number * kLeaf; i < std::min(boxes, (number + 1) * kLeaf); ++i) {
      if (alive_[level][i] == 0) continue;
      if (box_distance2(group, static_cast<int>(i % kLeaf), point) > radius2_) continue;
      const int32_t removed =
          level ? remove(level - 1, i, point, dead) : remove_from_leaf(i, point, dead);
      alive_[level][i] -= removed;
      total += removed;
    }
    return total;
  }

  template <class F>
  int32_t remove_from_leaf(int64_t leaf, const T* point, F& dead) {
    T d2[kLeaf];
    leaf_distance2(tree_, dim_, leaf, point, d2);
    int32_t removed = 0;
    for (int l = 0; l < kLeaf; ++l) {
      if (!((living_[leaf] >> l) & 1) || !(d2[l] <= radius2_)) continue;
      living_[leaf] = static_cast<uint16_t>(living_[leaf] & ~(1u << l));
      ++removed;
      dead(base_ + tree_.order[leaf * kLeaf + l]);
    }
    return removed;
  }

  Tree<T> tree_;
  int dim_;
  int64_t base_;
  T radius2_;
  std::vector<int32_t> alive_[kMaxLevels];  // living points below each box
  std::vector<uint16_t> living_;            // (leaves) bit per lane
};

template <class T>
int32_t suppress(GEO_SUPPRESS(T)) {
  if (!plantable(n, dim, graphs, threads) || !(radius >= 0)) return GEO_BAD_ARGUMENT;
  return guarded([&] {
    const Forest<T> forest = plant<T>(points, n, dim, graphs, ptr, nullptr, threads);
    std::fill_n(keep, n, uint8_t{1});
    deal_out(graphs, threads, [&](int64_t b) {
      Thinning<T> thinning(forest, b, static_cast<T>(radius));
      const int64_t end = ptr ? ptr[b + 1] : n;
      for (int64_t i = forest.base[b]; i < end; ++i) {
        const int64_t row = visit[i];
        if (!keep[row]) continue;
        thinning.remove_around(points + row * dim, [&](int64_t other) { keep[other] = 0; });
        keep[row] = 1;
      }
    });
    return GEO_OK;
  });
}

}  // namespace
}  // namespace geo

extern "C" int32_t geo_suppress_f32(GEO_SUPPRESS(float)) {
  return geo::suppress<float>(points, n, dim, graphs, ptr, visit, radius, threads, keep);
}
extern "C" int32_t geo_suppress_f64(GEO_SUPPRESS(double)) {
  return geo::suppress<double>(points, n, dim, graphs, ptr, visit, radius, threads, keep);
}
