// Distance tests of coarse points and boxes, 16 at once, as in boxes.h. See simd.h for who may
// include this; without 32-byte vectors there are none.
#pragma once

#include <cmath>

#include "cpu/coarse.h"
#include "cpu/simd.h"
#include "cpu/unroll.h"

namespace geo {
namespace {

#if defined(__AVX512BW__)

struct Pairs {  // of 16-bit integers
  static constexpr int W = 16;
  using V = __m512i;
  static V load(const uint32_t* p) { return _mm512_loadu_si512(p); }
  static V set(uint32_t s) { return _mm512_set1_epi32(static_cast<int>(s)); }
  static V minus(V a, V b) { return _mm512_sub_epi16(a, b); }
  // How far one interval is from the other: no more than one of the differences is above 0.
  static V apart(V low, V high, V other_low, V other_high) {
    return _mm512_or_si512(_mm512_subs_epu16(low, other_high), _mm512_subs_epu16(other_low, high));
  }
  static V add_squares(V sum, V a) { return _mm512_add_epi32(sum, _mm512_madd_epi16(a, a)); }
  static uint32_t at_most(V a, V b) { return _mm512_cmple_epi32_mask(a, b); }
};

#elif defined(__AVX2__)

struct Pairs {
  static constexpr int W = 8;
  using V = __m256i;
  static V load(const uint32_t* p) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  }
  static V set(uint32_t s) { return _mm256_set1_epi32(static_cast<int>(s)); }
  static V minus(V a, V b) { return _mm256_sub_epi16(a, b); }
  static V apart(V low, V high, V other_low, V other_high) {
    return _mm256_or_si256(_mm256_subs_epu16(low, other_high), _mm256_subs_epu16(other_low, high));
  }
  static V add_squares(V sum, V a) { return _mm256_add_epi32(sum, _mm256_madd_epi16(a, a)); }
  static uint32_t at_most(V a, V b) {
    const __m256 over = _mm256_castsi256_ps(_mm256_cmpgt_epi32(a, b));
    return static_cast<uint32_t>(_mm256_movemask_ps(over)) ^ 0xffu;
  }
};

#endif

#if defined(__AVX2__)

constexpr bool kCoarseTests = true;

// Bits of those of 16 points (pairs, 16) whose squared distance to point `slot` of 16 is at most
// `limit`.
template <int D>
GEO_INLINE uint32_t coarse_points_near(const uint32_t* coord, const uint32_t* other, int slot,
                                       int dim, int32_t limit) {
  const int n = coarse_pairs(D ? D : dim);
  const Pairs::V most = Pairs::set(static_cast<uint32_t>(limit));
  uint32_t bits = 0;
  for (int s = 0; s < kLeaf; s += Pairs::W) {
    Pairs::V total = Pairs::set(0);
    for (int p = 0; p < n; ++p)
      total = Pairs::add_squares(total, Pairs::minus(Pairs::load(coord + p * kLeaf + s),
                                                     Pairs::set(other[p * kLeaf + slot])));
    bits |= Pairs::at_most(total, most) << s;
  }
  return bits;
}

// Bits of those of 16 boxes (2, pairs, 16) within a squared distance of box `slot` of another 16.
template <int D>
GEO_INLINE uint32_t coarse_boxes_within(const uint32_t* box, const uint32_t* other, int slot,
                                        int dim, int32_t limit) {
  const int n = coarse_pairs(D ? D : dim);
  const Pairs::V most = Pairs::set(static_cast<uint32_t>(limit));
  uint32_t bits = 0;
  for (int s = 0; s < kLeaf; s += Pairs::W) {
    Pairs::V total = Pairs::set(0);
    for (int p = 0; p < n; ++p) {
      const auto low = Pairs::load(box + p * kLeaf + s);
      const auto high = Pairs::load(box + (n + p) * kLeaf + s);
      total = Pairs::add_squares(total, Pairs::apart(low, high, Pairs::set(other[p * kLeaf + slot]),
                                                     Pairs::set(other[(n + p) * kLeaf + slot])));
    }
    bits |= Pairs::at_most(total, most) << s;
  }
  return bits;
}

#else

constexpr bool kCoarseTests = false;

template <int D>
uint32_t coarse_points_near(const uint32_t*, const uint32_t*, int, int, int32_t) {
  return 0;
}
template <int D>
uint32_t coarse_boxes_within(const uint32_t*, const uint32_t*, int, int, int32_t) {
  return 0;
}

#endif

template <class T>
GEO_INLINE uint32_t coarse(T x, T middle, T per_unit, T limit) {
  T units = (x - middle) * per_unit + limit / 2;
  units = units > T(0) ? units : T(0);
  units = units < limit ? units : limit;
  return static_cast<uint32_t>(static_cast<int32_t>(units + T(0.5)));
}

// The coarse (pairs, 16) of coordinates (D, 16).
template <int D, class T>
inline void coarse_lanes(const T* from, int dim, const CoarseFrame<T>& frame, uint32_t* to) {
  const int n = D ? D : dim;
  const T limit = static_cast<T>(frame.limit);
  for (int d = 0; d < n; d += 2, to += kLeaf, from += 2 * kLeaf) {
    for (int l = 0; l < kLeaf; ++l)
      to[l] = coarse(from[l], frame.middle[d], frame.per_unit, limit);
    if (d + 1 == n) break;
    for (int l = 0; l < kLeaf; ++l)
      to[l] |= coarse(from[kLeaf + l], frame.middle[d + 1], frame.per_unit, limit) << 16;
  }
}

// Square of the coarse radius of a ball that loses no point within `distance` of its centre.
template <class T>
inline int32_t coarse_limit2(T distance, int dim, T per_unit) {
  // the tenth and the 1e-4 are for roundings on the way
  const T limit = distance * per_unit * T(1.0001) + std::sqrt(static_cast<T>(dim)) + T(0.1);
  return limit < T(46000) ? static_cast<int32_t>(limit * limit) + 1 : 0x7fffffff;
}

}  // namespace
}  // namespace geo
