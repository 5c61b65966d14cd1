// Segment reductions on CUDA over rows sorted by id: a warp per short segment, a block per long
// one. Lanes take columns first, then rows, and join in a fixed tree: no atomic operation, one
// result.
#include "cuda/block.cuh"
#include "cuda/launch.cuh"

namespace geo {
namespace {

constexpr int kWarp = 32;
constexpr unsigned kAll = 0xffffffffu;
constexpr int kShortThreads = 256, kLongThreads = 512;
constexpr int64_t kLong = 1024;        // rows from which a block takes the segment
constexpr int64_t kLongBlocks = 2048;  // each looks at every kLongBlocks-th segment

template <class T>
struct Rows {
  const T* src;  // (N, F)
  int64_t width;
  const int64_t* ptr;    // (S + 1)
  const int64_t* order;  // (N) or null: the rows ascend by id
  int64_t segments;
  int columns;     // lanes side by side, a power of two up to 32
  int64_t groups;  // of so many columns
  T fill;
  T* out;  // (S, F)
};

template <int Kind, class T>
__device__ inline T join(T a, T b) {  // NaN wins over every number
  if (Kind == GEO_SUM) return a + b;
  if (Kind == GEO_MIN) return (b < a || b != b) ? b : a;
  return (b > a || b != b) ? b : a;
}

// Rows first + lane / columns, then every stride-th, of one column.
template <int Kind, class T>
__device__ inline T reduce_lane(const Rows<T>& r, int64_t first, int64_t last, int64_t column,
                                int lanes) {
  T acc = Kind == GEO_SUM ? T(0) : Kind == GEO_MIN ? T(INFINITY) : -T(INFINITY);
  if (column >= r.width) return acc;
  const int stride = lanes / r.columns;
#pragma unroll 4
  for (int64_t j = first + (threadIdx.x % lanes) / r.columns; j < last; j += stride)
    acc = join<Kind>(acc, r.src[(r.order ? r.order[j] : j) * r.width + column]);
  return acc;
}

template <class T, int Kind>
__global__ void short_kernel(Rows<T> r) {
  const int64_t warp =
      static_cast<int64_t>(blockIdx.x) * (kShortThreads / kWarp) + threadIdx.x / kWarp;
  const int64_t segment = warp / r.groups;
  if (segment >= r.segments) return;  // whole warps leave, here and below
  const int64_t first = r.ptr[segment], last = r.ptr[segment + 1];
  if (last - first > kLong) return;
  const int lane = threadIdx.x % kWarp;
  const int64_t column = (warp % r.groups) * r.columns + lane % r.columns;
  T acc = reduce_lane<Kind>(r, first, last, column, kWarp);
  for (int offset = kWarp / 2; offset >= r.columns; offset /= 2)
    acc = join<Kind>(acc, __shfl_down_sync(kAll, acc, offset));
  if (lane < r.columns && column < r.width)
    r.out[segment * r.width + column] = first == last ? r.fill : acc;
}

template <class T, int Kind>
__global__ void __launch_bounds__(kLongThreads, 4) long_kernel(Rows<T> r) {
  for (int64_t item = blockIdx.x; item < r.segments * r.groups; item += gridDim.x) {
    const int64_t segment = item / r.groups;
    const int64_t first = r.ptr[segment], last = r.ptr[segment + 1];
    if (last - first <= kLong) continue;  // the same for the whole block
    const int64_t column = (item % r.groups) * r.columns + threadIdx.x % r.columns;
    const T acc = block_reduce<kLongThreads>(
        reduce_lane<Kind>(r, first, last, column, kLongThreads), join<Kind, T>, r.columns);
    if (threadIdx.x < r.columns && column < r.width) r.out[segment * r.width + column] = acc;
  }
}

template <class T, int Kind>
void launch(const Rows<T>& r, int64_t n, void* stream) {
  const int64_t warps = r.segments * r.groups, per_block = kShortThreads / kWarp;
  GEO_LAUNCH((short_kernel<T, Kind>), (warps + per_block - 1) / per_block, kShortThreads, stream,
             r);
  if (n > kLong)
    GEO_LAUNCH((long_kernel<T, Kind>), warps < kLongBlocks ? warps : kLongBlocks, kLongThreads,
               stream, r);
}

template <class T>
int32_t segment_reduce(GEO_CUDA_SEGMENT(T)) {
  if (n < 0 || width < 0 || segments < 0) return GEO_BAD_ARGUMENT;
  const OnDevice place(device);
  if (place.error != cudaSuccess || segments == 0 || width == 0) return code_of(place.error);
  const T empty = kind == GEO_SUM ? T(0) : static_cast<T>(fill);
  Rows<T> rows{src, width, ptr, order, segments, 1, 1, empty, out};
  while (rows.columns < kWarp && rows.columns < width) rows.columns *= 2;
  rows.groups = (width + rows.columns - 1) / rows.columns;
  switch (kind) {
    case GEO_SUM: launch<T, GEO_SUM>(rows, n, stream); break;
    case GEO_MIN: launch<T, GEO_MIN>(rows, n, stream); break;
    case GEO_MAX: launch<T, GEO_MAX>(rows, n, stream); break;
    default: return GEO_BAD_ARGUMENT;
  }
  return code_of(cudaGetLastError());
}

}  // namespace
}  // namespace geo

extern "C" int32_t geo_cuda_segment_reduce_f32(GEO_CUDA_SEGMENT(float)) {
  return geo::segment_reduce<float>(src, n, width, ptr, order, segments, kind, fill, out, device,
                                    stream);
}
extern "C" int32_t geo_cuda_segment_reduce_f64(GEO_CUDA_SEGMENT(double)) {
  return geo::segment_reduce<double>(src, n, width, ptr, order, segments, kind, fill, out, device,
                                     stream);
}
