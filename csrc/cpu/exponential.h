// exp of the vectors of simd.h, which says why everything here is anonymous.
#pragma once

#include "cpu/simd.h"

namespace geo {
namespace {

// exp(r) = 1 + r + r^2 q(r) for |r| <= ln(2)/2: for float q is the best polynomial (3e-9 off), for
// double Taylor's (2e-18). kHigh + kLow = ln 2, where n kHigh is exact for every n that occurs;
// adding kRound leaves n in the lowest bits. Below kLeast the result is 0.
template <class T>
struct ExpParts;
template <>
struct ExpParts<float> {
  using Int = int32_t;
  static constexpr int kShift = 23;
  static constexpr float kLog2e = 1.44269504f, kHigh = 0.693359375f, kLow = -2.12194440e-4f;
  static constexpr float kRound = 12582912.0f, kLeast = -87.0f;
  static constexpr float kTerm[] = {1.3814539415761828e-3f, 8.36874544620514e-3f,
                                    4.166838899254799e-2f, 1.666652113199234e-1f,
                                    4.999999403953552e-1f};
};
template <>
struct ExpParts<double> {
  using Int = int64_t;
  static constexpr int kShift = 52;
  static constexpr double kLog2e = 1.4426950408889634, kHigh = 6.93145751953125e-1,
                          kLow = 1.42860682030941723212e-6;
  static constexpr double kRound = 6755399441055744.0, kLeast = -707.0;
  static constexpr double kTerm[] = {1.0 / 6227020800, 1.0 / 479001600, 1.0 / 39916800,
                                     1.0 / 3628800,    1.0 / 362880,    1.0 / 40320,
                                     1.0 / 5040,       1.0 / 720,       1.0 / 120,
                                     1.0 / 24,         1.0 / 6,         1.0 / 2};
};

// exp(x) with a relative error below 0.7 epsilon, for x <= 80 (float)
// or 700 (double); NaN stays NaN.
template <class T>
inline typename Simd<T>::V exponential(typename Simd<T>::V x) {
  using S = Simd<T>;
  using P = ExpParts<T>;
  using V = typename S::V;
  typedef typename P::Int Bits __attribute__((vector_size(sizeof(V))));
  const V inside = S::max(S::set(P::kLeast), x);  // in this order NaN passes
  const V shifted = inside * S::set(P::kLog2e) + S::set(P::kRound);
  const V n = shifted - S::set(P::kRound);
  const V r = (inside - n * S::set(P::kHigh)) - n * S::set(P::kLow);
  V q = S::set(P::kTerm[0]);
  constexpr int terms = sizeof(P::kTerm) / sizeof(T);
  for (int k = 1; k < terms; ++k) q = q * r + S::set(P::kTerm[k]);
  const V power = (q * r) * r + r + S::set(T(1));
  const V scaled = reinterpret_cast<V>(reinterpret_cast<Bits>(power) +
                                       (reinterpret_cast<Bits>(shifted) << P::kShift));
  return S::where(S::less_equal(S::set(P::kLeast), x), scaled, S::max(S::set(T(0)), x));
}

}  // namespace
}  // namespace geo
