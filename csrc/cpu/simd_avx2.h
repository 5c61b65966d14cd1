// 32-byte vectors, masks in vectors: see simd.h, which includes this.
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace geo {
namespace {

// What differs between the precisions in the suffix of the intrinsics alone.
#define GEO_AVX2(T, P)                                                            \
  static V load(const T* p) { return _mm256_loadu_##P(p); }                       \
  static void store(T* p, V v) { _mm256_storeu_##P(p, v); }                       \
  static V load_first(const T* p, int count, V rest) {                            \
    const M m = lanes((1u << count) - 1u);                                        \
    return where(m, _mm256_maskload_##P(p, _mm256_cast##P##_si256(m)), rest);     \
  }                                                                               \
  static V set(T s) { return _mm256_set1_##P(s); }                                \
  static V min(V a, V b) { return _mm256_min_##P(a, b); }                         \
  static V max(V a, V b) { return _mm256_max_##P(a, b); }                         \
  static M less(V a, V b) { return _mm256_cmp_##P(a, b, _CMP_LT_OQ); }            \
  static M less_equal(V a, V b) { return _mm256_cmp_##P(a, b, _CMP_LE_OQ); }      \
  static M both(M a, M b) { return _mm256_and_##P(a, b); }                        \
  static V where(M m, V a, V b) { return _mm256_blendv_##P(b, a, m); }            \
  static V only(M m, V a) { return _mm256_and_##P(m, a); }                        \
  static V add_if(M m, V a, V b) { return a + only(m, b); }                       \
  static uint32_t bits(M m) { return static_cast<uint32_t>(_mm256_movemask_##P(m)); }

template <class T>
struct Simd;

template <>
struct Simd<float> {
  static constexpr int W = 8;
  using V = __m256;
  using I = int32_t;
  using M = __m256;
  GEO_AVX2(float, ps)
  static M differs(M m, const I* p, I s) {
    const __m256i v = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
    return _mm256_andnot_ps(_mm256_castsi256_ps(_mm256_cmpeq_epi32(v, _mm256_set1_epi32(s))), m);
  }
  static M lanes(uint32_t bits) {
    const __m256i bit = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
    const __m256i on = _mm256_and_si256(_mm256_set1_epi32(static_cast<int>(bits)), bit);
    return _mm256_castsi256_ps(_mm256_cmpeq_epi32(on, bit));
  }
#define GEO_ACROSS(name, op)                                                              \
  static float name(V v) {                                                                \
    __m128 s = _mm_##op##_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));     \
    s = _mm_##op##_ps(s, _mm_movehl_ps(s, s));                                            \
    return _mm_cvtss_f32(_mm_##op##_ss(s, _mm_movehdup_ps(s)));                           \
  }
  GEO_ACROSS(sum, add)
  GEO_ACROSS(min_lane, min)
  GEO_ACROSS(max_lane, max)
#undef GEO_ACROSS
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
  GEO_AVX2(double, pd)
  static M differs(M m, const I* p, I s) {
    const __m256i v = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
    return _mm256_andnot_pd(_mm256_castsi256_pd(_mm256_cmpeq_epi64(v, _mm256_set1_epi64x(s))), m);
  }
  static M lanes(uint32_t bits) {
    const __m256i bit = _mm256_setr_epi64x(1, 2, 4, 8);
    const __m256i on = _mm256_and_si256(_mm256_set1_epi64x(static_cast<int64_t>(bits)), bit);
    return _mm256_castsi256_pd(_mm256_cmpeq_epi64(on, bit));
  }
#define GEO_ACROSS(name, op)                                                                \
  static double name(V v) {                                                                 \
    const __m128d s = _mm_##op##_pd(_mm256_castpd256_pd128(v), _mm256_extractf128_pd(v, 1)); \
    return _mm_cvtsd_f64(_mm_##op##_sd(s, _mm_unpackhi_pd(s, s)));                          \
  }
  GEO_ACROSS(sum, add)
  GEO_ACROSS(min_lane, min)
  GEO_ACROSS(max_lane, max)
#undef GEO_ACROSS
  static void roots(V v, V& inverse, V& root) {
    const V s = _mm256_sqrt_pd(v);
    inverse = set(2.0) / s;
    root = s + s;
  }
};

#undef GEO_AVX2

}  // namespace
}  // namespace geo
