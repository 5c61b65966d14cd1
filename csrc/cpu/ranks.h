// Sorting by 64-bit keys, and dense numbers for them.
#pragma once

#include <cstdint>
#include <vector>

namespace geo {

// Replaces each of the keys (N < 2^32) by the number of smaller different ones: 0..V-1; returns V.
// The same for any number of threads.
int64_t rank_keys(std::vector<uint64_t>& keys, int threads);

// The rows of the keys (N < 2^32) in ascending order, equal ones in the order of their rows. The same
// for any number of threads.
std::vector<uint32_t> sort_by_key(const std::vector<uint64_t>& keys, int threads);

// Bits that hold 0..largest.
inline int bits_of(uint64_t largest) {
  int bits = 0;
  for (; largest; largest >>= 1) ++bits;
  return bits;
}

}  // namespace geo
