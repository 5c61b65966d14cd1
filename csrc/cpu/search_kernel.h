// Neighbour search of one group of 16 queries in one graph's tree.
#pragma once

#include <cstdint>

#include "cpu/forest.h"
#include "cpu/isa.h"

namespace geo {

// A squared distance and a row in one number that orders by distance, then row.
template <class T>
struct Key;
template <>
struct Key<float> {
  using type = uint64_t;
  using Bits = uint32_t;
  static constexpr int shift = 32;
};
template <>
struct Key<double> {
  using type = unsigned __int128;
  using Bits = uint64_t;
  static constexpr int shift = 64;
};

template <class T>
struct SearchTask {
  using K = typename Key<T>::type;

  Tree<T> tree;            // the points of the graph
  int dim;

  const T* query;          // (D, 16)
  const int32_t* self;     // (16) row of each query among the points, excluded; or null
  int queries;             // lanes in use

  int k;                   // knn: neighbours kept
  K* nearest;              // knn: (16, k) ascending, filled with `nothing` before

  T radius2;               // radius, count
  int64_t hits[kLeaf];     // of each query
  K* hit[kLeaf];           // radius: their keys, as found
  int64_t room[kLeaf];     // radius: keys that fit
  bool (*grow)(SearchTask& task, int lane);  // radius: makes room for a leaf more, or fails
  void* context;

  // Boxes of a level: the last group may have fewer than 16.
  __attribute__((always_inline)) int64_t children(int level) const {
    const int64_t block = int64_t{1} << (4 * level);
    return (tree.leaves + block - 1) / block;
  }
};

// Distances are not negative, so that their bits order like numbers. The key of no neighbour is
// infinitely far: every finite distance beats it.
template <class T>
inline __attribute__((always_inline)) typename Key<T>::type make_key(T d2, int32_t row) {
  typename Key<T>::Bits bits;
  __builtin_memcpy(&bits, &d2, sizeof bits);
  return (static_cast<typename Key<T>::type>(bits) << Key<T>::shift) | static_cast<uint32_t>(row);
}
template <class T>
inline __attribute__((always_inline)) T key_distance(typename Key<T>::type key) {
  const auto bits = static_cast<typename Key<T>::Bits>(key >> Key<T>::shift);
  T d2;
  __builtin_memcpy(&d2, &bits, sizeof d2);
  return d2;
}
template <class T>
inline __attribute__((always_inline)) int32_t key_row(typename Key<T>::type key) {
  return static_cast<int32_t>(static_cast<uint32_t>(key));
}

constexpr int kSortedAtOnce = 128;  // keys that sort takes at most; all are different

GEO_PER_ISA(
  void knn(SearchTask<float>& task);
  void knn(SearchTask<double>& task);
  void radius(SearchTask<float>& task);
  void radius(SearchTask<double>& task);
  void count(SearchTask<float>& task);
  void count(SearchTask<double>& task);
  void sort(const uint64_t* keys, int number, uint64_t* sorted);
  void sort(const unsigned __int128* keys, int number, unsigned __int128* sorted);
)

}  // namespace geo
