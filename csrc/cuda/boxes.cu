// Bounding boxes of tiles of sorted points.
#include "cuda/launch.cuh"
#include "cuda/sets.cuh"

namespace geo {
namespace {

template <class T>
__global__ void boxes_kernel(const T* points, int64_t rows, int dim, T* box) {
  const int64_t first = block_row();
  const int64_t last = first + kTile < rows ? first + kTile : rows;
  for (int d = threadIdx.x; d < dim; d += kTile) {
    T low = points[first * dim + d], high = low;
    for (int64_t i = first + 1; i < last; ++i) {
      const T c = points[i * dim + d];
      // a comparison with NaN is false: the first number replaces a leading NaN
      low = (c < low || low != low) ? c : low;
      high = (c > high || high != high) ? c : high;
    }
    box[(2 * static_cast<int64_t>(blockIdx.x)) * dim + d] = low;
    box[(2 * static_cast<int64_t>(blockIdx.x) + 1) * dim + d] = high;
  }
}

template <class T>
int32_t boxes(const T* points, int64_t n, int32_t dim, T* box, int32_t device, void* stream) {
  if (n < 0 || dim < 1 || dim > kMaxDim) return GEO_BAD_ARGUMENT;
  const OnDevice place(device);
  if (place.error != cudaSuccess || n == 0) return code_of(place.error);
  GEO_LAUNCH(boxes_kernel<T>, tiles_of(n), kTile, stream, points, n, dim, box);
  return code_of(cudaGetLastError());
}

}  // namespace
}  // namespace geo

extern "C" int32_t geo_cuda_abi_version(void) { return 8; }

extern "C" int32_t geo_cuda_boxes_f32(const float* points, int64_t n, int32_t dim, float* box,
                                      int32_t device, void* stream) {
  return geo::boxes(points, n, dim, box, device, stream);
}
extern "C" int32_t geo_cuda_boxes_f64(const double* points, int64_t n, int32_t dim, double* box,
                                      int32_t device, void* stream) {
  return geo::boxes(points, n, dim, box, device, stream);
}
