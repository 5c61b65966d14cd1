// What the threads of a block find out together. All of them must call these functions.
#pragma once

#include <cstdint>

#include "cuda/sets.cuh"

namespace geo {

// Joins the threads' values in one fixed tree: t with t + Threads / 2, then with t + Threads / 4...
// down to `groups` values; thread t gets that of t % groups.
template <int Threads, class V, class Join>
__device__ inline V block_reduce(V mine, Join join, int groups = 1) {
  __shared__ V part[Threads];
  __syncthreads();  // everybody has read the last result
  part[threadIdx.x] = mine;
  __syncthreads();
  for (int half = Threads / 2; half >= groups; half /= 2) {
    if (threadIdx.x < half)
      part[threadIdx.x] = join(part[threadIdx.x], part[threadIdx.x + half]);
    __syncthreads();
  }
  return part[threadIdx.x % groups];
}

// Largest value of a block of kTile.
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

// Calls visit(base + t) for every thread t of a block of kTile that wants it, in ascending order.
template <class Visit>
__device__ inline void visit_wanted(bool wanted, int64_t base, const Visit& visit) {
  static_assert(kTile == 64, "two warps");
  __shared__ unsigned half[2];
  const unsigned ballot = __ballot_sync(0xffffffffu, wanted);
  __syncthreads();  // everybody has read the last mask
  if (threadIdx.x % 32 == 0) half[threadIdx.x / 32] = ballot;
  __syncthreads();
  for (uint64_t mask = static_cast<uint64_t>(half[1]) << 32 | half[0]; mask; mask &= mask - 1)
    visit(base + __ffsll(static_cast<long long>(mask)) - 1);
}

}  // namespace geo
