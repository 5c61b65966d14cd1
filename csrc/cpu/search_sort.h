// Sorting a few different keys. A branch per comparison would be mispredicted half the time; counting
// for each key the smaller ones needs none, and there are few enough for the square of them.
#pragma once

#include "cpu/search_kernel.h"

namespace geo {
namespace {

// Keys of float distances are not negative as signed numbers. `keys` may be read up to the next
// multiple of 32.
inline void sort_keys(const uint64_t* keys, int number, uint64_t* sorted) {
  typedef int64_t Eight __attribute__((vector_size(64)));
  constexpr int kVectors = 4;
  for (int begin = 0; begin < number; begin += 8 * kVectors) {
    Eight v[kVectors], rank[kVectors];
    __builtin_memcpy(v, keys + begin, sizeof v);
    for (int i = 0; i < kVectors; ++i) rank[i] = Eight{};
    for (int j = 0; j < number; ++j) {
      const Eight other = Eight{} + static_cast<int64_t>(keys[j]);
      for (int i = 0; i < kVectors; ++i) rank[i] -= other < v[i];
    }
    int64_t place[8 * kVectors];
    __builtin_memcpy(place, rank, sizeof place);
    for (int i = 0; i < 8 * kVectors && begin + i < number; ++i)
      sorted[place[i]] = keys[begin + i];
  }
}

inline void sort_keys(const unsigned __int128* keys, int number, unsigned __int128* sorted) {
  for (int i = 0; i < number; ++i) {
    int at = i;
    for (; at > 0 && keys[i] < sorted[at - 1]; --at) sorted[at] = sorted[at - 1];
    sorted[at] = keys[i];
  }
}

}  // namespace
}  // namespace geo
