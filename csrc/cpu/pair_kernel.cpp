// Compiled once per instruction set, see isa.h.
#include "cpu/pair_kernel.h"

#include "cpu/boxes.h"
#include "cpu/pair_tile.h"

namespace geo {
namespace {

// Adds the lane sums of the 16 q points to their gradient and clears them.
template <int D, class T>
void flush(PairTask<T>& t, int64_t ql) {
  using S = Simd<T>;
  const int n = D ? D : t.dim;
  T* out = t.q.grad + ql * n * kLeaf;
  T* sums = t.scratch;
  for (int j = 0; j < kLeaf; ++j)
    for (int d = 0; d < n; ++d, sums += kLeaf) {
      typename S::V total = S::load(sums);
      S::store(sums, S::set(T(0)));
      for (int s = S::W; s < kLeaf; s += S::W) {
        total = total + S::load(sums + s);
        S::store(sums + s, S::set(T(0)));
      }
      out[d * kLeaf + j] += S::sum(total);
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

// Walks the p tree once for every q leaf. A box out of reach is left out; a box whose farthest
// corner is within the radius is taken whole, all its leaves without further tests.
template <int D, int Power, bool Grad, class T>
void run(PairTask<T>& t) {
  const int n = D ? D : t.dim;
  const T slack = box_slack<T>(n);
  const T reach2 = t.hinge.radius2 * (T(1) + slack), whole2 = t.hinge.radius2 * (T(1) - slack);
  const Tree<T>& tree = t.p.tree;
  const int64_t q_end =
      t.symmetric ? t.ranges[t.range_count - 1].end : t.q.tree.leaves;
  const int64_t group_size = 2 * static_cast<int64_t>(n) * kLeaf;
  Tile<D, Power, Grad, T> tile(t);
  Visit stack[kMaxLevels * kLeaf];
  if (Grad)
    for (int i = 0; i < n * kLeaf * kLeaf; ++i) t.scratch[i] = T(0);
  for (int64_t ql = 0; ql < q_end; ++ql) {
    const T* qc = t.q.tree.coord + ql * n * kLeaf;
    const T* qgroup = t.q.tree.box[0] + ql / kLeaf * group_size + ql % kLeaf;
    T qbox[D ? 2 * D : 2 * kMaxDim];
    T diagonal2 = T(0);
    for (int d = 0; d < 2 * n; ++d) qbox[d] = qgroup[d * kLeaf];
    for (int d = 0; d < n; ++d) diagonal2 += (qbox[n + d] - qbox[d]) * (qbox[n + d] - qbox[d]);
    const bool small = diagonal2 < whole2;
    const uint32_t valid = first_lanes(t.q.tree.points - ql * kLeaf);
    bool touched = false;
    for (int64_t r = 0; r < t.range_count; ++r) {
      const LeafRange& range = t.ranges[r];
      if (t.symmetric && ql >= range.end) continue;
      const int64_t begin = t.symmetric && ql > range.begin ? ql : range.begin;
      const int shift = 4 * (range.level + 1);
      int depth = 0;
      for (int64_t g = begin >> shift; g <= (range.end - 1) >> shift; ++g)
        stack[depth++] = {range.level, g};
      while (depth) {
        const Visit v = stack[--depth];
        const T* group = tree.box[v.level] + v.group * group_size;
        T d2[kLeaf];
        boxes_distance2<D>(group, qbox, n, d2);
        uint32_t near = at_most(d2, reach2) & children_in(v, begin, range.end);
        uint32_t whole = 0;
        if (small && near) {
          boxes_farthest2<D>(group, qbox, n, d2);
          whole = at_most(d2, whole2);
        }
        for (; near; near &= near - 1) {
          const int slot = __builtin_ctz(near);
          const int64_t child = v.group * kLeaf + slot;
          if ((whole >> slot) & 1) {
            const int64_t from = child << (4 * v.level), to = (child + 1) << (4 * v.level);
            for (int64_t l = from < begin ? begin : from; l < to && l < range.end; ++l)
              tile.pairs(l, ql, valid);
            touched = true;
          } else if (v.level > 0) {
            stack[depth++] = {v.level - 1, child};
          } else {
            points_distance2<D>(qc, group, slot, n, d2);
            const uint32_t mask = valid & at_most(d2, reach2);
            if (!mask) continue;
            tile.pairs(child, ql, mask);
            touched = true;
          }
        }
      }
    }
    if (Grad && touched) flush<D>(t, ql);
  }
  t.energy *= static_cast<double>(t.hinge.energy_unit());
}

template <int D, class T>
void run(PairTask<T>& t) {
  if (t.hinge.power == T(2))
    t.p.grad ? run<D, 2, true>(t) : run<D, 2, false>(t);
  else
    t.p.grad ? run<D, 1, true>(t) : run<D, 1, false>(t);
}

}  // namespace

namespace GEO_ISA {

void pairs(PairTask<float>& t) { by_dim(t.dim, [&](auto d) { run<d.value>(t); }); }
void pairs(PairTask<double>& t) { by_dim(t.dim, [&](auto d) { run<d.value>(t); }); }

}  // namespace GEO_ISA
}  // namespace geo
