// The loop points within reach of each of some bundles. See simd.h for who may include this.
#pragma once

#include "cpu/bundle_block.h"
#include "cpu/spread.h"
#include "cpu/unroll.h"

namespace geo {
namespace {

// Some blocks of 16 bundles go down the tree of the loop points together. In a leaf that is
// reached, the 16 points are tested at once against the box of each bundle or, from five dimensions
// on, a ball around it; those that pass, but for points of the bundle's own instance, are listed.
template <int D, class T>
class BundleSearch {
 public:
  // in many dimensions blocks reach what their neighbours reach, which then is in the nearest cache
  static constexpr int kBlocks = BundleBlock<D, T>::kBalls ? kMostBlocks : 1;
  static constexpr int kBundles = kBlocks * kLeaf;
  static constexpr int kRoom = kBlocks > 1 ? 128 : 256;  // of a list
  static_assert(kBundles <= 64, "masks are 64 bits");

  using Flush = void (*)(void* tile, int l);

  int listed[kBundles];
  int32_t list[kBundles][kRoom];  // lanes of the loop side, all leaves counted through

  explicit BundleSearch(const BundleTask<T>& task)
      : q_(task.q), coarse_(task.coarse), id_(task.id), dim_(task.dim) {
    for (int b = 0; b < kBlocks; ++b)
      block_[b].begin(task, task.lanes + b * (D ? D : task.dim) * kLeaf * kLeaf);
    reach2_ = block_[0].reach2();
    coarsely_ = block_[0].coarsely;
  }

  // Fills the lists of the bundles of so many blocks, from bundle `bundle` on; calls flush(l),
  // which empties it, for a list that is full. A plain pointer: the search is compiled once for all
  // tiles.
  void run(int64_t bundle, int blocks, Flush flush, void* tile) {
    const int n = D ? D : dim_;
    bundle_ = bundle;
    blocks_ = blocks;
    for (int b = 0; b < blocks; ++b) block_[b].take(bundle + b * kLeaf);
    for (int d = 0; d < 2 * n; ++d) {
      joint_[d] = block_[0].corner(d);
      for (int b = 1; b < blocks; ++b) {
        const T corner = block_[b].corner(d);
        const bool wider = d < n ? corner < joint_[d] : corner > joint_[d];
        joint_[d] = wider ? corner : joint_[d];
      }
    }
    for (int l = 0; l < kBundles; ++l) listed[l] = 0;
    flush_ = flush;
    tile_ = tile;
    descend();
  }

 private:
  using S = Simd<T>;
  using Block = BundleBlock<D, T>;
  static constexpr int kFound = 256, kTests = 512;  // that wait at most: masks of leaves, leaves
  static_assert(kFound >= 2 * kBundles && kTests >= 2 * kLeaf && kRoom >= 2 * kLeaf, "room");
  static_assert(kMostLoop / kLeaf * kBundles < int64_t{1} << 31, "a test is 31 bits");

  // Tests that wait: leaf * kBundles + bundle is from + step * bit for each bit.
  struct Near {
    uint32_t bits;
    int32_t from, step;
  };

  // Down the tree of the loop points with the bundles that reach each of its boxes.
  void descend() {
    const int n = D ? D : dim_;
    const Tree<T>& tree = q_.tree;
    const int64_t group_size = 2 * static_cast<int64_t>(n) * kLeaf;
    struct {
      Visit at;
      uint64_t bundles;
    } stack[kMaxLevels * kLeaf + 1];
    int depth = 0;
    uint64_t there = 0;
    for (int b = 0; b < blocks_; ++b) there |= uint64_t{block_[b].there} << b * kLeaf;
    stack[depth++] = {{tree.levels - 1, 0}, there};
    T d2[kLeaf];
    while (depth) {
      const auto [v, bundles] = stack[--depth];
      const T* group = tree.box[v.level] + v.group * group_size;
      if (Block::kBalls && v.level == 0) {  // few bundles are left: what all reach says little
        leaves_of_each(group, v.group, bundles);
        continue;
      }
      boxes_distance2<D>(group, joint_, n, d2);
      uint32_t near = at_most(d2, reach2_);
      if (v.level > 0) {
        for (; near; near &= near - 1) {
          const int slot = __builtin_ctz(near);
          const uint64_t some = in_reach(v.level, v.group, group, slot, bundles);
          stack[depth] = {{v.level - 1, v.group * kLeaf + slot}, some};
          depth += some != 0;  // no branch: it could not be foreseen
        }
        continue;
      }
      static_assert(Block::kBalls || kBlocks == 1, "below, bundles are the bits of one block");
      if (__builtin_popcountll(bundles) < __builtin_popcount(near)) {  // whichever are fewer
        leaves_of_each(group, v.group, bundles);
      } else {
        const int32_t first = static_cast<int32_t>(v.group * kLeaf);
        for (; near; near &= near - 1) {
          const int slot = __builtin_ctz(near);
          near_[found_++] = {static_cast<uint32_t>(in_reach(0, v.group, group, slot, bundles)),
                             (first + slot) * kBundles, 1};
        }
        make_room();
      }
    }
    points();
  }

  // The bundles in reach of one box of a group.
  GEO_INLINE uint64_t in_reach(int level, int64_t number, const T* group, int slot,
                               uint64_t bundles) {
    const int n = D ? D : dim_;
    const uint32_t* box = nullptr;
    if (coarsely_) box = coarse_->box[level] + number * 2 * coarse_pairs(n) * kLeaf;
    uint64_t some = 0;
    for (int b = 0; b < kBlocks; ++b) {
      const Block& own = block_[b];
      if (kBlocks > 1 && !(bundles >> b * kLeaf & 0xffffu)) continue;
      const uint32_t bits =
          box ? coarse_boxes_within<D>(own.coarse_box, box, slot, n, own.coarse_reach2)
              : boxes_within<D>(own.box, group, slot, n, reach2_);
      some |= uint64_t{bits} << b * kLeaf;
    }
    return some & bundles;
  }

  // The leaves of a group, each bundle by itself.
  GEO_INLINE void leaves_of_each(const T* group, int64_t number, uint64_t bundles) {
    const int n = D ? D : dim_;
    const int32_t first = static_cast<int32_t>(number * kLeaf);
    const uint32_t* box = nullptr;
    if (coarsely_) box = coarse_->box[0] + number * 2 * coarse_pairs(n) * kLeaf;
    const uint32_t there = first_lanes(q_.tree.leaves - first);
    Near near[kBundles];  // not yet in its place, so that the group's boxes can stay in registers
    int count = 0;
    for (; bundles; bundles &= bundles - 1, ++count) {
      const int l = __builtin_ctzll(bundles);
      const Block& own = block_[l / kLeaf];
      near[count].from = first * kBundles + l;
      near[count].step = kBundles;
      near[count].bits = box ? there & coarse_boxes_within<D>(box, own.coarse_box, l % kLeaf, n,
                                                              own.coarse_reach2)
                             : boxes_within<D>(group, own.box, l % kLeaf, n, reach2_);
    }
    for (int i = 0; i < count; i += kLeaf)
      __builtin_memcpy(near_ + found_ + i, near + i, kLeaf * sizeof(Near));
    found_ += count;
    make_room();
  }

  void make_room() {
    if (found_ > kFound - kBundles) points();
  }

  // Lists the points of the leaves that are waiting. Step by step: few of these conditions can be
  // foreseen, and so no vector operation waits for one, nor for where the one before has written.
  void points() {
    int tests = 0;
    for (int i = 0; i < found_; ++i) {
      tests += spread_bits(near_[i].bits, near_[i].from, near_[i].step, test_ + tests);
      if (tests <= kTests - kLeaf) continue;
      list_points(tests);
      tests = 0;
    }
    list_points(tests);
    found_ = 0;
  }

  void list_points(int tests) {
    const int n = D ? D : dim_;
    if (coarsely_) {
      const int64_t size = coarse_pairs(n) * kLeaf;
      each_test(tests, [&](int64_t ql, const Block& own, int l) {
        return coarse_points_near<D>(coarse_->coord + ql * size, own.coarse_centre, l, n,
                                     own.coarse_within2[l]);
      });
    } else {
      each_test(tests, [&](int64_t ql, const Block& own, int l) {
        const T* q = q_.tree.coord + ql * n * kLeaf;
        return Block::kBalls ? points_near<D>(q, own.centre, l, n, own.within2[l])
                             : points_within<D>(q, own.box, l, n, reach2_);
      });
    }
    list_hits(keep_marked(tests, hit_mask_, test_));
  }

  // Sets the hits of each test to what near(leaf, block, bundle of the block) gives.
  template <class F>
  GEO_INLINE void each_test(int tests, const F& near) {
    for (int i = 0; i < tests; ++i) {
      const int l = bundle_of(test_[i]);
      hit_mask_[i] = near(leaf_of(test_[i]), block_[l / kLeaf], l % kLeaf);
    }
  }

  // The two parts of a test; of unsigned numbers, which divide by a shift.
  static int64_t leaf_of(int32_t test) { return static_cast<uint32_t>(test) / kBundles; }
  static int bundle_of(int32_t test) { return static_cast<uint32_t>(test) % kBundles; }

  // Lists what the tests of points have left.
  void list_hits(int hits) {
    for (int i = 0; i < hits; ++i) {
      const int64_t ql = leaf_of(test_[i]);
      const int l = bundle_of(test_[i]);
      const auto* qid = q_.id + ql * kLeaf;
      const auto id = id_[bundle_ + l];
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
  Block block_[kBlocks];
  T joint_[2 * (D ? D : kMaxDim)];  // box around all bundles
  T reach2_;
  bool coarsely_;
  int64_t bundle_ = 0;
  int blocks_ = 0;
  Flush flush_ = nullptr;
  void* tile_ = nullptr;
  int found_ = 0;
  Near near_[kFound];
  int32_t test_[kTests];  // leaf * kBundles + bundle
  uint32_t hit_mask_[kTests];
};

}  // namespace
}  // namespace geo
