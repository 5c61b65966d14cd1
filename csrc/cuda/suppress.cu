// Greedy suppression on CUDA: one block per graph visits the points in order, all of its threads
// strike out the neighbours of a kept one. Compiled without contraction to fused multiply-add.
#include "cuda/common.cuh"

namespace geo {
namespace {

constexpr int kThreads = 512;

template <class T>
__global__ void suppress_kernel(const T* points, int64_t n, int dim, const int64_t* ptr,
                                const int64_t* visit, T radius2, uint8_t* keep) {
  const int64_t begin = ptr ? ptr[blockIdx.x] : 0, end = ptr ? ptr[blockIdx.x + 1] : n;
  volatile uint8_t* alive = keep;
  for (int64_t i = begin; i < end; ++i) {
    const int64_t row = visit[i];
    if (!alive[row]) continue;  // the same for all threads: nothing is written between barriers
    __syncthreads();            // everybody has read before somebody writes
    for (int64_t j = i + 1 + threadIdx.x; j < end; j += kThreads) {
      const int64_t other = visit[j];
      if (!alive[other]) continue;
      T d2 = T(0);
      for (int d = 0; d < dim; ++d) {
        const T delta = points[other * dim + d] - points[row * dim + d];
        d2 += delta * delta;
      }
      if (d2 <= radius2) alive[other] = 0;
    }
    __syncthreads();
  }
}

template <class T>
int32_t suppress(GEO_CUDA_SUPPRESS(T)) {
  if (n < 0 || dim < 1 || graphs < 0 || !(radius >= 0)) return GEO_BAD_ARGUMENT;
  const OnDevice place(device);
  if (place.error != cudaSuccess || graphs == 0 || n == 0) return code_of(place.error);
  const T radius2 = static_cast<T>(radius) * static_cast<T>(radius);
  GEO_LAUNCH(suppress_kernel<T>, graphs, kThreads, stream, points, n, dim, ptr, visit, radius2,
             keep);
  return code_of(cudaGetLastError());
}

}  // namespace
}  // namespace geo

extern "C" int32_t geo_cuda_suppress_f32(GEO_CUDA_SUPPRESS(float)) {
  return geo::suppress<float>(points, n, dim, graphs, ptr, visit, radius, keep, device, stream);
}
extern "C" int32_t geo_cuda_suppress_f64(GEO_CUDA_SUPPRESS(double)) {
  return geo::suppress<double>(points, n, dim, graphs, ptr, visit, radius, keep, device, stream);
}
