// The bits of a mask as a list of numbers, and a list without its empty masks, with no branch on
// how many there are. See simd.h for who may include this.
#pragma once

#include "cpu/boxes.h"
#include "cpu/shuffle.h"

namespace geo {
namespace {

// from + step * bit for each of 16 bits that is set, in order; returns how many. Writes up to 16
// numbers whatever their count.
#if defined(__AVX512F__)

inline int spread_bits(uint32_t bits, int32_t from, int32_t step, int32_t* to) {
  const __m512i iota = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  const __m512i all = _mm512_add_epi32(_mm512_set1_epi32(from),
                                       _mm512_mullo_epi32(iota, _mm512_set1_epi32(step)));
  _mm512_storeu_si512(to, _mm512_maskz_compress_epi32(static_cast<__mmask16>(bits), all));
  return __builtin_popcount(bits);
}

#elif defined(__AVX2__)

inline int spread_bits(uint32_t bits, int32_t from, int32_t step, int32_t* to) {
  const __m256i steps = _mm256_set1_epi32(step);
  const uint32_t low = bits & 0xffu;
  const auto put = [&](uint32_t half, int32_t first, int32_t* at) {
    const __m256i some = _mm256_mullo_epi32(Shuffle::split(half), steps);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(at),
                        _mm256_add_epi32(_mm256_set1_epi32(first), some));
  };
  put(low, from, to);
  put(bits >> 8, from + 8 * step, to + __builtin_popcount(low));
  return __builtin_popcount(bits);
}

#else

inline int spread_bits(uint32_t bits, int32_t from, int32_t step, int32_t* to) {
  int count = 0;
  for (int l = 0; l < 16; ++l) {
    to[count] = from + step * l;
    count += (bits >> l) & 1u;
  }
  return count;
}

#endif

// Keeps the pairs whose mask is not 0, in order; returns how many. Arrays are of whole sixteens.
#if defined(__AVX512F__)

inline int keep_marked(int count, uint32_t* mask, int32_t* value) {
  int kept = 0;
  for (int i = 0; i < count; i += 16) {
    const __m512i m = _mm512_loadu_si512(mask + i), v = _mm512_loadu_si512(value + i);
    const auto there = static_cast<__mmask16>(first_lanes(count - i));
    const __mmask16 some = _mm512_mask_test_epi32_mask(there, m, m);
    _mm512_storeu_si512(mask + kept, _mm512_maskz_compress_epi32(some, m));
    _mm512_storeu_si512(value + kept, _mm512_maskz_compress_epi32(some, v));
    kept += __builtin_popcount(some);
  }
  return kept;
}

#else

inline int keep_marked(int count, uint32_t* mask, int32_t* value) {
  int kept = 0;
  for (int i = 0; i < count; ++i) {
    const uint32_t m = mask[i];
    mask[kept] = m;
    value[kept] = value[i];
    kept += m != 0;
  }
  return kept;
}

#endif

}  // namespace
}  // namespace geo
