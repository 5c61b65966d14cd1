// The few vector operations the kernels use, in the widest registers this file is compiled for.
//
// Included only by files compiled once per instruction set: everything is in an anonymous namespace
// and uses no library template, so that no wide code is shared with the baseline by the linker.
#pragma once

#include <cstdint>

#if defined(__AVX2__) || defined(__AVX512F__)
#include <immintrin.h>
#endif

namespace geo {
namespace {

template <class T>
struct Simd;

#if defined(__AVX512F__)

template <>
struct Simd<float> {
  static constexpr int W = 16;
  using V = __m512;
  using I = int32_t;
  using M = __mmask16;
  static V load(const float* p) { return _mm512_loadu_ps(p); }
  static void store(float* p, V v) { _mm512_storeu_ps(p, v); }
  static V set(float s) { return _mm512_set1_ps(s); }
  static V max(V a, V b) { return _mm512_max_ps(a, b); }
  static M less(V a, V b) { return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ); }
  static M less_equal(V a, V b) { return _mm512_cmp_ps_mask(a, b, _CMP_LE_OQ); }
  static M differs(const I* p, I s) {
    return _mm512_cmpneq_epi32_mask(_mm512_loadu_si512(p), _mm512_set1_epi32(s));
  }
  static M both(M a, M b) { return a & b; }
  static M without(M a, M b) { return static_cast<M>(a & ~b); }
  static V where(M m, V a, V b) { return _mm512_mask_blend_ps(m, b, a); }
  static V only(M m, V a) { return _mm512_maskz_mov_ps(m, a); }
  static uint32_t bits(M m) { return m; }
  static M lanes(uint32_t bits) { return static_cast<M>(bits); }
  static float sum(V v) { return _mm512_reduce_add_ps(v); }
  // 1 / sqrt(v), v normal: 14 bits and one Newton step
  static V rsqrt(V v) {
    const V r = _mm512_rsqrt14_ps(v);
    return r * (set(1.5f) - set(0.5f) * v * r * r);
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
  static V max(V a, V b) { return _mm512_max_pd(a, b); }
  static M less(V a, V b) { return _mm512_cmp_pd_mask(a, b, _CMP_LT_OQ); }
  static M less_equal(V a, V b) { return _mm512_cmp_pd_mask(a, b, _CMP_LE_OQ); }
  static M differs(const I* p, I s) {
    return _mm512_cmpneq_epi64_mask(_mm512_loadu_si512(p), _mm512_set1_epi64(s));
  }
  static M both(M a, M b) { return a & b; }
  static M without(M a, M b) { return static_cast<M>(a & ~b); }
  static V where(M m, V a, V b) { return _mm512_mask_blend_pd(m, b, a); }
  static V only(M m, V a) { return _mm512_maskz_mov_pd(m, a); }
  static uint32_t bits(M m) { return m; }
  static M lanes(uint32_t bits) { return static_cast<M>(bits); }
  static double sum(V v) { return _mm512_reduce_add_pd(v); }
  static V rsqrt(V v) { return set(1.0) / _mm512_sqrt_pd(v); }
};

#elif defined(__AVX2__)

template <>
struct Simd<float> {
  static constexpr int W = 8;
  using V = __m256;
  using I = int32_t;
  using M = __m256;
  static V load(const float* p) { return _mm256_loadu_ps(p); }
  static void store(float* p, V v) { _mm256_storeu_ps(p, v); }
  static V set(float s) { return _mm256_set1_ps(s); }
  static V max(V a, V b) { return _mm256_max_ps(a, b); }
  static M less(V a, V b) { return _mm256_cmp_ps(a, b, _CMP_LT_OQ); }
  static M less_equal(V a, V b) { return _mm256_cmp_ps(a, b, _CMP_LE_OQ); }
  static M differs(const I* p, I s) {
    const __m256i v = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
    const __m256i same = _mm256_cmpeq_epi32(v, _mm256_set1_epi32(s));
    return _mm256_castsi256_ps(_mm256_xor_si256(same, _mm256_set1_epi32(-1)));
  }
  static M both(M a, M b) { return _mm256_and_ps(a, b); }
  static M without(M a, M b) { return _mm256_andnot_ps(b, a); }
  static V where(M m, V a, V b) { return _mm256_blendv_ps(b, a, m); }
  static V only(M m, V a) { return _mm256_and_ps(m, a); }
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
  // 12 bits and one Newton step
  static V rsqrt(V v) {
    const V r = _mm256_rsqrt_ps(v);
    return r * (set(1.5f) - set(0.5f) * v * r * r);
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
  static V max(V a, V b) { return _mm256_max_pd(a, b); }
  static M less(V a, V b) { return _mm256_cmp_pd(a, b, _CMP_LT_OQ); }
  static M less_equal(V a, V b) { return _mm256_cmp_pd(a, b, _CMP_LE_OQ); }
  static M differs(const I* p, I s) {
    const __m256i v = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
    const __m256i same = _mm256_cmpeq_epi64(v, _mm256_set1_epi64x(s));
    return _mm256_castsi256_pd(_mm256_xor_si256(same, _mm256_set1_epi32(-1)));
  }
  static M both(M a, M b) { return _mm256_and_pd(a, b); }
  static M without(M a, M b) { return _mm256_andnot_pd(b, a); }
  static V where(M m, V a, V b) { return _mm256_blendv_pd(b, a, m); }
  static V only(M m, V a) { return _mm256_and_pd(m, a); }
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
  static V rsqrt(V v) { return set(1.0) / _mm256_sqrt_pd(v); }
};

#else  // 16-byte vectors of the compiler: SSE2, NEON

template <class T, class Int, int Width>
struct Generic {
  static constexpr int W = Width;
  typedef T V __attribute__((vector_size(16)));
  typedef Int M __attribute__((vector_size(16)));
  using I = Int;
  static V load(const T* p) {
    V v;
    __builtin_memcpy(&v, p, sizeof v);
    return v;
  }
  static void store(T* p, V v) { __builtin_memcpy(p, &v, sizeof v); }
  static V set(T s) { return V{} + s; }
  static V max(V a, V b) { return a > b ? a : b; }
  static M less(V a, V b) { return a < b; }
  static M less_equal(V a, V b) { return a <= b; }
  static M differs(const I* p, I s) {
    M v;
    __builtin_memcpy(&v, p, sizeof v);
    return v != s;
  }
  static M both(M a, M b) { return a & b; }
  static M without(M a, M b) { return a & ~b; }
  static V where(M m, V a, V b) { return m ? a : b; }
  static V only(M m, V a) { return m ? a : V{}; }
  static uint32_t bits(M m) {
    uint32_t out = 0;
    for (int l = 0; l < W; ++l) out |= static_cast<uint32_t>(m[l] & 1) << l;
    return out;
  }
  static M lanes(uint32_t bits) {
    M m;
    for (int l = 0; l < W; ++l) m[l] = -static_cast<Int>((bits >> l) & 1);
    return m;
  }
  static T sum(V v) {
    T s = v[0];
    for (int l = 1; l < W; ++l) s += v[l];
    return s;
  }
  static V rsqrt(V v) {
    V out;
    for (int l = 0; l < W; ++l)
      out[l] = T(1) / (sizeof(T) == 4 ? T(__builtin_sqrtf(float(v[l]))) : T(__builtin_sqrt(v[l])));
    return out;
  }
};
template <>
struct Simd<float> : Generic<float, int32_t, 4> {};
template <>
struct Simd<double> : Generic<double, int64_t, 2> {};

#endif

}  // namespace
}  // namespace geo
