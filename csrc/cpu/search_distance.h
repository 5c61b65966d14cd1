// Distances of one query to a leaf. For the files of the search kernel only: these are compiled once
// per instruction set, WITHOUT contraction to fused multiply-add. Distances round the same
// everywhere, so that indices do not depend on the machine, and a box distance computed in the same
// order of operations never exceeds the distance of a point inside.
#pragma once

#include "cpu/boxes.h"
#include "cpu/search_kernel.h"

namespace geo {
namespace {

// Squared distances of query `lane` to the 16 points of a leaf.
template <int D, class T>
inline void distances2(const SearchTask<T>& t, int lane, const T* points, T* out) {
  using S = Simd<T>;
  const int n = D ? D : t.dim;
  for (int s = 0; s < kLeaf; s += S::W) {
    typename S::V total = S::set(T(0));
    for (int d = 0; d < n; ++d) {
      const auto delta = S::load(points + d * kLeaf + s) - S::set(t.query[d * kLeaf + lane]);
      total = total + delta * delta;
    }
    S::store(out + s, total);
  }
}

}  // namespace
}  // namespace geo
