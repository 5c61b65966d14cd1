// The k nearest points of each query on CUDA: a sorted list per thread.
#include "cuda/search.cuh"

namespace geo {
namespace {

constexpr int kMaxK = 128;

template <class T, int K>
struct Nearest {
  T dist2[K];
  int64_t row[K];
  int k;

  __device__ explicit Nearest(int size) : k(size) {
    for (int e = 0; e < k; ++e) {
      dist2[e] = T(INFINITY);
      row[e] = -1;
    }
  }
  __device__ T limit() const { return dist2[k - 1]; }
  __device__ bool before(T d2, int64_t r, int at) const {
    return d2 < dist2[at] || (d2 == dist2[at] && r < row[at]);
  }
  __device__ void take(T d2, int64_t r) {
    // an unbounded list has a limit of inf: an overflowed distance is nobody's neighbour
    if (!(d2 < T(INFINITY)) || !before(d2, r, k - 1)) return;
    int at = k - 1;
    for (; at > 0 && before(d2, r, at - 1); --at) {
      dist2[at] = dist2[at - 1];
      row[at] = row[at - 1];
    }
    dist2[at] = d2;
    row[at] = r;
  }
};

template <class T, int D, int K>
__global__ void knn_kernel(Search<T> s, int k, int64_t* index, T* dist2) {
  Nearest<T, K> nearest(k);
  visit<D>(s, nearest);
  const int64_t i = thread_row();
  if (i >= s.queries.rows) return;
  const int64_t out = s.queries.order[i] * k;
  for (int e = 0; e < k; ++e) {
    index[out + e] = nearest.row[e];
    dist2[out + e] = nearest.dist2[e];
  }
}

template <class T>
int32_t knn(const Search<T>& s, GEO_CUDA_KNN(T)) {
  if (!s.valid() || k < 1 || k > kMaxK) return GEO_BAD_ARGUMENT;
  const OnDevice place(device);
  if (place.error != cudaSuccess || s.queries.rows == 0) return code_of(place.error);
  by_dim(s.dim, [&](auto d) {
    constexpr int D = decltype(d)::value;
    const auto kernel = k <= 16   ? knn_kernel<T, D, 16>
                        : k <= 32 ? knn_kernel<T, D, 32>
                                  : knn_kernel<T, D, kMaxK>;
    GEO_LAUNCH(kernel, tiles_of(s.queries.rows), kTile, stream, s, k, index, dist2);
  });
  return code_of(cudaGetLastError());
}

}  // namespace
}  // namespace geo

extern "C" int32_t geo_cuda_knn_f32(GEO_CUDA_SEARCH(float), GEO_CUDA_KNN(float)) {
  return geo::knn(GEO_SEARCH(float), k, index, dist2, device, stream);
}
extern "C" int32_t geo_cuda_knn_f64(GEO_CUDA_SEARCH(double), GEO_CUDA_KNN(double)) {
  return geo::knn(GEO_SEARCH(double), k, index, dist2, device, stream);
}
