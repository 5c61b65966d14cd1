// What the CUDA kernels share: sorted point sets, tiles of rows, boxes, launching.
#pragma once

#include <cuda_runtime.h>

#include <cmath>
#include <cstdint>

#include "cuda_api.h"
#include "hinge.h"

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

template <class T>
__device__ inline int64_t first_row(const Set<T>& s, int64_t graph) {
  return s.ptr ? s.ptr[graph] : 0;
}
template <class T>
__device__ inline int64_t end_row(const Set<T>& s, int64_t graph) {
  return s.ptr ? s.ptr[graph + 1] : s.rows;
}

// Squared distance of two boxes (2, D).
template <class T>
__device__ inline T boxes_distance2(const T* a, const T* b, int dim) {
  T total = T(0);
  for (int d = 0; d < dim; ++d) {
    const T left = a[d] - b[dim + d], right = b[d] - a[dim + d];
    T gap = left > right ? left : right;
    gap = gap > T(0) ? gap : T(0);
    total += gap * gap;
  }
  return total;
}

// Copies a tile of rows (., D) to shared memory; all threads of the block must call it.
template <class T>
__device__ inline void load_tile(const T* points, int64_t first, int64_t rows, int dim, T* tile) {
  const int64_t count = (rows - first < kTile ? rows - first : kTile) * dim;
  for (int64_t i = threadIdx.x; i < count; i += kTile) tile[i] = points[first * dim + i];
}

// One bit of each thread of a block of kTile; all of them must call it.
__device__ inline uint64_t block_mask(bool mine) {
  static_assert(kTile == 64, "two warps");
  __shared__ unsigned half[2];
  const unsigned ballot = __ballot_sync(0xffffffffu, mine);
  __syncthreads();  // everybody has read the last mask
  if (threadIdx.x % 32 == 0) half[threadIdx.x / 32] = ballot;
  __syncthreads();
  return static_cast<uint64_t>(half[1]) << 32 | half[0];
}

// Largest value of a block of kTile; all of its threads must call it.
template <class T>
__device__ inline T block_max(T mine) {
  __shared__ T half[2];
  for (int offset = 16; offset > 0; offset /= 2) {
    const T other = __shfl_xor_sync(0xffffffffu, mine, offset);
    mine = other > mine ? other : mine;
  }
  __syncthreads();  // everybody has read the last maximum
  if (threadIdx.x % 32 == 0) half[threadIdx.x / 32] = mine;
  __syncthreads();
  return half[0] > half[1] ? half[0] : half[1];
}

inline int64_t tiles_of(int64_t rows) { return (rows + kTile - 1) / kTile; }

inline int32_t code_of(cudaError_t error) {
  return error == cudaSuccess ? GEO_OK : GEO_CUDA_ERROR + static_cast<int32_t>(error);
}

// Makes the device of the call current, and the caller's again afterwards; the launches in between
// report through cudaGetLastError.
class OnDevice {
 public:
  explicit OnDevice(int32_t device) {
    cudaGetLastError();  // an error left by somebody else is not ours
    error = cudaGetDevice(&before_);
    if (error != cudaSuccess || before_ == device) return;
    error = cudaSetDevice(device);
    changed_ = error == cudaSuccess;
  }
  ~OnDevice() {
    if (changed_) cudaSetDevice(before_);
  }
  OnDevice(const OnDevice&) = delete;
  OnDevice& operator=(const OnDevice&) = delete;

  cudaError_t error;

 private:
  int before_ = 0;
  bool changed_ = false;
};

#define GEO_LAUNCH(kernel, blocks, threads, stream, ...) \
  kernel<<<static_cast<unsigned>(blocks), threads, 0, static_cast<cudaStream_t>(stream)>>>(__VA_ARGS__)

}  // namespace geo
