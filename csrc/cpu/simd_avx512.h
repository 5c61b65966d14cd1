// 64-byte vectors, masks in registers of their own: see simd.h, which includes this.
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace geo {
namespace {

// What differs between the precisions in the suffix of the intrinsics alone.
#define GEO_AVX512(T, P)                                                             \
  static V load(const T* p) { return _mm512_loadu_##P(p); }                          \
  static void store(T* p, V v) { _mm512_storeu_##P(p, v); }                          \
  static V load_first(const T* p, int count, V rest) {                               \
    return _mm512_mask_loadu_##P(rest, lanes((1u << count) - 1u), p);                \
  }                                                                                  \
  static V set(T s) { return _mm512_set1_##P(s); }                                   \
  static V min(V a, V b) { return _mm512_min_##P(a, b); }                            \
  static V max(V a, V b) { return _mm512_max_##P(a, b); }                            \
  static M less(V a, V b) { return _mm512_cmp_##P##_mask(a, b, _CMP_LT_OQ); }        \
  static M less_equal(V a, V b) { return _mm512_cmp_##P##_mask(a, b, _CMP_LE_OQ); }  \
  static M both(M a, M b) { return a & b; }                                          \
  static V where(M m, V a, V b) { return _mm512_mask_blend_##P(m, b, a); }           \
  static V only(M m, V a) { return _mm512_maskz_mov_##P(m, a); }                     \
  static V add_if(M m, V a, V b) { return _mm512_mask_add_##P(a, m, a, b); }         \
  static uint32_t bits(M m) { return m; }                                            \
  static M lanes(uint32_t bits) { return static_cast<M>(bits); }                     \
  static T sum(V v) { return _mm512_reduce_add_##P(v); }                             \
  static T min_lane(V v) { return _mm512_reduce_min_##P(v); }                        \
  static T max_lane(V v) { return _mm512_reduce_max_##P(v); }

template <class T>
struct Simd;

template <>
struct Simd<float> {
  static constexpr int W = 16;
  using V = __m512;
  using I = int32_t;
  using M = __mmask16;
  GEO_AVX512(float, ps)
  static M differs(M m, const I* p, I s) {
    return _mm512_mask_cmpneq_epi32_mask(m, _mm512_loadu_si512(p), _mm512_set1_epi32(s));
  }
  // 14 bits and one Newton step
  static void roots(V v, V& inverse, V& root) {
    const V r = _mm512_rsqrt14_ps(v), s = v * r;
    const V step = _mm512_fnmadd_ps(s, r, set(3.0f));
    inverse = r * step;
    root = s * step;
  }
};

template <>
struct Simd<double> {
  static constexpr int W = 8;
  using V = __m512d;
  using I = int64_t;
  using M = __mmask8;
  GEO_AVX512(double, pd)
  static M differs(M m, const I* p, I s) {
    return _mm512_mask_cmpneq_epi64_mask(m, _mm512_loadu_si512(p), _mm512_set1_epi64(s));
  }
  static void roots(V v, V& inverse, V& root) {
    const V s = _mm512_sqrt_pd(v);
    inverse = set(2.0) / s;
    root = s + s;
  }
};

#undef GEO_AVX512

}  // namespace
}  // namespace geo
