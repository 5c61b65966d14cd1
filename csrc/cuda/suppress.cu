// Greedy suppression on CUDA: one block per graph visits the points in order, all of its threads
// strike out the neighbours of a kept one. Compiled without contraction to fused multiply-add.
#include "cuda/launch.cuh"
#include "cuda/sets.cuh"

namespace geo {
namespace {

constexpr int kThreads = 512;

template <class T>
__global__ void suppress_kernel(const T* points, int64_t n, int dim, const int64_t* ptr,
                                const int64_t* visit, T radius2, uint8_t* keep) {
  const Range rows = rows_of(ptr, n, blockIdx.x);
  volatile uint8_t* alive = keep;
  for (int64_t i = rows.begin; i < rows.end; ++i) {
    const T* point = points + visit[i] * dim;
    // the same for all threads: nothing is written between barriers
    if (!alive[visit[i]] || !is_finite(point, dim)) continue;
    __syncthreads();  // everybody has read before somebody writes
    for (int64_t j = i + 1 + threadIdx.x; j < rows.end; j += kThreads) {
      const T* other = points + visit[j] * dim;
      // where the square of the radius overflows, so may the distance of a point at infinity
      if (alive[visit[j]] && distance2(other, point, dim) <= radius2 && is_finite(other, dim))
        alive[visit[j]] = 0;
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
