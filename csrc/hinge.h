// The potential's maths, shared by host and device.
#pragma once

#include <cstdint>
#include <limits>

#if defined(__CUDACC__)
#define GEO_HD __host__ __device__ __forceinline__
#else
// always inlined: the host compiles this header once per instruction set
#define GEO_HD inline __attribute__((always_inline))
#endif

namespace geo {

// max(0, r - d)^p is written h * (a + b h) with (a, b) = (1, 0) or (0, 1): no branch on the power.
template <class T>
struct Hinge {
  T radius;
  T radius2;
  T a;
  T b;
  T power;

  GEO_HD Hinge(double r, int p)
      : radius(static_cast<T>(r)),
        radius2(static_cast<T>(r) * static_cast<T>(r)),
        a(p == 1 ? T(1) : T(0)),
        b(p == 1 ? T(0) : T(1)),
        power(static_cast<T>(p)) {}

  // Host kernels sum 4 h^2 or 2 h, and gradients without a common factor: these restore them.
  GEO_HD T energy_unit() const { return power == T(2) ? T(0.25) : T(0.5); }
  GEO_HD T grad_unit() const { return power == T(2) ? radius : T(-0.5); }

  // d energy / d distance at distance 0
  GEO_HD T slope_at_zero() const { return -power * (a + b * radius); }
};

// Below the smallest normal number a squared distance has lost its digits: taken as coincident.
template <class T>
GEO_HD constexpr T coincident_below() {
  return sizeof(T) == 4 ? T(1.17549435e-38) : T(2.2250738585072014e-308);
}

// Direction of the push between coincident points i (of x) and j (of y), indices local to their
// graph: the unit vector +-e_axis on i, its opposite on j. Antisymmetric in (i, j), so that points
// at one place spread by rank instead of cancelling.
GEO_HD int tie_axis(int64_t i, int64_t j, int dim) { return static_cast<int>((i + j) % dim); }
template <class T>
GEO_HD T tie_sign(int64_t i, int64_t j) {
  return i <= j ? T(1) : T(-1);
}

}  // namespace geo
