// Bounding-box tests of the kernels, compiled once per instruction set (see simd.h).
#pragma once

#include "cpu/forest.h"
#include "cpu/simd.h"

namespace geo {
namespace {

inline uint32_t first_lanes(int64_t count) {
  return count >= kLeaf ? 0xffffu : (1u << count) - 1u;
}

// Calls f with the number of dimensions as a constant, which is 0 where it is not a usual one.
template <int D>
struct Dim {
  static constexpr int value = D;
};
template <class F>
inline __attribute__((always_inline)) void by_dim(int dim, F f) {
  switch (dim) {
#ifndef GEO_FEW_DIMENSIONS  // sanitizers compile slowly: there these share the loop
    case 1: return f(Dim<1>());
    case 2: return f(Dim<2>());
    case 4: return f(Dim<4>());
    case 12: return f(Dim<12>());
    case 16: return f(Dim<16>());
#endif
    case 3: return f(Dim<3>());
    case 8: return f(Dim<8>());
    default: return f(Dim<0>());
  }
}

// Box tests round differently from distances: by this share they are never to the harm of a pair.
template <class T>
inline T box_slack(int dim) {
  return T(16 + 2 * dim) * (sizeof(T) == 4 ? T(6e-8) : T(2e-16));
}

// Box (2, D) of the 16 lanes of a leaf (D, 16).
template <int D, class T>
void bound(const T* coord, int dim, T* box) {
  const int n = D ? D : dim;
  for (int d = 0; d < n; ++d) {
    T low = coord[d * kLeaf], high = low;
    for (int l = 1; l < kLeaf; ++l) {
      const T c = coord[d * kLeaf + l];
      low = c < low ? c : low;
      high = c > high ? c : high;
    }
    box[d] = low;
    box[n + d] = high;
  }
}

// Squared distances (16) of a box (2, D) to the 16 boxes of a group (2, D, 16).
template <int D, class T>
inline void boxes_distance2(const T* group, const T* box, int dim, T* out) {
  using S = Simd<T>;
  const int n = D ? D : dim;
  for (int s = 0; s < kLeaf; s += S::W) {
    typename S::V total = S::set(T(0));
    for (int d = 0; d < n; ++d) {
      const auto low = S::load(group + d * kLeaf + s), high = S::load(group + (n + d) * kLeaf + s);
      const auto gap =
          S::max(S::max(low - S::set(box[n + d]), S::set(box[d]) - high), S::set(T(0)));
      total = total + gap * gap;
    }
    S::store(out + s, total);
  }
}

// Squared distances (16) of a box (2, D) to the farthest corners of the 16 boxes of a group.
template <int D, class T>
inline void boxes_farthest2(const T* group, const T* box, int dim, T* out) {
  using S = Simd<T>;
  const int n = D ? D : dim;
  for (int s = 0; s < kLeaf; s += S::W) {
    typename S::V total = S::set(T(0));
    for (int d = 0; d < n; ++d) {
      const auto low = S::load(group + d * kLeaf + s), high = S::load(group + (n + d) * kLeaf + s);
      const auto gap = S::max(high - S::set(box[d]), S::set(box[n + d]) - low);
      total = total + gap * gap;
    }
    S::store(out + s, total);
  }
}

// Squared distances (16) of the 16 points (D, 16) of a leaf to box `slot` of a group (2, D, 16).
template <int D, class T>
inline void points_distance2(const T* coord, const T* group, int slot, int dim, T* out) {
  using S = Simd<T>;
  const int n = D ? D : dim;
  for (int s = 0; s < kLeaf; s += S::W) {
    typename S::V total = S::set(T(0));
    for (int d = 0; d < n; ++d) {
      const auto c = S::load(coord + d * kLeaf + s);
      const auto low = S::set(group[d * kLeaf + slot]), high = S::set(group[(n + d) * kLeaf + slot]);
      const auto gap = S::max(S::max(low - c, c - high), S::set(T(0)));
      total = total + gap * gap;
    }
    S::store(out + s, total);
  }
}

// Bits of the 16 boxes of a group within a squared distance of box `slot` of another group.
template <int D, class T>
inline uint32_t boxes_within(const T* group, const T* other, int slot, int dim, T limit) {
  using S = Simd<T>;
  const int n = D ? D : dim;
  uint32_t bits = 0;
  for (int s = 0; s < kLeaf; s += S::W) {
    typename S::V total = S::set(T(0));
    for (int d = 0; d < n; ++d) {
      const auto low = S::load(group + d * kLeaf + s), high = S::load(group + (n + d) * kLeaf + s);
      const auto gap = S::max(S::max(low - S::set(other[(n + d) * kLeaf + slot]),
                                     S::set(other[d * kLeaf + slot]) - high),
                              S::set(T(0)));
      total = total + gap * gap;
    }
    bits |= S::bits(S::less_equal(total, S::set(limit))) << s;
  }
  return bits;
}

// Bits of those of 16 points (D, 16) whose squared distance to box `slot` of a group is at most
// `limit`.
template <int D, class T>
inline uint32_t points_within(const T* coord, const T* group, int slot, int dim, T limit) {
  using S = Simd<T>;
  const int n = D ? D : dim;
  uint32_t bits = 0;
  for (int s = 0; s < kLeaf; s += S::W) {
    typename S::V total = S::set(T(0));
    for (int d = 0; d < n; ++d) {
      const auto c = S::load(coord + d * kLeaf + s);
      const auto low = S::set(group[d * kLeaf + slot]);
      const auto high = S::set(group[(n + d) * kLeaf + slot]);
      const auto gap = c - S::min(S::max(c, low), high);
      total = total + gap * gap;
    }
    bits |= S::bits(S::less_equal(total, S::set(limit))) << s;
  }
  return bits;
}

// Bits of those of 16 points (D, 16) whose squared distance to point `slot` of 16 is at most `limit`.
template <int D, class T>
inline uint32_t points_near(const T* coord, const T* other, int slot, int dim, T limit) {
  using S = Simd<T>;
  const int n = D ? D : dim;
  uint32_t bits = 0;
  for (int s = 0; s < kLeaf; s += S::W) {
    typename S::V total = S::set(T(0));
    for (int d = 0; d < n; ++d) {
      const auto gap = S::load(coord + d * kLeaf + s) - S::set(other[d * kLeaf + slot]);
      total = total + gap * gap;
    }
    bits |= S::bits(S::less_equal(total, S::set(limit))) << s;
  }
  return bits;
}

// Bits of the lanes with value <= limit.
template <class T>
inline uint32_t at_most(const T* value, const T* limit) {
  using S = Simd<T>;
  uint32_t bits = 0;
  for (int s = 0; s < kLeaf; s += S::W)
    bits |= S::bits(S::less_equal(S::load(value + s), S::load(limit + s))) << s;
  return bits;
}
template <class T>
inline uint32_t at_most(const T* value, T limit) {
  using S = Simd<T>;
  uint32_t bits = 0;
  for (int s = 0; s < kLeaf; s += S::W)
    bits |= S::bits(S::less_equal(S::load(value + s), S::set(limit))) << s;
  return bits;
}

// A group of boxes on the way down: its level and number within the level.
struct Visit {
  int level;
  int64_t group;
};

}  // namespace
}  // namespace geo
