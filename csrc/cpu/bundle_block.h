// Sixteen bundles that meet the loop points together: their points as lanes, boxes and balls. See
// simd.h for who may include this.
#pragma once

#include <cmath>

#include "cpu/boxes.h"
#include "cpu/bundle_kernel.h"
#include "cpu/coarse_test.h"
#include "cpu/row_box.h"

namespace geo {
namespace {

template <int D, class T>
class BundleBlock {
 public:
  static constexpr bool kBalls = D == 0 || D >= kCoarseFrom;  // coarse points know balls only

  // Whether boxes and points are tested by coarse coordinates.
  bool coarsely = false;

  uint32_t there = 0;                      // the bundles that exist
  T box[2 * (D ? D : kMaxDim) * kLeaf];    // a lane each, (+inf, -inf) where there is none
  T centre[(D ? D : kMaxDim) * kLeaf] = {}, within2[kLeaf];  // balls that miss no active pair
  uint32_t coarse_box[2 * coarse_pairs(D ? D : kMaxDim) * kLeaf];
  uint32_t coarse_centre[coarse_pairs(D ? D : kMaxDim) * kLeaf];
  int32_t coarse_reach2 = 0, coarse_within2[kLeaf];

  // Once, before the first bundles; their points will lie in lanes (16, D, 16).
  void begin(const BundleTask<T>& task, T* lanes) {
    t_ = &task;
    lanes_ = lanes;
    slack_ = T(1) + box_slack<T>(task.dim);
    coarsely = kBalls && kCoarseTests && task.coarse;
    if (coarsely)
      coarse_reach2 = coarse_limit2(task.hinge.radius, task.dim, task.coarse->frame.per_unit);
  }

  // Squared distance of boxes that hold an active pair, at most.
  T reach2() const { return t_->hinge.radius2 * slack_; }

  // Corner d of 2 D of the box around all bundles: lower ones, then upper ones.
  T corner(int d) const {
    const T* row = box + d * kLeaf;
    const bool lower = d < (D ? D : t_->dim);
    V end = S::load(row);
    for (int s = S::W; s < kLeaf; s += S::W)
      end = lower ? S::min(end, S::load(row + s)) : S::max(end, S::load(row + s));
    return lower ? S::min_lane(end) : S::max_lane(end);
  }

  // Takes up the 16 bundles from this one.
  void take(int64_t bundle) {
    const int n = D ? D : t_->dim;
    there = 0;
    for (int l = 0; l < kLeaf; ++l) {
      const int count = t_->count[bundle + l];
      there |= static_cast<uint32_t>(count > 0) << l;
      lay_out(t_->points + t_->first[bundle + l] * static_cast<int64_t>(n), count, l);
    }
    if (!kBalls) return;
    for (int l = 0; l < kLeaf; ++l)
      if (there >> l & 1u) enclose(l);
    if (!coarsely) return;
    const auto& frame = t_->coarse->frame;
    coarse_lanes<D>(centre, n, frame, coarse_centre);
    coarse_lanes<D>(box, n, frame, coarse_box);
    coarse_lanes<D>(box + n * kLeaf, n, frame, coarse_box + coarse_pairs(n) * kLeaf);
  }

 private:
  using S = Simd<T>;
  using V = typename S::V;

  // Rows of bundle l as lanes, of which unused ones repeat the first; and their box.
  GEO_INLINE void lay_out(const T* rows, int count, int l) {
    const int n = D ? D : t_->dim;
    const T inf = static_cast<T>(__builtin_inff());
    if (count == 0) {
      for (int d = 0; d < n; ++d) {
        box[d * kLeaf + l] = inf;
        box[(n + d) * kLeaf + l] = -inf;
      }
      return;
    }
    RowBox<D, T> bounds(rows, n);
    for (int i = 1; i < count; ++i) bounds.add(rows + i * n);
    bounds.store(box + l, kLeaf);
    const T* from[kLeaf];
    for (int i = 0; i < kLeaf; ++i) from[i] = rows + (i < count ? i * n : 0);
    T* lanes = lanes_ + l * n * kLeaf;
    for (int d = 0; d < n; ++d)
      for (int i = 0; i < kLeaf; ++i) lanes[d * kLeaf + i] = from[i][d];
  }

  // Ball around the points of a bundle: in many dimensions testing it is half of the work of a box,
  // and hardly more points pass.
  void enclose(int l) {
    const int n = D ? D : t_->dim;
    const T* lanes = lanes_ + l * n * kLeaf;
    for (int d = 0; d < n; ++d) {
      const T low = box[d * kLeaf + l], high = box[(n + d) * kLeaf + l];
      centre[d * kLeaf + l] = low + (high - low) / 2;
    }
    V farthest = S::set(T(0));
    for (int s = 0; s < kLeaf; s += S::W) {
      V total = S::set(T(0));
      for (int d = 0; d < n; ++d) {
        const V gap = S::load(lanes + d * kLeaf + s) - S::set(centre[d * kLeaf + l]);
        total = total + gap * gap;
      }
      farthest = S::max(farthest, total);
    }
    const T within = t_->hinge.radius + std::sqrt(S::max_lane(farthest));
    within2[l] = within * within * slack_;
    if (coarsely) coarse_within2[l] = coarse_limit2(within, n, t_->coarse->frame.per_unit);
  }

  const BundleTask<T>* t_ = nullptr;
  T* lanes_ = nullptr;
  T slack_ = T(1);
};

}  // namespace
}  // namespace geo
