// Moving the lanes of a vector of floats by a mask (see simd.h for who may include this).
#pragma once

#include "cpu/simd.h"

namespace geo {
namespace {

#if defined(__AVX512F__)

struct Shuffle {
  using V = Simd<float>::V;
  using Index = __m512i;

  // Lanes in `front` first, in order; then the others, in reverse order.
  static Index split(uint32_t front) {
    const __m512i iota = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const __m512i back = _mm512_setr_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    const __m512i first = _mm512_maskz_compress_epi32(static_cast<__mmask16>(front), iota);
    const __m512i rest = _mm512_maskz_compress_epi32(static_cast<__mmask16>(~front), iota);
    const auto upper = static_cast<__mmask16>(0xffffu << __builtin_popcount(front));
    return _mm512_mask_permutexvar_epi32(first, upper, back, rest);
  }
  static V apply(Index index, V v) { return _mm512_permutexvar_ps(index, v); }
  static V compress(uint32_t keep, V v) {
    return _mm512_maskz_compress_ps(static_cast<__mmask16>(keep), v);
  }
};

#elif defined(__AVX2__)

// Row m: the lanes in m, in order, then the others in reverse order.
struct SplitTable {
  alignas(64) uint8_t lane[256][8];
  constexpr SplitTable() : lane() {
    for (int m = 0; m < 256; ++m) {
      int front = 0, back = 8;
      for (int l = 0; l < 8; ++l) {
        if ((m >> l) & 1)
          lane[m][front++] = static_cast<uint8_t>(l);
        else
          lane[m][--back] = static_cast<uint8_t>(l);
      }
    }
  }
};
constexpr SplitTable kSplit;

struct Shuffle {
  using V = Simd<float>::V;
  using Index = __m256i;

  static Index split(uint32_t front) {
    return _mm256_cvtepu8_epi32(
        _mm_loadl_epi64(reinterpret_cast<const __m128i*>(kSplit.lane[front])));
  }
  static V apply(Index index, V v) { return _mm256_permutevar8x32_ps(v, index); }
  static V compress(uint32_t keep, V v) { return apply(split(keep), v); }
};

#else

struct Shuffle {
  using V = Simd<float>::V;
  struct Index {
    int lane[4];
  };

  static Index split(uint32_t front) {
    Index index;
    int first = 0, back = 4;
    for (int l = 0; l < 4; ++l) {
      const int in = (front >> l) & 1;
      index.lane[in ? first : back - 1] = l;
      first += in;
      back -= 1 - in;
    }
    return index;
  }
  static V apply(const Index& index, V v) {
    return V{v[index.lane[0]], v[index.lane[1]], v[index.lane[2]], v[index.lane[3]]};
  }
  static V compress(uint32_t keep, V v) { return apply(split(keep), v); }
};

#endif

}  // namespace
}  // namespace geo
