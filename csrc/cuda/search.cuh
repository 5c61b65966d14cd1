// Searches on CUDA: a thread per query, tiles of points visited from the nearest one outwards and
// skipped when no query of the block can gain. To be compiled without contraction to fused
// multiply-add, so that indices equal those of the CPU.
#pragma once

#include "cuda/block.cuh"
#include "cuda/launch.cuh"
#include "cuda/sets.cuh"

namespace geo {

template <class T>
struct Search {
  Set<T> points, queries;
  bool self;  // the queries are the points, each excluded from its own list
  int dim;
  int64_t graphs;

  bool valid() const {
    return points.rows >= 0 && queries.rows >= 0 && dim >= 1 && dim <= kMaxDim &&
           graphs >= (queries.rows > 0 ? 1 : 0);
  }
};

// The Search of the arguments GEO_CUDA_SEARCH(T).
#define GEO_SEARCH(T)                                                                           \
  geo::Search<T> {                                                                              \
    {points, points_rows, points_ptr, points_order, points_box},                                \
        {queries, queries_rows, queries_ptr, queries_order, queries_box}, self != 0, dim, graphs \
  }

namespace {

// The tile of [first, last) whose box is nearest to the block's, the smallest of equals.
template <class T>
__device__ int64_t nearest_tile(const T* my_box, const Set<T>& points, int dim, int64_t first,
                                int64_t last) {
  struct Near {
    T dist2;
    int64_t tile;
  };
  Near mine{T(INFINITY), first};
  for (int64_t t = first + threadIdx.x; t < last; t += kTile) {
    const T d2 = box_distance2(my_box, my_box + dim, box_of(points, t, dim), dim);
    if (d2 < mine.dist2) mine = {d2, t};
  }
  return block_reduce<kTile>(mine, [](const Near& a, const Near& b) {
           return b.dist2 < a.dist2 || (b.dist2 == a.dist2 && b.tile < a.tile) ? b : a;
         }).tile;
}

// Visits the tiles that hold the graphs of this block's queries. Gain:
//   T limit() const            squared distance up to which a point matters to this thread
//   void take(T d2, int64_t row)   one such point, by the caller's row
template <int D, class T, class Gain>
__device__ void visit(const Search<T>& s, Gain& gain) {
  constexpr int Known = D ? D : kMaxDim;
  const int n = D ? D : s.dim;
  __shared__ T tile[kTile * Known];
  const Set<T>& points = s.points;
  const int64_t i = thread_row();
  T c[Known];
  Range mine{0, 0};
  bool asks = i < s.queries.rows;
  for (int d = 0; asks && d < n; ++d) {
    c[d] = s.queries.points[i * n + d];
    asks = c[d] - c[d] == T(0);  // a query that is not finite has no neighbours
  }
  if (asks) mine = rows_of(points, graph_of(s.queries.ptr, s.graphs, i));
  const Range all = rows_facing_block(s.queries, points, s.graphs);
  if (all.end <= all.begin) return;  // the same for the whole block
  const int64_t low = all.begin / kTile, high = (all.end + kTile - 1) / kTile;
  const T* my_box = box_of(s.queries, blockIdx.x, n);
  const int64_t start =
      s.self ? static_cast<int64_t>(blockIdx.x) : nearest_tile(my_box, points, n, low, high);

  const auto visit_tile = [&](int64_t t) {  // all threads of the block
    const int64_t first = t * kTile;
    const Range rows = mine.within_tile(first);
    const bool wanted =
        rows.begin < rows.end && box_distance2(c, c, box_of(points, t, n), n) <= gain.limit();
    if (!__syncthreads_or(wanted)) return;  // also: everybody has left the previous tile
    load_tile(points, first, n, tile);
    __syncthreads();
    if (!wanted) return;
    for (int64_t j = rows.begin; j < rows.end; ++j) {
      const T d2 = distance2(tile + (j - first) * n, c, n);
      if (d2 <= gain.limit() && !(s.self && i == j)) gain.take(d2, points.order[j]);
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
      const int64_t t = batch * kTile + threadIdx.x;
      const bool near = t >= low && t < high && t != start &&
                        box_distance2(my_box, my_box + n, box_of(points, t, n), n) <= limit;
      visit_wanted(near, batch * kTile, visit_tile);
    }
  }
}

}  // namespace
}  // namespace geo
