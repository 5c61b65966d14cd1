// Cells of points along a Morton curve through their widest dimensions, graph in front.
#include "cuda/launch.cuh"
#include "cuda/sets.cuh"

namespace geo {
namespace {

constexpr int kThreads = 256;
constexpr int kCurveDims = GEO_CUDA_CURVE_DIMS;

template <class T>
__global__ void codes_kernel(const T* points, int64_t n, int dim, const T* low, const T* high,
                             const int64_t* ptr, int64_t graphs, int bits, int64_t* code) {
  __shared__ int widest[kCurveDims];
  const int dims = dim < kCurveDims ? dim : kCurveDims;
  if (threadIdx.x == 0) {  // by extent, of equal ones the first
    uint64_t chosen = 0;
    for (int k = 0; k < dims; ++k) {
      int best = -1;
      for (int d = 0; d < dim; ++d)
        if (!(chosen >> d & 1) && (best < 0 || high[d] - low[d] > high[best] - low[best])) best = d;
      chosen |= uint64_t{1} << best;
      widest[k] = best;
    }
  }
  __syncthreads();
  const int64_t i = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  if (i >= n) return;
  const unsigned top = (1u << bits) - 1u;
  unsigned cell[kCurveDims];
  for (int k = 0; k < dims; ++k) {
    const int d = widest[k];
    const T c = points[i * dim + d], extent = high[d] - low[d];
    const T along = c - c == T(0) ? (c - low[d]) / extent * static_cast<T>(top) : T(0);
    // an extent of 0 gives NaN, which is not above 0
    cell[k] = along > T(0) ? (along < static_cast<T>(top) ? static_cast<unsigned>(along) : top) : 0;
  }
  int64_t value = graph_of(ptr, graphs, i);
  for (int bit = bits - 1; bit >= 0; --bit)
    for (int k = 0; k < dims; ++k) value = value << 1 | (cell[k] >> bit & 1u);
  code[i] = value;
}

template <class T>
int32_t codes(GEO_CUDA_CODES(T)) {
  if (n < 0 || dim < 1 || dim > kMaxDim || graphs < 0 || bits < 1 || bits > 16)
    return GEO_BAD_ARGUMENT;
  const OnDevice place(device);
  if (place.error != cudaSuccess || n == 0) return code_of(place.error);
  GEO_LAUNCH(codes_kernel<T>, (n + kThreads - 1) / kThreads, kThreads, stream, points, n, dim, low,
             high, ptr, graphs, bits, code);
  return code_of(cudaGetLastError());
}

}  // namespace
}  // namespace geo

extern "C" int32_t geo_cuda_codes_f32(GEO_CUDA_CODES(float)) {
  return geo::codes<float>(points, n, dim, low, high, ptr, graphs, bits, code, device, stream);
}
extern "C" int32_t geo_cuda_codes_f64(GEO_CUDA_CODES(double)) {
  return geo::codes<double>(points, n, dim, low, high, ptr, graphs, bits, code, device, stream);
}
