// Compiled once per instruction set: GEO_ISA names the entry points.
#include "cpu/pair_kernel.h"

#include "cpu/boxes.h"

namespace geo {
namespace {

// The pairs of p leaf `pl` with q leaf `ql`; `mask` are the q points worth trying.
template <int D, bool Grad, class T>
void leaf_pairs(PairTask<T>& t, int64_t pl, int64_t ql, uint32_t mask) {
  using S = Simd<T>;
  using V = typename S::V;
  constexpr int Known = D ? D : 1;
  const int n = D ? D : t.dim;
  const T* pc = t.p.tree.coord + pl * n * kLeaf;
  const T* qc = t.q.tree.coord + ql * n * kLeaf;
  const auto* pid = t.p.id ? t.p.id + pl * kLeaf : nullptr;
  const auto* qid = t.q.id ? t.q.id + ql * kLeaf : nullptr;
  const T* pw = t.p.weight ? t.p.weight + pl * kLeaf : nullptr;
  const T* qw = t.q.weight ? t.q.weight + ql * kLeaf : nullptr;
  const V radius = S::set(t.hinge.radius), radius2 = S::set(t.hinge.radius2);
  const V a = S::set(t.hinge.a), b = S::set(t.hinge.b), power = S::set(-t.hinge.power);
  const V tiny = S::set(coincident_below<T>()), zero = S::set(T(0));
  const uint32_t valid = first_lanes(t.p.tree.points - pl * kLeaf);
  const bool diagonal = t.symmetric && pl == ql;

  for (int s = 0; s < kLeaf; s += S::W) {
    V pv[Known], gp[Known];
    if (D) {
      for (int d = 0; d < Known; ++d) pv[d] = S::load(pc + d * kLeaf + s);
      if (Grad)
        for (int d = 0; d < Known; ++d) gp[d] = zero;
    }
    V energy = zero;
    int64_t active = 0;
    bool touched = false;
    const bool partial = valid != 0xffffu;
    const auto in_leaf = S::lanes(valid >> s);
    for (uint32_t rest = mask; rest; rest &= rest - 1) {
      const int j = __builtin_ctz(rest);
      V diff[Known];
      V d2 = zero;
      for (int d = 0; d < n; ++d) {
        const V delta = (D ? pv[d % Known] : S::load(pc + d * kLeaf + s)) - S::set(qc[d * kLeaf + j]);
        if (D) diff[d % Known] = delta;
        d2 = d2 + delta * delta;
      }
      auto on = S::less(d2, radius2);
      if (!S::bits(on)) continue;
      if (partial) on = S::both(on, in_leaf);
      if (qid) on = S::both(on, S::differs(pid + s, qid[j] < 0 ? -2 : qid[j]));
      if (diagonal) on = S::both(on, S::lanes((0xfffeu << j) >> s));
      const uint32_t found = S::bits(on);
      if (!found) continue;
      active += __builtin_popcount(found);
      V inverse = S::rsqrt(d2);
      V distance = d2 * inverse;
      const auto tie = S::both(on, S::less(d2, tiny));
      const uint32_t ties = S::bits(tie);
      if (__builtin_expect(ties != 0, 0)) {
        distance = S::where(tie, zero, distance);
        inverse = S::where(tie, zero, inverse);
      }
      const V h = S::max(radius - distance, zero);
      V k = a + b * h;
      if (pw) k = k * (S::load(pw + s) * S::set(qw[j]));
      energy = energy + S::only(on, h * k);
      if (!Grad) continue;
      touched = true;
      const V c = S::only(on, power * k * inverse);
      T* gq = t.scratch + j * kLeaf + s;
      for (int d = 0; d < n; ++d) {
        T* g = gq + d * kLeaf * kLeaf;
        if (D) {
          gp[d % Known] = gp[d % Known] + c * diff[d % Known];
          S::store(g, S::load(g) - c * diff[d % Known]);
        } else {
          const V delta = S::load(pc + d * kLeaf + s) - S::set(qc[d * kLeaf + j]);
          T* out = t.p.grad + (pl * n + d) * kLeaf + s;
          S::store(out, S::load(out) + c * delta);
          S::store(g, S::load(g) - c * delta);
        }
      }
      for (uint32_t left = ties; left; left &= left - 1) {
        const int lane = __builtin_ctz(left);
        const int64_t row = t.p.tree.order[pl * kLeaf + s + lane], other = t.q.tree.order[ql * kLeaf + j];
        T push = t.hinge.slope_at_zero();
        push *= t.swapped ? -tie_sign<T>(other, row) : tie_sign<T>(row, other);
        if (pw) push *= pw[s + lane] * qw[j];
        const int axis = tie_axis(row, other, n);
        t.p.grad[(pl * n + axis) * kLeaf + s + lane] += push;
        gq[axis * kLeaf * kLeaf + lane] -= push;
      }
    }
    if (active) {
      t.active += active;
      t.energy += static_cast<double>(S::sum(energy));
    }
    if (Grad && D && touched) {
      for (int d = 0; d < Known; ++d) {
        T* out = t.p.grad + (pl * n + d) * kLeaf + s;
        S::store(out, S::load(out) + gp[d]);
      }
    }
  }
}

// Clears the lane sums of the 16 q points and adds them to their gradient.
template <int D, class T>
void flush(PairTask<T>& t, int64_t ql) {
  using S = Simd<T>;
  const int n = D ? D : t.dim;
  T* out = t.q.grad + ql * n * kLeaf;
  T* sums = t.scratch;
  for (int i = 0; i < n * kLeaf; ++i, sums += kLeaf) {
    typename S::V total = S::load(sums);
    S::store(sums, S::set(T(0)));
    for (int s = S::W; s < kLeaf; s += S::W) {
      total = total + S::load(sums + s);
      S::store(sums + s, S::set(T(0)));
    }
    out[i] += S::sum(total);
  }
}

// The children of a group that have leaves in [begin, end), as bits.
inline uint32_t children_in(const Visit& v, int64_t begin, int64_t end) {
  const int shift = 4 * v.level;
  const int64_t first = (begin >> shift) - v.group * kLeaf;
  const int64_t last = ((end - 1) >> shift) - v.group * kLeaf;
  const uint32_t up = first <= 0 ? 0xffffu : first >= kLeaf ? 0u : 0xffffu << first;
  return up & (last < 0 ? 0u : first_lanes(last + 1));
}

template <int D, bool Grad, class T>
void run(PairTask<T>& t) {
  const int n = D ? D : t.dim;
  // the box tests may round up where the distance rounds down
  const T reach2 = t.hinge.radius2 * (T(1) + T(16 + 2 * n) * (sizeof(T) == 4 ? T(6e-8) : T(2e-16)));
  const Tree<T>& tree = t.p.tree;
  const int64_t q_end = t.symmetric ? t.leaf_end : t.q.tree.leaves;
  const int64_t group_size = 2 * static_cast<int64_t>(n) * kLeaf;
  Visit stack[kMaxLevels * kLeaf];
  if (Grad)
    for (int i = 0; i < n * kLeaf * kLeaf; ++i) t.scratch[i] = T(0);
  for (int64_t ql = 0; ql < q_end; ++ql) {
    const T* qc = t.q.tree.coord + ql * n * kLeaf;
    T qbox[D ? 2 * D : 2 * kMaxDim];
    bound<D>(qc, n, qbox);
    const int64_t begin = t.symmetric && ql > t.leaf_begin ? ql : t.leaf_begin;
    const uint32_t valid = first_lanes(t.q.tree.points - ql * kLeaf);
    bool touched = false;
    int depth = 0;
    stack[depth++] = {tree.levels - 1, 0};
    while (depth) {
      const Visit v = stack[--depth];
      const T* group = tree.box[v.level] + v.group * group_size;
      T d2[kLeaf];
      boxes_distance2<D>(group, qbox, n, d2);
      uint32_t near = at_most(d2, reach2) & children_in(v, begin, t.leaf_end);
      for (; near; near &= near - 1) {
        const int slot = __builtin_ctz(near);
        const int64_t child = v.group * kLeaf + slot;
        if (v.level > 0) {
          stack[depth++] = {v.level - 1, child};
          continue;
        }
        points_distance2<D>(qc, group, slot, n, d2);
        const uint32_t mask = valid & at_most(d2, reach2);
        if (mask) {
          leaf_pairs<D, Grad>(t, child, ql, mask);
          touched = true;
        }
      }
    }
    if (Grad && touched) flush<D>(t, ql);
  }
}

template <int D, class T>
void run(PairTask<T>& t) {
  if (t.p.grad)
    run<D, true>(t);
  else
    run<D, false>(t);
}

template <class T>
void dispatch(PairTask<T>& t) {
  switch (t.dim) {
    case 1: return run<1>(t);
    case 2: return run<2>(t);
    case 3: return run<3>(t);
    case 4: return run<4>(t);
    case 8: return run<8>(t);
    case 12: return run<12>(t);
    case 16: return run<16>(t);
    default: return run<0>(t);
  }
}

}  // namespace

#define GEO_JOIN(a, b) a##b
#define GEO_NAME(isa) GEO_JOIN(pairs_, isa)
void GEO_NAME(GEO_ISA)(PairTask<float>& task) { dispatch(task); }
void GEO_NAME(GEO_ISA)(PairTask<double>& task) { dispatch(task); }

}  // namespace geo
