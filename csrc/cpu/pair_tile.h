// The pairs of two leaves: 16 lanes of one against points of the other, four of these at a time.
// See simd.h for who may include this.
//
// Distances come first; where one of the four has a lane within the radius, the differences are
// computed a second time for the gradient, because subtracting again is cheaper than keeping them
// in registers that are not there. With s = 2 / d, both powers are a few operations per lane:
//   power 2: energy / 4 += (2r - 2d)^2, gradient / r += (2/r - s) (x - y)
//   power 1: energy / 2 += 2r - 2d,     gradient * -2 += s (x - y)
#pragma once

#include "cpu/boxes.h"
#include "cpu/pair_kernel.h"
#include "cpu/unroll.h"

namespace geo {
namespace {

template <int D, int Power, bool Grad, class T>
class Tile {
 public:
  using S = Simd<T>;
  using V = typename S::V;
  using M = typename S::M;
  static constexpr int kBlock = 4;

  explicit Tile(PairTask<T>& task)
      : t_(task),
        radius2_(S::set(task.hinge.radius2)),
        twice_radius_(S::set(2 * task.hinge.radius)),
        twice_inverse_radius_(S::set(2 / task.hinge.radius)),
        tiny_(S::set(coincident_below<T>())) {}

  // The pairs of p leaf `pl` with the points `mask` of q leaf `ql`.
  void pairs(int64_t pl, int64_t ql, uint32_t mask) {
    pl_ = pl;
    ql_ = ql;
    pc_ = t_.p.tree.coord + pl * dim() * kLeaf;
    qc_ = t_.q.tree.coord + ql * dim() * kLeaf;
    pid_ = t_.p.id ? t_.p.id + pl * kLeaf : nullptr;
    qid_ = t_.q.id ? t_.q.id + ql * kLeaf : nullptr;
    pw_ = t_.p.weight ? t_.p.weight + pl * kLeaf : nullptr;
    qw_ = t_.q.weight ? t_.q.weight + ql * kLeaf : nullptr;
    valid_ = first_lanes(t_.p.tree.points - pl * kLeaf);
    diagonal_ = t_.symmetric && pl == ql;
    const bool usual = valid_ == 0xffffu && !diagonal_ && !pw_;
    for (int s = 0; s < kLeaf; s += S::W) {
      // a copy whose address nobody has lives in registers
      if (usual && pid_)
        Tile(*this).template lanes<kOthers>(s, mask);
      else if (usual)
        Tile(*this).template lanes<kAllPairs>(s, mask);
      else
        Tile(*this).template lanes<kGeneral>(s, mask);
    }
  }

 private:
  // What is known beforehand of the pairs of two leaves, so that no iteration asks: unless
  // kGeneral, all lanes are in use, the leaves differ and weights are 1; ids count, or there are none.
  enum Kind { kOthers, kAllPairs, kGeneral };

  GEO_INLINE int dim() const { return D ? D : t_.dim; }

  // The same for lanes [s, s + W).
  template <Kind K>
  GEO_INLINE void lanes(int s, uint32_t mask) {
    energy_ = S::set(T(0));
    int64_t active = 0;
    if (K != kGeneral || !diagonal_)
      for (; __builtin_popcount(mask) >= kBlock;) {
        int j[kBlock];
        GEO_UNROLL for (int b = 0; b < kBlock; ++b, mask &= mask - 1) j[b] = __builtin_ctz(mask);
        active += block<kBlock, K>(s, j);
      }
    for (; mask; mask &= mask - 1) {
      const int j = __builtin_ctz(mask);
      active += block<1, K>(s, &j);
    }
    if (!active) return;
    t_.active += active;
    t_.energy += static_cast<double>(S::sum(energy_));
  }

  template <int B, Kind K>
  GEO_INLINE int64_t block(int s, const int* j) {
    V d2[B];
    GEO_UNROLL for (int b = 0; b < B; ++b) d2[b] = S::set(T(0));
    for (int d = 0; d < dim(); ++d) {
      const V p = S::load(pc_ + d * kLeaf + s);
      GEO_UNROLL for (int b = 0; b < B; ++b) {
        const V delta = p - S::set(qc_[d * kLeaf + j[b]]);
        d2[b] = d2[b] + delta * delta;
      }
    }
    M on[B];
    int64_t active = 0;
    GEO_UNROLL for (int b = 0; b < B; ++b) {
      on[b] = S::less(d2[b], radius2_);
      if (K == kOthers || (K == kGeneral && pid_))
        on[b] = S::differs(on[b], pid_ + s, qid_[j[b]] < 0 ? -2 : qid_[j[b]]);
      if (K == kGeneral) {
        on[b] = S::both(on[b], S::lanes(valid_ >> s));
        if (diagonal_) on[b] = S::both(on[b], S::lanes((0xfffeu << j[b]) >> s));
      }
      active += __builtin_popcount(S::bits(on[b]));
    }
    if (active == 0) return 0;
    if (B > 1 && active <= B) {  // few of them, in fewer vectors yet: one at a time
      for (int b = 0; b < B; ++b) block<1, K>(s, j + b);
      return active;
    }
    V c[B];
    GEO_UNROLL for (int b = 0; b < B; ++b) c[b] = hinge<K>(s, j[b], d2[b], on[b]);
    if (Grad) push<B>(s, j, c);
    return active;
  }

  // Adds the energy of the lanes in `on`; returns the factor of the difference in the gradient.
  template <Kind K>
  GEO_INLINE V hinge(int s, int j, V d2, M on) {
    V inverse, root;
    S::roots(d2, inverse, root);
    const M tie = S::both(on, S::less(d2, tiny_));
    V factor = Power == 2 ? twice_inverse_radius_ - inverse : inverse;
    if (__builtin_expect(S::bits(tie) != 0, 0)) {
      root = S::where(tie, S::set(T(0)), root);
      factor = S::where(tie, S::set(T(0)), factor);
      if (Grad) separate(t_, pl_, ql_, s, j, S::bits(tie));
    }
    const V h = S::only(on, twice_radius_ - root);
    const V e = Power == 2 ? h * h : h;
    factor = S::only(on, factor);
    if (K != kGeneral || !pw_) {
      energy_ = energy_ + e;
      return factor;
    }
    const V w = S::load(pw_ + s) * S::set(qw_[j]);
    energy_ = energy_ + e * w;
    return factor * w;
  }

  template <int B>
  GEO_INLINE void push(int s, const int* j, const V* c) {
    const T* pc = pc_ + s;
    asm("" : "+r"(pc));  // the compiler must not know these coordinates again, see above
    T* gp = t_.p.grad + pl_ * dim() * kLeaf + s;
    for (int d = 0; d < dim(); ++d) {
      const V p = S::load(pc + d * kLeaf);
      V sum = S::load(gp + d * kLeaf);
      GEO_UNROLL for (int b = 0; b < B; ++b) {
        const V delta = p - S::set(qc_[d * kLeaf + j[b]]);
        T* gq = t_.scratch + (j[b] * dim() + d) * kLeaf + s;
        sum = sum + c[b] * delta;
        S::store(gq, S::load(gq) - c[b] * delta);
      }
      S::store(gp + d * kLeaf, sum);
    }
  }

  // Coincident points: a push along an axis instead of a direction.
  static void __attribute__((noinline))
  separate(PairTask<T>& t, int64_t pl, int64_t ql, int s, int j, uint32_t ties) {
    for (; ties; ties &= ties - 1) {
      const int lane = s + __builtin_ctz(ties);
      const int64_t row = t.p.tree.order[pl * kLeaf + lane], other = t.q.tree.order[ql * kLeaf + j];
      T push = t.hinge.slope_at_zero() / t.hinge.grad_unit();
      push *= t.swapped ? -tie_sign<T>(other, row) : tie_sign<T>(row, other);
      if (t.p.weight) push *= t.p.weight[pl * kLeaf + lane] * t.q.weight[ql * kLeaf + j];
      const int axis = tie_axis(row, other, t.dim);
      t.p.grad[(pl * t.dim + axis) * kLeaf + lane] += push;
      t.scratch[(j * t.dim + axis) * kLeaf + lane] -= push;
    }
  }

  PairTask<T>& t_;
  const V radius2_, twice_radius_, twice_inverse_radius_, tiny_;
  V energy_;
  int64_t pl_, ql_;
  const T *pc_, *qc_, *pw_, *qw_;
  const typename LaneInt<T>::type *pid_, *qid_;
  uint32_t valid_;
  bool diagonal_;
};

}  // namespace
}  // namespace geo
