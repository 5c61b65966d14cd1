// The loop points within reach of each of 16 bundles. See simd.h for who may include this.
#pragma once

#include "cpu/bundle_block.h"
#include "cpu/spread.h"
#include "cpu/unroll.h"

namespace geo {
namespace {

// A block of 16 bundles goes down the tree of the loop points together. In a leaf that is reached,
// the 16 points are tested at once against the box of each bundle or, from five dimensions on, a ball
// around it; those that pass, but for points of the bundle's own instance, are listed.
template <int D, class T>
class BundleSearch {
 public:
  static constexpr int kRoom = 256;  // of a list

  using Flush = void (*)(void* tile, int l);

  int listed[kLeaf];
  int32_t list[kLeaf][kRoom];  // lanes of the loop side, all leaves counted through

  explicit BundleSearch(const BundleTask<T>& task)
      : q_(task.q), coarse_(task.coarse), id_(task.id), dim_(task.dim), block_(task),
        reach2_(block_.reach2()) {}

  // Fills the lists of a block's bundles (16; -1: none); calls flush(l), which empties it, for a
  // list that is full. A plain pointer: the search is compiled once for all tiles.
  void run(const int32_t* bundle, Flush flush, void* tile) {
    block_.take(bundle);
    for (int l = 0; l < kLeaf; ++l) listed[l] = 0;
    flush_ = flush;
    tile_ = tile;
    descend(bundle);
  }

 private:
  using S = Simd<T>;
  using Block = BundleBlock<D, T>;

  // Down the tree of the loop points with the bundles that reach each of its boxes.
  void descend(const int32_t* bundle) {
    const int n = D ? D : dim_;
    const Tree<T>& tree = q_.tree;
    const int64_t group_size = 2 * static_cast<int64_t>(n) * kLeaf;
    struct {
      Visit at;
      uint32_t bundles;
    } stack[kMaxLevels * kLeaf];
    int depth = 0;
    stack[depth++] = {{tree.levels - 1, 0}, block_.there};
    T d2[kLeaf];
    while (depth) {
      const auto [v, bundles] = stack[--depth];
      const T* group = tree.box[v.level] + v.group * group_size;
      if (Block::kBalls && v.level == 0) {  // few bundles are left: what all reach says little
        leaves_of_each(group, v.group, bundles);
        if (tests_ > kLeaf * kLeaf) points(bundle);
        continue;
      }
      boxes_distance2<D>(group, block_.joint, n, d2);
      uint32_t near = at_most(d2, reach2_);
      if (v.level > 0) {
        for (; near; near &= near - 1) {
          const int slot = __builtin_ctz(near);
          const uint32_t some = bundles & in_reach(v, group, slot);
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
          test(bundles & boxes_within<D>(block_.box, group, slot, n, reach2_),
               (first + slot) * kLeaf, 1);
        }
      }
      if (tests_ > kLeaf * kLeaf) points(bundle);
    }
    points(bundle);
  }

  // The bundles in reach of one box of a group.
  GEO_INLINE uint32_t in_reach(Visit v, const T* group, int slot) {
    const int n = D ? D : dim_;
    if (!block_.coarsely) return boxes_within<D>(block_.box, group, slot, n, reach2_);
    const uint32_t* box = coarse_->box[v.level] + v.group * 2 * coarse_pairs(n) * kLeaf;
    return coarse_boxes_within<D>(block_.coarse_box, box, slot, n, block_.coarse_reach2);
  }

  // The leaves of a group, each bundle by itself.
  GEO_INLINE void leaves_of_each(const T* group, int64_t number, uint32_t bundles) {
    const int n = D ? D : dim_;
    const int32_t first = static_cast<int32_t>(number * kLeaf);
    if (block_.coarsely) {
      const uint32_t* box = coarse_->box[0] + number * 2 * coarse_pairs(n) * kLeaf;
      const uint32_t there = first_lanes(q_.tree.leaves - first);
      for (; bundles; bundles &= bundles - 1) {
        const int l = __builtin_ctz(bundles);
        const uint32_t near =
            coarse_boxes_within<D>(box, block_.coarse_box, l, n, block_.coarse_reach2);
        test(near & there, first * kLeaf + l, kLeaf);
      }
      return;
    }
    for (; bundles; bundles &= bundles - 1) {
      const int l = __builtin_ctz(bundles);
      test(boxes_within<D>(group, block_.box, l, n, reach2_), first * kLeaf + l, kLeaf);
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
    if (block_.coarsely) {
      const int64_t size = coarse_pairs(n) * kLeaf;
      each_test(bundle, [&](int64_t ql, int l) {
        return coarse_points_near<D>(coarse_->coord + ql * size, block_.coarse_centre, l, n,
                                     block_.coarse_within2[l]);
      });
    } else {
      each_test(bundle, [&](int64_t ql, int l) {
        const T* q = q_.tree.coord + ql * n * kLeaf;
        return Block::kBalls ? points_near<D>(q, block_.centre, l, n, block_.within2[l])
                             : points_within<D>(q, block_.box, l, n, reach2_);
      });
    }
  }

  // Lists those bits that near(leaf, bundle of the block) gives for the tests.
  template <class F>
  GEO_INLINE void each_test(const int32_t* bundle, const F& near) {
    const int tests = tests_;
    int hits = 0;
    tests_ = 0;
    for (int i = 0; i < tests; ++i) {
      const uint32_t in = near(leaf_of(test_[i]), bundle_of(test_[i]));
      test_[hits] = test_[i];
      hit_mask_[hits] = in;
      hits += in != 0;
    }
    list_hits(bundle, hits);
  }

  // The two parts of a test; of unsigned numbers, which need no care for signs.
  static int64_t leaf_of(int32_t test) { return static_cast<uint32_t>(test) / kLeaf; }
  static int bundle_of(int32_t test) { return static_cast<uint32_t>(test) % kLeaf; }

  // Lists what the tests of points have left.
  void list_hits(const int32_t* bundle, int hits) {
    for (int i = 0; i < hits; ++i) {
      const int64_t ql = leaf_of(test_[i]);
      const int l = bundle_of(test_[i]);
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
  const CoarseTree<T>* coarse_;
  const typename LaneInt<T>::type* id_;
  const int dim_;
  Block block_;
  const T reach2_;
  Flush flush_ = nullptr;
  void* tile_ = nullptr;
  int tests_ = 0;
  int32_t test_[2 * kLeaf * kLeaf + kLeaf];  // leaf * 16 + bundle
  uint32_t hit_mask_[2 * kLeaf * kLeaf];
};

}  // namespace
}  // namespace geo
