// The loop points within reach of each of 16 bundles. See simd.h for who may include this.
#pragma once

#include <cmath>

#include "cpu/boxes.h"
#include "cpu/pair_kernel.h"
#include "cpu/spread.h"
#include "cpu/unroll.h"

namespace geo {
namespace {

// A block of 16 bundles goes down the tree of the loop points together. In a leaf that is reached,
// the 16 points are tested against the box of each bundle at once; those that pass, but for points
// of the bundle's own instance, are listed.
template <int D, class T>
class BundleSearch {
 public:
  static constexpr int kRoom = 256;  // of a list

  using Flush = void (*)(void* tile, int l);

  int listed[kLeaf];
  int32_t list[kLeaf][kRoom];  // lanes of the loop side, all leaves counted through

  explicit BundleSearch(const BundleTask<T>& task)
      : q_(task.q),
        box_(task.box),
        id_(task.id),
        dim_(task.dim),
        // box tests round differently from distances: never to the harm of a pair
        slack_(T(1) + T(16 + 2 * task.dim) * (sizeof(T) == 4 ? T(6e-8) : T(2e-16))),
        reach2_(task.hinge.radius2 * slack_),
        radius_(task.hinge.radius),
        coord_(task.coord) {}

  // Fills the lists of a block's bundles (16; -1: none); calls flush(l), which empties it, for a
  // list that is full. A plain pointer: the search is compiled once for all tiles.
  void run(const int32_t* bundle, Flush flush, void* tile) {
    const int n = D ? D : dim_;
    T joint[D ? 2 * D : 2 * kMaxDim];
    for (int d = 0; d < 2 * n; ++d) {
      const T inf = static_cast<T>(__builtin_inff());
      T* row = boxes_ + d * kLeaf;
      for (int l = 0; l < kLeaf; ++l)
        row[l] = bundle[l] < 0 ? (d < n ? inf : -inf)
                               : box_[bundle[l] * (2 * static_cast<int64_t>(n)) + d];
      V end = S::load(row);
      for (int s = S::W; s < kLeaf; s += S::W)
        end = d < n ? S::min(end, S::load(row + s)) : S::max(end, S::load(row + s));
      joint[d] = d < n ? S::min_lane(end) : S::max_lane(end);
    }
    if (kBalls)
      for (int l = 0; l < kLeaf; ++l)
        if (bundle[l] >= 0) enclose(bundle[l], l);
    for (int l = 0; l < kLeaf; ++l) listed[l] = 0;
    flush_ = flush;
    tile_ = tile;
    descend(bundle, joint);
  }

 private:
  using S = Simd<T>;
  using V = typename S::V;
  static constexpr bool kBalls = D == 0 || D > 4;

  // Ball around the points of a bundle: in many dimensions testing it is half of the work of a box,
  // and hardly more points pass.
  void enclose(int64_t bundle, int l) {
    const int n = D ? D : dim_;
    const T* coord = coord_ + bundle * n * kLeaf;
    for (int d = 0; d < n; ++d) {
      const T low = boxes_[d * kLeaf + l], high = boxes_[(n + d) * kLeaf + l];
      centre_[d * kLeaf + l] = low + (high - low) / 2;
    }
    V farthest = S::set(T(0));
    for (int s = 0; s < kLeaf; s += S::W) {
      V total = S::set(T(0));
      for (int d = 0; d < n; ++d) {
        const V gap = S::load(coord + d * kLeaf + s) - S::set(centre_[d * kLeaf + l]);
        total = total + gap * gap;
      }
      farthest = S::max(farthest, total);
    }
    const T within = radius_ + std::sqrt(S::max_lane(farthest));
    within2_[l] = within * within * slack_;
  }

  // Down the tree of the loop points with the bundles that reach each of its boxes.
  void descend(const int32_t* bundle, const T* joint) {
    const int n = D ? D : dim_;
    const Tree<T>& tree = q_.tree;
    const int64_t group_size = 2 * static_cast<int64_t>(n) * kLeaf;
    struct {
      Visit at;
      uint32_t bundles;
    } stack[kMaxLevels * kLeaf];
    int depth = 0;
    stack[depth++] = {{tree.levels - 1, 0}, 0xffffu};
    T d2[kLeaf];
    while (depth) {
      const auto [v, bundles] = stack[--depth];
      const T* group = tree.box[v.level] + v.group * group_size;
      if (kBalls && v.level == 0) {  // few bundles are left: what all of them reach says little
        leaves_of_each(group, v.group, bundles);
        if (tests_ > kLeaf * kLeaf) points(bundle);
        continue;
      }
      boxes_distance2<D>(group, joint, n, d2);
      uint32_t near = at_most(d2, reach2_);
      if (v.level > 0) {
        for (; near; near &= near - 1) {
          const int slot = __builtin_ctz(near);
          const uint32_t some = bundles & boxes_within<D>(boxes_, group, slot, n, reach2_);
          if (some) stack[depth++] = {{v.level - 1, v.group * kLeaf + slot}, some};
        }
        continue;
      }
      if (__builtin_popcount(bundles) < __builtin_popcount(near)) {  // whichever are fewer
        leaves_of_each(group, v.group, bundles);
      } else {
        const int32_t first = static_cast<int32_t>(v.group * kLeaf);
        for (; near; near &= near - 1) {
          const int slot = __builtin_ctz(near);
          test(bundles & boxes_within<D>(boxes_, group, slot, n, reach2_),
               (first + slot) * kLeaf, 1);
        }
      }
      if (tests_ > kLeaf * kLeaf) points(bundle);
    }
    points(bundle);
  }

  // The leaves of a group, each bundle by itself.
  GEO_INLINE void leaves_of_each(const T* group, int64_t number, uint32_t bundles) {
    const int n = D ? D : dim_;
    const int32_t first = static_cast<int32_t>(number * kLeaf);
    for (; bundles; bundles &= bundles - 1) {
      const int l = __builtin_ctz(bundles);
      test(boxes_within<D>(group, boxes_, l, n, reach2_), first * kLeaf + l, kLeaf);
    }
  }

  // Puts leaf * 16 + bundle on the list of tests: from + step * bit for each bit.
  GEO_INLINE void test(uint32_t bits, int32_t from, int32_t step) {
    tests_ += spread_bits(bits, from, step, test_ + tests_);
  }

  // Lists the points of the leaves that are waiting. Step by step: few of these conditions can be
  // foreseen, and so no vector operation waits for one.
  void points(const int32_t* bundle) {
    const int n = D ? D : dim_;
    const int tests = tests_;
    int hits = 0;
    tests_ = 0;
    for (int i = 0; i < tests; ++i) {
      const int64_t ql = test_[i] / kLeaf;
      const int l = test_[i] % kLeaf;
      const T* q = q_.tree.coord + ql * n * kLeaf;
      const uint32_t in = kBalls ? points_near<D>(q, centre_, l, n, within2_[l])
                                 : points_within<D>(q, boxes_, l, n, reach2_);
      test_[hits] = test_[i];
      hit_mask_[hits] = in;
      hits += in != 0;
    }
    for (int i = 0; i < hits; ++i) {
      const int64_t ql = test_[i] / kLeaf;
      const int l = test_[i] % kLeaf;
      const auto* qid = q_.id + ql * kLeaf;
      const auto id = id_[bundle[l]];
      if (listed[l] + kLeaf > kRoom) flush_(tile_, l);
      const uint32_t in = hit_mask_[i] & first_lanes(q_.tree.points - ql * kLeaf);
      uint32_t others = 0;
      for (int s = 0; s < kLeaf; s += S::W)
        others |= S::bits(S::differs(S::lanes((in >> s) & ((1u << S::W) - 1)), qid + s, id)) << s;
      listed[l] += spread_bits(others, static_cast<int32_t>(ql * kLeaf), 1, list[l] + listed[l]);
    }
  }

  const Side<T>& q_;
  const T* box_;
  const typename LaneInt<T>::type* id_;
  const int dim_;
  const T slack_, reach2_, radius_;
  const T* coord_;  // of the bundles
  Flush flush_ = nullptr;
  void* tile_ = nullptr;
  T boxes_[2 * (D ? D : kMaxDim) * kLeaf];  // of the block's bundles, a lane each
  T centre_[(D ? D : kMaxDim) * kLeaf], within2_[kLeaf];  // of the balls around them
  int tests_ = 0;
  int32_t test_[2 * kLeaf * kLeaf + kLeaf];  // leaf * 16 + bundle
  uint32_t hit_mask_[2 * kLeaf * kLeaf];
};

}  // namespace
}  // namespace geo
