// kNN and radius search on CUDA: a thread per query, tiles of points visited from the nearest one
// outwards and skipped when no query of the block can gain. Compiled without contraction to fused
// multiply-add, so that indices equal those of the CPU.
#include "cuda/common.cuh"

namespace geo {
namespace {

constexpr int kMaxK = 128;

// Squared distance of a point to a box (2, D).
template <class T>
__device__ inline T point_box_distance2(const T* c, const T* box, int dim) {
  T total = T(0);
  for (int d = 0; d < dim; ++d) {
    const T left = box[d] - c[d], right = c[d] - box[dim + d];
    T gap = left > right ? left : right;
    gap = gap > T(0) ? gap : T(0);
    total += gap * gap;
  }
  return total;
}

// The tile of [first, last) whose box is nearest to the block's, the smallest of equals.
template <class T>
__device__ int64_t nearest_tile(const T* my_box, const T* box, int dim, int64_t first,
                                int64_t last) {
  __shared__ T best[kTile];
  __shared__ int64_t where[kTile];
  T near = T(INFINITY);
  int64_t at = first;
  for (int64_t t = first + threadIdx.x; t < last; t += kTile) {
    const T d2 = boxes_distance2(my_box, box + 2 * t * dim, dim);
    if (d2 < near) {
      near = d2;
      at = t;
    }
  }
  best[threadIdx.x] = near;
  where[threadIdx.x] = at;
  __syncthreads();
  for (int half = kTile / 2; half > 0; half /= 2) {
    if (threadIdx.x < half) {
      const int other = threadIdx.x + half;
      if (best[other] < best[threadIdx.x] ||
          (best[other] == best[threadIdx.x] && where[other] < where[threadIdx.x])) {
        best[threadIdx.x] = best[other];
        where[threadIdx.x] = where[other];
      }
    }
    __syncthreads();
  }
  return where[0];
}

// Visits the tiles that hold the graphs of this block's queries. Gain:
//   T limit() const            squared distance up to which a point matters to this thread
//   void take(T d2, int64_t row)   one such point, by the caller's row
template <int D, class T, class Gain>
__device__ void visit(const Set<T>& points, const Set<T>& queries, bool self, int dim,
                      int64_t graphs, Gain& gain) {
  constexpr int Known = D ? D : kMaxDim;
  const int n = D ? D : dim;
  __shared__ T tile[kTile * Known];
  const int64_t block_row = static_cast<int64_t>(blockIdx.x) * kTile;
  const int64_t i = block_row + threadIdx.x;
  const int64_t last_row =
      (block_row + kTile < queries.rows ? block_row + kTile : queries.rows) - 1;
  const int64_t block_begin = first_row(points, graph_of(queries.ptr, graphs, block_row));
  const int64_t block_end = end_row(points, graph_of(queries.ptr, graphs, last_row));
  T c[Known];
  int64_t begin = 0, end = 0;
  bool asks = i < queries.rows;
  for (int d = 0; asks && d < n; ++d) {
    c[d] = queries.points[i * n + d];
    asks = c[d] - c[d] == T(0);  // a query that is not finite has no neighbours
  }
  if (asks) {
    const int64_t graph = graph_of(queries.ptr, graphs, i);
    begin = first_row(points, graph);
    end = end_row(points, graph);
  }
  const int64_t low = block_begin / kTile, high = (block_end + kTile - 1) / kTile;
  if (block_end <= block_begin) return;  // the same for the whole block
  const T* my_box = queries.box + 2 * static_cast<int64_t>(blockIdx.x) * n;
  const int64_t start =
      self ? static_cast<int64_t>(blockIdx.x) : nearest_tile(my_box, points.box, n, low, high);

  const auto visit_tile = [&](int64_t t) {  // all threads of the block
    const int64_t first = t * kTile;
    const int64_t from = begin > first ? begin : first;
    const int64_t to = end < first + kTile ? end : first + kTile;
    const bool wanted =
        from < to && point_box_distance2(c, points.box + 2 * t * n, n) <= gain.limit();
    if (!__syncthreads_or(wanted)) return;  // also: everybody has left the previous tile
    load_tile(points.points, first, points.rows, n, tile);
    __syncthreads();
    if (!wanted) return;
    for (int64_t j = from; j < to; ++j) {
      T d2 = T(0);
      for (int d = 0; d < n; ++d) {
        const T delta = tile[(j - first) * n + d] - c[d];
        d2 += delta * delta;
      }
      if (d2 <= gain.limit() && !(self && i == j)) gain.take(d2, points.order[j]);
    }
  };

  visit_tile(start);
  // outwards in batches of tiles: a thread looks at one box each with the widest limit of the block
  const int64_t first_batch = low / kTile, last_batch = (high - 1) / kTile;
  const int64_t middle = start / kTile;
  for (int64_t step = 0; middle - step >= first_batch || middle + step <= last_batch; ++step) {
    for (int side = 0; side < (step ? 2 : 1); ++side) {
      const int64_t batch = side ? middle - step : middle + step;
      if (batch < first_batch || batch > last_batch) continue;
      const T limit = block_max(asks ? gain.limit() : T(-1));
      const int64_t candidate = batch * kTile + threadIdx.x;
      const bool near = candidate >= low && candidate < high && candidate != start &&
                        boxes_distance2(my_box, points.box + 2 * candidate * n, n) <= limit;
      for (uint64_t mask = block_mask(near); mask; mask &= mask - 1)
        visit_tile(batch * kTile + __ffsll(static_cast<long long>(mask)) - 1);
    }
  }
}

template <class T, int K>
struct Nearest {
  T dist2[K];
  int64_t row[K];
  int k;

  __device__ T limit() const { return dist2[k - 1]; }
  __device__ static bool before(T d2, int64_t r, T other, int64_t other_row) {
    return d2 < other || (d2 == other && r < other_row);
  }
  __device__ void take(T d2, int64_t r) {
    // an unbounded list has a limit of inf: an overflowed distance is nobody's neighbour
    if (!(d2 < T(INFINITY)) || !before(d2, r, dist2[k - 1], row[k - 1]))
      return;
    int at = k - 1;
    for (; at > 0 && before(d2, r, dist2[at - 1], row[at - 1]); --at) {
      dist2[at] = dist2[at - 1];
      row[at] = row[at - 1];
    }
    dist2[at] = d2;
    row[at] = r;
  }
};

template <class T, int D, int K>
__global__ void knn_kernel(Set<T> points, Set<T> queries, bool self, int dim, int64_t graphs,
                           int k, int64_t* index, T* dist2) {
  Nearest<T, K> nearest;
  nearest.k = k;
  for (int e = 0; e < k; ++e) {
    nearest.dist2[e] = T(INFINITY);
    nearest.row[e] = -1;
  }
  visit<D>(points, queries, self, dim, graphs, nearest);
  const int64_t i = static_cast<int64_t>(blockIdx.x) * kTile + threadIdx.x;
  if (i >= queries.rows) return;
  const int64_t out = queries.order[i] * k;
  for (int e = 0; e < k; ++e) {
    index[out + e] = nearest.row[e];
    dist2[out + e] = nearest.dist2[e];
  }
}

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
__global__ void radius_kernel(Set<T> points, Set<T> queries, bool self, int dim, int64_t graphs,
                              T radius2, const int64_t* row_ptr, int64_t* count, int64_t* index,
                              T* dist2) {
  const int64_t i = static_cast<int64_t>(blockIdx.x) * kTile + threadIdx.x;
  const bool inside = i < queries.rows;
  Within<T> within{radius2, 0, nullptr, nullptr};
  if (inside && row_ptr) {
    within.index = index + row_ptr[queries.order[i]];
    within.dist2 = dist2 + row_ptr[queries.order[i]];
  }
  visit<D>(points, queries, self, dim, graphs, within);
  if (inside && count) count[queries.order[i]] = within.found;
}

template <class T, int D>
void launch_knn(const Set<T>& points, const Set<T>& queries, void* stream, bool self, int dim,
                int64_t graphs, int k, int64_t* index, T* dist2) {
  const int64_t blocks = tiles_of(queries.rows);
  if (k <= 16)
    GEO_LAUNCH((knn_kernel<T, D, 16>), blocks, kTile, stream, points, queries, self, dim, graphs,
               k, index, dist2);
  else if (k <= 32)
    GEO_LAUNCH((knn_kernel<T, D, 32>), blocks, kTile, stream, points, queries, self, dim, graphs,
               k, index, dist2);
  else
    GEO_LAUNCH((knn_kernel<T, D, kMaxK>), blocks, kTile, stream, points, queries, self, dim,
               graphs, k, index, dist2);
}

template <class T>
bool valid(const Set<T>& points, const Set<T>& queries, int dim, int64_t graphs) {
  return points.rows >= 0 && queries.rows >= 0 && dim >= 1 && dim <= kMaxDim && graphs >= 0;
}

#define GEO_BY_DIM(launch)            \
  switch (dim) {                      \
    case 2: launch(2); break;         \
    case 3: launch(3); break;         \
    case 4: launch(4); break;         \
    case 8: launch(8); break;         \
    case 16: launch(16); break;       \
    default: launch(0);               \
  }

template <class T>
int32_t knn(const Set<T>& points, const Set<T>& queries, bool self, int32_t dim, int64_t graphs,
            int32_t k, int64_t* index, T* dist2, int32_t device, void* stream) {
  if (!valid(points, queries, dim, graphs) || k < 1 || k > kMaxK) return GEO_BAD_ARGUMENT;
  const OnDevice place(device);
  if (place.error != cudaSuccess || queries.rows == 0) return code_of(place.error);
#define GEO_KNN_LAUNCH(D) \
  launch_knn<T, D>(points, queries, stream, self, dim, graphs, k, index, dist2)
  GEO_BY_DIM(GEO_KNN_LAUNCH)
  return code_of(cudaGetLastError());
}

template <class T>
int32_t radius(const Set<T>& points, const Set<T>& queries, bool self, int32_t dim,
               int64_t graphs, GEO_CUDA_RADIUS(T)) {
  if (!valid(points, queries, dim, graphs) || !(r >= 0)) return GEO_BAD_ARGUMENT;
  const OnDevice place(device);
  if (place.error != cudaSuccess || queries.rows == 0) return code_of(place.error);
  const T radius2 = static_cast<T>(r) * static_cast<T>(r);
#define GEO_RADIUS_LAUNCH(D)                                                                     \
  GEO_LAUNCH((radius_kernel<T, D>), tiles_of(queries.rows), kTile, stream, points, queries,      \
             self, dim, graphs, radius2, row_ptr, count, index, dist2)
  GEO_BY_DIM(GEO_RADIUS_LAUNCH)
  return code_of(cudaGetLastError());
}

}  // namespace
}  // namespace geo

#define GEO_SETS(T)                                                               \
  geo::Set<T>{points, points_rows, points_ptr, points_order, points_box},         \
      geo::Set<T>{queries, queries_rows, queries_ptr, queries_order, queries_box}, self != 0, \
      dim, graphs

extern "C" int32_t geo_cuda_knn_f32(GEO_CUDA_SEARCH(float), int32_t k, int64_t* index,
                                    float* dist2, int32_t device, void* stream) {
  return geo::knn<float>(GEO_SETS(float), k, index, dist2, device, stream);
}
extern "C" int32_t geo_cuda_knn_f64(GEO_CUDA_SEARCH(double), int32_t k, int64_t* index,
                                    double* dist2, int32_t device, void* stream) {
  return geo::knn<double>(GEO_SETS(double), k, index, dist2, device, stream);
}
extern "C" int32_t geo_cuda_radius_f32(GEO_CUDA_SEARCH(float), GEO_CUDA_RADIUS(float)) {
  return geo::radius<float>(GEO_SETS(float), r, row_ptr, count, index, dist2, device, stream);
}
extern "C" int32_t geo_cuda_radius_f64(GEO_CUDA_SEARCH(double), GEO_CUDA_RADIUS(double)) {
  return geo::radius<double>(GEO_SETS(double), r, row_ptr, count, index, dist2, device, stream);
}
