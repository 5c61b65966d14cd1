// The box around rows of D numbers as they lie in memory, in vectors of as many lanes as divide D:
// 8 in one of eight, 12 in three of four, 3 one by one. See simd.h for who may include this.
#pragma once

#include "cpu/forest.h"
#include "cpu/simd.h"

namespace geo {
namespace {

template <int D, class T>
class RowBox {
 public:
  RowBox(const T* row, int dim) : n_(dim) {
    for (int k = 0; k < parts(); ++k) {
      low_[k] = high_[k] = load(row, k);
      zero_[k] = load(row, k) * T(0);
    }
  }

  void add(const T* row) {
    for (int k = 0; k < parts(); ++k) {
      const V c = load(row, k);
      low_[k] = c < low_[k] ? c : low_[k];
      high_[k] = c > high_[k] ? c : high_[k];
      zero_[k] += c * T(0);  // NaN if not finite
    }
  }

  // (2, D) or (2, D, stride); lower corners are NaN where a coordinate is not finite.
  void store(T* box, int stride = 1) const {
    for (int k = 0; k < parts(); ++k) {
      const V low = low_[k] + zero_[k];
      T corner[2][W];
      __builtin_memcpy(corner[0], &low, sizeof low);
      __builtin_memcpy(corner[1], &high_[k], sizeof low);
      for (int e = 0; e < 2; ++e)
        for (int l = 0; l < W; ++l) box[(e * n() + k * W + l) * stride] = corner[e][l];
    }
  }

 private:
  static constexpr int lanes() {
    int w = Simd<T>::W;
    while (D % w) w /= 2;
    return D ? w : 1;
  }
  static constexpr int W = lanes();
  typedef T Vector __attribute__((vector_size(W * sizeof(T))));
  template <int Width, class Other>
  struct Choose {  // no library template, see simd.h
    using type = Vector;
  };
  template <class Other>
  struct Choose<1, Other> {
    using type = T;
  };
  using V = typename Choose<W, T>::type;

  int n() const { return D ? D : n_; }
  int parts() const { return n() / W; }
  static V load(const T* row, int k) {
    V v;
    __builtin_memcpy(&v, row + k * W, sizeof v);
    return v;
  }

  const int n_;
  V low_[D ? D / W : kMaxDim], high_[D ? D / W : kMaxDim], zero_[D ? D / W : kMaxDim];
};

}  // namespace
}  // namespace geo
