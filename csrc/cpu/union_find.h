// Disjoint sets of the numbers 0..n-1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace geo {

// A forest in which the root of a tree is its smallest member.
struct DisjointSets {
  std::vector<int32_t> parent;

  explicit DisjointSets(int64_t n) : parent(n) {
    for (int64_t i = 0; i < n; ++i) parent[i] = static_cast<int32_t>(i);
  }
  int32_t root(int32_t i) {
    while (parent[i] != i) i = parent[i] = parent[parent[i]];
    return i;
  }
  // Returns the root of both.
  int32_t join(int32_t a, int32_t b) {
    a = root(a);
    b = root(b);
    if (a < b) return parent[b] = a;
    return parent[a] = b;
  }
  // parent becomes the number of the set, in the order of the roots; returns how many there are.
  int64_t number() {
    int32_t count = 0;
    for (std::size_t i = 0; i < parent.size(); ++i) {
      const int32_t up = parent[i];
      parent[i] = up == static_cast<int32_t>(i) ? count++ : parent[up];
    }
    return count;
  }
};

}  // namespace geo
