// All points within a radius of each query on CUDA: counted, or written from a given place on.
#include "cuda/search.cuh"

namespace geo {
namespace {

template <class T>
struct Within {
  T radius2;
  int64_t found;
  int64_t* index;  // where this row starts, or null: only count
  T* dist2;

  __device__ T limit() const { return radius2; }
  __device__ void take(T d2, int64_t row) {
    if (!(d2 < T(INFINITY))) return;
    if (index) {
      index[found] = row;
      dist2[found] = d2;
    }
    ++found;
  }
};

template <class T, int D>
__global__ void radius_kernel(Search<T> s, T radius2, const int64_t* row_ptr, int64_t* count,
                              int64_t* index, T* dist2) {
  const int64_t i = thread_row();
  const bool inside = i < s.queries.rows;
  Within<T> within{radius2, 0, nullptr, nullptr};
  if (inside && row_ptr) {
    const int64_t first = row_ptr[s.queries.order[i]];
    within.index = index + first;
    within.dist2 = dist2 + first;
  }
  visit<D>(s, within);
  if (inside && count) count[s.queries.order[i]] = within.found;
}

template <class T>
int32_t radius(const Search<T>& s, GEO_CUDA_RADIUS(T)) {
  if (!s.valid() || !(r >= 0)) return GEO_BAD_ARGUMENT;
  const OnDevice place(device);
  if (place.error != cudaSuccess || s.queries.rows == 0) return code_of(place.error);
  const T radius2 = static_cast<T>(r) * static_cast<T>(r);
  by_dim(s.dim, [&](auto d) {
    GEO_LAUNCH((radius_kernel<T, decltype(d)::value>), tiles_of(s.queries.rows), kTile, stream, s,
               radius2, row_ptr, count, index, dist2);
  });
  return code_of(cudaGetLastError());
}

}  // namespace
}  // namespace geo

extern "C" int32_t geo_cuda_radius_f32(GEO_CUDA_SEARCH(float), GEO_CUDA_RADIUS(float)) {
  return geo::radius(GEO_SEARCH(float), r, row_ptr, count, index, dist2, device, stream);
}
extern "C" int32_t geo_cuda_radius_f64(GEO_CUDA_SEARCH(double), GEO_CUDA_RADIUS(double)) {
  return geo::radius(GEO_SEARCH(double), r, row_ptr, count, index, dist2, device, stream);
}
