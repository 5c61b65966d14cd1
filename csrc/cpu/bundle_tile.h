// The pairs of bundles, the lanes, with the loop points that were found in reach of them, four of
// these at a time. Ids need no test, because a bundle has one. See simd.h for who may include this.
#pragma once

#include "cpu/bundle_search.h"
#include "cpu/pair_tile.h"

namespace geo {
namespace {

template <int D, int Power, class T>
class BundleTile {
 public:
  BundleTile(BundleTask<T>& task, BundleSearch<D, T>& search)
      : t_(task),
        radius2_(S::set(task.hinge.radius2)),
        twice_radius_(S::set(2 * task.hinge.radius)),
        twice_inverse_radius_(S::set(2 / task.hinge.radius)),
        tiny_(S::set(coincident_below<T>())),
        near_(search),
        grad_(task.scratch != nullptr) {}

  void run() {
    if (grad_)
      for (int i = 0; i < kBundles * dim() * kLeaf; ++i) t_.scratch[i] = T(0);
    for (int64_t k = t_.begin; k < t_.end; k += kBlocks)
      blocks(k, static_cast<int>(t_.end - k < kBlocks ? t_.end - k : kBlocks));
  }

 private:
  using S = Simd<T>;
  using V = typename S::V;
  using M = typename S::M;
  static constexpr int kTogether = 4;
  static constexpr int kBlocks = BundleSearch<D, T>::kBlocks, kBundles = kBlocks * kLeaf;

  GEO_INLINE int dim() const { return D ? D : t_.dim; }

  void blocks(int64_t k, int number) {
    const int n = dim();
    bundle_ = k * kLeaf;
    near_.run(bundle_, number, [](void* tile, int l) { static_cast<BundleTile*>(tile)->pairs(l); },
              this);
    for (int l = 0; l < number * kLeaf; ++l) {
      const int count = t_.count[bundle_ + l];
      if (count == 0) continue;
      if (near_.listed[l]) pairs(l);
      if (!grad_) continue;
      T* to = t_.points + t_.first[bundle_ + l] * static_cast<int64_t>(n);
      T* sums = t_.scratch + l * n * kLeaf;
      for (int i = 0; i < count; ++i)
        for (int d = 0; d < n; ++d) to[i * n + d] = sums[d * kLeaf + i];
      for (int i = 0; i < n * kLeaf; i += S::W) S::store(sums + i, S::set(T(0)));
    }
  }

  // Bundle l of the blocks and what is on its list, which is empty afterwards.
  void pairs(int l) {
    const int64_t bundle = bundle_ + l;
    const int count = t_.count[bundle];
    for (int s = 0; s < count; s += S::W) {
      if (t_.weight)
        this->template lanes<true>(bundle, l, s, count);
      else
        this->template lanes<false>(bundle, l, s, count);
    }
    near_.listed[l] = 0;
  }

  template <bool Weighted>
  void lanes(int64_t bundle, int l, int s, int count) {
    const T* pc = t_.lanes + l * dim() * kLeaf + s;
    const M valid = S::lanes(first_lanes(count) >> s);
    V energy = S::set(T(0));
    int64_t active = 0;
    const int listed = near_.listed[l];
    int i = 0;
    for (; i + kTogether <= listed; i += kTogether)
      active += some<kTogether, Weighted>(bundle, l, s, pc, near_.list[l] + i, valid, energy);
    for (; i < listed; ++i)
      active += some<1, Weighted>(bundle, l, s, pc, near_.list[l] + i, valid, energy);
    if (!active) return;
    t_.active += active;
    t_.energy += static_cast<double>(S::sum(energy));
  }

  template <int B, bool Weighted>
  GEO_INLINE int64_t some(int64_t bundle, int l, int s, const T* pc, const int32_t* list, M valid,
                          V& energy) {
    const T* q[B];
    V d2[B];
    GEO_UNROLL for (int b = 0; b < B; ++b) {
      q[b] = t_.q.tree.coord + list[b] / kLeaf * static_cast<int64_t>(dim() * kLeaf) +
             list[b] % kLeaf;
      d2[b] = S::set(T(0));
    }
    for (int d = 0; d < dim(); ++d) {
      const V p = S::load(pc + d * kLeaf);
      GEO_UNROLL for (int b = 0; b < B; ++b) {
        const V delta = p - S::set(q[b][d * kLeaf]);
        d2[b] = d2[b] + delta * delta;
      }
    }
    int64_t active = 0;
    GEO_UNROLL for (int b = 0; b < B; ++b) {
      const M on = S::both(S::less(d2[b], radius2_), valid);
      const uint32_t bits = S::bits(on);
      if (!bits) continue;
      active += __builtin_popcount(bits);
      push<Weighted>(bundle, l, s, pc, q[b], list[b], d2[b], on, energy);
    }
    return active;
  }

  // Energy and gradients of the lanes in `on`, see pair_tile.h.
  template <bool Weighted>
  GEO_INLINE void push(int64_t bundle, int l, int s, const T* pc, const T* q, int32_t point, V d2,
                       M on, V& energy) {
    V inverse, root;
    S::roots(d2, inverse, root);
    const M tie = S::both(on, S::less(d2, tiny_));
    V factor = Power == 2 ? twice_inverse_radius_ - inverse : inverse;
    if (__builtin_expect(S::bits(tie) != 0, 0)) {
      root = S::where(tie, S::set(T(0)), root);
      factor = S::where(tie, S::set(T(0)), factor);
      if (grad_) separate(bundle, l, s, point, S::bits(tie));
    }
    const V h = S::only(on, twice_radius_ - root);
    V e = Power == 2 ? h * h : h;
    factor = S::only(on, factor);
    if (Weighted) {
      const V w = S::load(t_.weight + bundle * kLeaf + s) * S::set(t_.q.weight[point]);
      e = e * w;
      factor = factor * w;
    }
    energy = energy + e;
    if (!grad_) return;
    T* gp = t_.scratch + l * dim() * kLeaf + s;
    T* gq = t_.q.grad + (q - t_.q.tree.coord);
    for (int d = 0; d < dim(); ++d) {
      const V part = factor * (S::load(pc + d * kLeaf) - S::set(q[d * kLeaf]));
      S::store(gp + d * kLeaf, S::load(gp + d * kLeaf) + part);
      gq[d * kLeaf] -= S::sum(part);
    }
  }

  // Coincident points: a push along an axis instead of a direction.
  void __attribute__((noinline))
  separate(int64_t bundle, int l, int s, int32_t point, uint32_t ties) {
    for (; ties; ties &= ties - 1) {
      const int lane = s + __builtin_ctz(ties);
      const int64_t row = t_.row[t_.first[bundle] + lane] - t_.base;
      const int64_t other = t_.q.tree.order[point];
      T push = t_.hinge.slope_at_zero() / t_.hinge.grad_unit();
      push *= t_.swapped ? -tie_sign<T>(other, row) : tie_sign<T>(row, other);
      if (t_.weight) push *= t_.weight[bundle * kLeaf + lane] * t_.q.weight[point];
      const int axis = tie_axis(row, other, t_.dim);
      t_.scratch[(l * t_.dim + axis) * kLeaf + lane] += push;
      t_.q.grad[(point / kLeaf * static_cast<int64_t>(t_.dim) + axis) * kLeaf + point % kLeaf] -=
          push;
    }
  }

  BundleTask<T>& t_;
  const V radius2_, twice_radius_, twice_inverse_radius_, tiny_;
  BundleSearch<D, T>& near_;
  const bool grad_;
  int64_t bundle_ = 0;  // first one of the blocks
};

}  // namespace
}  // namespace geo
