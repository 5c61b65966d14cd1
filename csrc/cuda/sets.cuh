// Sorted point sets on a device: graphs, tiles of rows, their boxes.
#pragma once

#include <cuda_runtime.h>

#include <cmath>
#include <cstdint>

#include "cuda_api.h"

namespace geo {

constexpr int kTile = GEO_CUDA_TILE;  // rows of a tile, threads of a block
constexpr int kMaxDim = 64;

template <class T>
struct Set {
  const T* points;       // (N, D) sorted
  int64_t rows;          // N
  const int64_t* ptr;    // (B + 1) or null
  const int64_t* order;  // (N) the caller's row
  const T* box;          // (tiles, 2, D)
};

struct Range {  // rows [begin, end)
  int64_t begin, end;

  __device__ Range within_tile(int64_t first) const {
    return {begin > first ? begin : first, end < first + kTile ? end : first + kTile};
  }
};

inline int64_t tiles_of(int64_t rows) { return (rows + kTile - 1) / kTile; }

// First row of this block's tile, and the row of this thread, which may lie behind the last one.
__device__ inline int64_t block_row() { return static_cast<int64_t>(blockIdx.x) * kTile; }
__device__ inline int64_t thread_row() { return block_row() + threadIdx.x; }

// Graph of a sorted row, by bisection of ptr.
__device__ inline int64_t graph_of(const int64_t* ptr, int64_t graphs, int64_t row) {
  if (!ptr) return 0;
  int64_t low = 0, high = graphs;  // ptr[low] <= row < ptr[high]
  while (high - low > 1) {
    const int64_t middle = (low + high) / 2;
    if (ptr[middle] <= row)
      low = middle;
    else
      high = middle;
  }
  return low;
}

__device__ inline Range rows_of(const int64_t* ptr, int64_t rows, int64_t graph) {
  return ptr ? Range{ptr[graph], ptr[graph + 1]} : Range{0, rows};
}
template <class T>
__device__ inline Range rows_of(const Set<T>& s, int64_t graph) {
  return rows_of(s.ptr, s.rows, graph);
}

// Rows of `other` in the graphs of the rows of `own` that this block has.
template <class T>
__device__ inline Range rows_facing_block(const Set<T>& own, const Set<T>& other, int64_t graphs) {
  const int64_t first = block_row();
  const int64_t last = (first + kTile < own.rows ? first + kTile : own.rows) - 1;
  return {rows_of(other, graph_of(own.ptr, graphs, first)).begin,
          rows_of(other, graph_of(own.ptr, graphs, last)).end};
}

template <class T>
__device__ inline T distance2(const T* a, const T* b, int dim) {
  T total = T(0);
  for (int d = 0; d < dim; ++d) {
    const T delta = a[d] - b[d];
    total += delta * delta;
  }
  return total;
}

template <class T>
__device__ inline bool is_finite(const T* point, int dim) {
  bool finite = true;
  for (int d = 0; d < dim; ++d) finite = finite && point[d] - point[d] == T(0);
  return finite;
}

template <class T>
__device__ inline const T* box_of(const Set<T>& s, int64_t tile, int dim) {
  return s.box + 2 * tile * dim;
}

// Squared distance of a box, or of a point (low = high), to a box (2, D). Rounding is monotonic: no
// point of the boxes is computed to be nearer, where products are not fused into additions.
template <class T>
__device__ inline T box_distance2(const T* low, const T* high, const T* box, int dim) {
  T total = T(0);
  for (int d = 0; d < dim; ++d) {
    const T left = low[d] - box[dim + d], right = box[d] - high[d];
    T gap = left > right ? left : right;
    gap = gap > T(0) ? gap : T(0);
    total += gap * gap;
  }
  return total;
}

// Copies a tile of rows (., D) to shared memory; all threads of the block must call it.
template <class T>
__device__ inline void load_tile(const Set<T>& s, int64_t first, int dim, T* tile) {
  const int64_t count = (s.rows - first < kTile ? s.rows - first : kTile) * dim;
  for (int64_t i = threadIdx.x; i < count; i += kTile) tile[i] = s.points[first * dim + i];
}

}  // namespace geo
