// 16-byte vectors of the compiler (SSE2, NEON): see simd.h, which includes this.
#pragma once

#include <cstdint>

namespace geo {
namespace {

template <class T>
struct Simd;

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
  static V load_first(const T* p, int count, V rest) {
    for (int l = 0; l < count; ++l) rest[l] = p[l];
    return rest;
  }
  static V set(T s) { return V{} + s; }
  static V min(V a, V b) { return a < b ? a : b; }
  static V max(V a, V b) { return a > b ? a : b; }
  static M less(V a, V b) { return a < b; }
  static M less_equal(V a, V b) { return a <= b; }
  static M differs(M m, const I* p, I s) {
    M v;
    __builtin_memcpy(&v, p, sizeof v);
    return m & (v != s);
  }
  static M both(M a, M b) { return a & b; }
  static V where(M m, V a, V b) { return m ? a : b; }
  static V only(M m, V a) { return m ? a : V{}; }
  static V add_if(M m, V a, V b) { return a + only(m, b); }
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
  static T min_lane(V v) {
    T s = v[0];
    for (int l = 1; l < W; ++l) s = v[l] < s ? v[l] : s;
    return s;
  }
  static T max_lane(V v) {
    T s = v[0];
    for (int l = 1; l < W; ++l) s = v[l] > s ? v[l] : s;
    return s;
  }
  static void roots(V v, V& inverse, V& root) {
    V s;
    for (int l = 0; l < W; ++l)
      s[l] = sizeof(T) == 4 ? T(__builtin_sqrtf(float(v[l]))) : T(__builtin_sqrt(v[l]));
    inverse = T(2) / s;
    root = s + s;
  }
};
template <>
struct Simd<float> : Generic<float, int32_t, 4> {};
template <>
struct Simd<double> : Generic<double, int64_t, 2> {};

}  // namespace
}  // namespace geo
