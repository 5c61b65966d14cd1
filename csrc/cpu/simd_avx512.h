// 64-byte vectors, masks in registers of their own: see simd.h, which includes this.
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace geo {
namespace {

template <class T>
struct Simd;

template <>
struct Simd<float> {
  static constexpr int W = 16;
  using V = __m512;
  using I = int32_t;
  using M = __mmask16;
  static V load(const float* p) { return _mm512_loadu_ps(p); }
  static void store(float* p, V v) { _mm512_storeu_ps(p, v); }
  static V set(float s) { return _mm512_set1_ps(s); }
  static V min(V a, V b) { return _mm512_min_ps(a, b); }
  static V max(V a, V b) { return _mm512_max_ps(a, b); }
  static M less(V a, V b) { return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ); }
  static M less_equal(V a, V b) { return _mm512_cmp_ps_mask(a, b, _CMP_LE_OQ); }
  static M differs(M m, const I* p, I s) {
    return _mm512_mask_cmpneq_epi32_mask(m, _mm512_loadu_si512(p), _mm512_set1_epi32(s));
  }
  static M both(M a, M b) { return a & b; }
  static V where(M m, V a, V b) { return _mm512_mask_blend_ps(m, b, a); }
  static V only(M m, V a) { return _mm512_maskz_mov_ps(m, a); }
  static V add_if(M m, V a, V b) { return _mm512_mask_add_ps(a, m, a, b); }
  static uint32_t bits(M m) { return m; }
  static M lanes(uint32_t bits) { return static_cast<M>(bits); }
  static float sum(V v) { return _mm512_reduce_add_ps(v); }
  static float min_lane(V v) { return _mm512_reduce_min_ps(v); }
  static float max_lane(V v) { return _mm512_reduce_max_ps(v); }
  // 2 / sqrt(v) and 2 sqrt(v), v normal: 14 bits and one Newton step
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
  static V load(const double* p) { return _mm512_loadu_pd(p); }
  static void store(double* p, V v) { _mm512_storeu_pd(p, v); }
  static V set(double s) { return _mm512_set1_pd(s); }
  static V min(V a, V b) { return _mm512_min_pd(a, b); }
  static V max(V a, V b) { return _mm512_max_pd(a, b); }
  static M less(V a, V b) { return _mm512_cmp_pd_mask(a, b, _CMP_LT_OQ); }
  static M less_equal(V a, V b) { return _mm512_cmp_pd_mask(a, b, _CMP_LE_OQ); }
  static M differs(M m, const I* p, I s) {
    return _mm512_mask_cmpneq_epi64_mask(m, _mm512_loadu_si512(p), _mm512_set1_epi64(s));
  }
  static M both(M a, M b) { return a & b; }
  static V where(M m, V a, V b) { return _mm512_mask_blend_pd(m, b, a); }
  static V only(M m, V a) { return _mm512_maskz_mov_pd(m, a); }
  static V add_if(M m, V a, V b) { return _mm512_mask_add_pd(a, m, a, b); }
  static uint32_t bits(M m) { return m; }
  static M lanes(uint32_t bits) { return static_cast<M>(bits); }
  static double sum(V v) { return _mm512_reduce_add_pd(v); }
  static double min_lane(V v) { return _mm512_reduce_min_pd(v); }
  static double max_lane(V v) { return _mm512_reduce_max_pd(v); }
  static void roots(V v, V& inverse, V& root) {
    const V s = _mm512_sqrt_pd(v);
    inverse = set(2.0) / s;
    root = s + s;
  }
};

}  // namespace
}  // namespace geo
