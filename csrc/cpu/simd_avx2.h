// 32-byte vectors, masks in vectors: see simd.h, which includes this.
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace geo {
namespace {

template <class T>
struct Simd;

template <>
struct Simd<float> {
  static constexpr int W = 8;
  using V = __m256;
  using I = int32_t;
  using M = __m256;
  static V load(const float* p) { return _mm256_loadu_ps(p); }
  static void store(float* p, V v) { _mm256_storeu_ps(p, v); }
  static V set(float s) { return _mm256_set1_ps(s); }
  static V min(V a, V b) { return _mm256_min_ps(a, b); }
  static V max(V a, V b) { return _mm256_max_ps(a, b); }
  static M less(V a, V b) { return _mm256_cmp_ps(a, b, _CMP_LT_OQ); }
  static M less_equal(V a, V b) { return _mm256_cmp_ps(a, b, _CMP_LE_OQ); }
  static M differs(M m, const I* p, I s) {
    const __m256i v = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
    return _mm256_andnot_ps(_mm256_castsi256_ps(_mm256_cmpeq_epi32(v, _mm256_set1_epi32(s))), m);
  }
  static M both(M a, M b) { return _mm256_and_ps(a, b); }
  static V where(M m, V a, V b) { return _mm256_blendv_ps(b, a, m); }
  static V only(M m, V a) { return _mm256_and_ps(m, a); }
  static V add_if(M m, V a, V b) { return a + only(m, b); }
  static uint32_t bits(M m) { return static_cast<uint32_t>(_mm256_movemask_ps(m)); }
  static M lanes(uint32_t bits) {
    const __m256i bit = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
    const __m256i on = _mm256_and_si256(_mm256_set1_epi32(static_cast<int>(bits)), bit);
    return _mm256_castsi256_ps(_mm256_cmpeq_epi32(on, bit));
  }
  static float sum(V v) {
    __m128 s = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    s = _mm_add_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
  }
  static float min_lane(V v) {
    __m128 s = _mm_min_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    s = _mm_min_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_min_ss(s, _mm_movehdup_ps(s)));
  }
  static float max_lane(V v) {
    __m128 s = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    s = _mm_max_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_max_ss(s, _mm_movehdup_ps(s)));
  }
  // 12 bits and one Newton step
  static void roots(V v, V& inverse, V& root) {
    const V r = _mm256_rsqrt_ps(v), s = v * r;
    const V step = _mm256_fnmadd_ps(s, r, set(3.0f));
    inverse = r * step;
    root = s * step;
  }
};

template <>
struct Simd<double> {
  static constexpr int W = 4;
  using V = __m256d;
  using I = int64_t;
  using M = __m256d;
  static V load(const double* p) { return _mm256_loadu_pd(p); }
  static void store(double* p, V v) { _mm256_storeu_pd(p, v); }
  static V set(double s) { return _mm256_set1_pd(s); }
  static V min(V a, V b) { return _mm256_min_pd(a, b); }
  static V max(V a, V b) { return _mm256_max_pd(a, b); }
  static M less(V a, V b) { return _mm256_cmp_pd(a, b, _CMP_LT_OQ); }
  static M less_equal(V a, V b) { return _mm256_cmp_pd(a, b, _CMP_LE_OQ); }
  static M differs(M m, const I* p, I s) {
    const __m256i v = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
    return _mm256_andnot_pd(_mm256_castsi256_pd(_mm256_cmpeq_epi64(v, _mm256_set1_epi64x(s))), m);
  }
  static M both(M a, M b) { return _mm256_and_pd(a, b); }
  static V where(M m, V a, V b) { return _mm256_blendv_pd(b, a, m); }
  static V only(M m, V a) { return _mm256_and_pd(m, a); }
  static V add_if(M m, V a, V b) { return a + only(m, b); }
  static uint32_t bits(M m) { return static_cast<uint32_t>(_mm256_movemask_pd(m)); }
  static M lanes(uint32_t bits) {
    const __m256i bit = _mm256_setr_epi64x(1, 2, 4, 8);
    const __m256i on = _mm256_and_si256(_mm256_set1_epi64x(static_cast<int64_t>(bits)), bit);
    return _mm256_castsi256_pd(_mm256_cmpeq_epi64(on, bit));
  }
  static double sum(V v) {
    __m128d s = _mm_add_pd(_mm256_castpd256_pd128(v), _mm256_extractf128_pd(v, 1));
    return _mm_cvtsd_f64(_mm_add_sd(s, _mm_unpackhi_pd(s, s)));
  }
  static double min_lane(V v) {
    const __m128d s = _mm_min_pd(_mm256_castpd256_pd128(v), _mm256_extractf128_pd(v, 1));
    return _mm_cvtsd_f64(_mm_min_sd(s, _mm_unpackhi_pd(s, s)));
  }
  static double max_lane(V v) {
    const __m128d s = _mm_max_pd(_mm256_castpd256_pd128(v), _mm256_extractf128_pd(v, 1));
    return _mm_cvtsd_f64(_mm_max_sd(s, _mm_unpackhi_pd(s, s)));
  }
  static void roots(V v, V& inverse, V& root) {
    const V s = _mm256_sqrt_pd(v);
    inverse = set(2.0) / s;
    root = s + s;
  }
};

}  // namespace
}  // namespace geo
