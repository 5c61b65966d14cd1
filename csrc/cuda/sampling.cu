// Farthest-point sampling on CUDA: one block per graph, all of its points per sample. Compiled
// without contraction to fused multiply-add, so that rows equal those of the CPU.
#include "cuda/block.cuh"
#include "cuda/launch.cuh"
#include "cuda/sets.cuh"

namespace geo {
namespace {

constexpr int kThreads = 1024;

template <class T>
struct Far {
  T dist2;
  int64_t row;
};

template <class T>
__device__ inline Far<T> farther(const Far<T>& a, const Far<T>& b) {
  return b.dist2 > a.dist2 || (b.dist2 == a.dist2 && b.row < a.row) ? b : a;
}

// far (N): squared distance to the samples so far; -1: not finite, comes last; -2: a sample itself.
template <class T>
__global__ void __launch_bounds__(kThreads)
    fps_kernel(const T* points, int64_t n, int dim, const int64_t* ptr, const int64_t* start,
               const int64_t* sample_ptr, T* far, int64_t* index) {
  const auto [begin, end] = rows_of(ptr, n, blockIdx.x);
  const int64_t out = sample_ptr[blockIdx.x], count = sample_ptr[blockIdx.x + 1] - out;
  if (count == 0 || begin >= end) return;
  for (int64_t i = begin + threadIdx.x; i < end; i += kThreads)  // a thread's rows stay its own
    far[i] = is_finite(points + i * dim, dim) ? T(INFINITY) : T(-1);
  int64_t row = start[blockIdx.x];
  row = row < begin ? begin : row < end ? row : end - 1;  // nobody looked at its value
  for (int64_t k = 0; k < count; ++k) {
    if (threadIdx.x == 0) index[out + k] = row;
    Far<T> mine{T(-3), end};
    for (int64_t i = begin + threadIdx.x; i < end; i += kThreads) {
      const T d2 = distance2(points + i * dim, points + row * dim, dim);
      far[i] = i == row ? T(-2) : d2 < far[i] ? d2 : far[i];
      mine = farther(mine, Far<T>{far[i], i});
    }
    row = block_reduce<kThreads>(mine, farther<T>).row;
  }
}

template <class T>
int32_t fps(GEO_CUDA_FPS(T)) {
  if (n < 0 || dim < 1 || graphs < 0) return GEO_BAD_ARGUMENT;
  const OnDevice place(device);
  if (place.error != cudaSuccess || graphs == 0 || n == 0) return code_of(place.error);
  GEO_LAUNCH(fps_kernel<T>, graphs, kThreads, stream, points, n, dim, ptr, start, sample_ptr, far,
             index);
  return code_of(cudaGetLastError());
}

}  // namespace
}  // namespace geo

extern "C" int32_t geo_cuda_fps_f32(GEO_CUDA_FPS(float)) {
  return geo::fps<float>(points, n, dim, graphs, ptr, start, sample_ptr, far, index, device,
                         stream);
}
extern "C" int32_t geo_cuda_fps_f64(GEO_CUDA_FPS(double)) {
  return geo::fps<double>(points, n, dim, graphs, ptr, start, sample_ptr, far, index, device,
                          stream);
}
