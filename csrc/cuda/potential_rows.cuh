// The potential's pairs: a thread per row, the other set in shared tiles, far tiles skipped whole.
//
// Each side's gradient is summed by its own rows (the pairs are computed once per side), so that no
// atomic addition makes the result depend on the schedule.
#pragma once

#include "cuda/block.cuh"
#include "cuda/launch.cuh"
#include "cuda/sets.cuh"
#include "hinge.h"

namespace geo {

template <class T>
struct Side : Set<T> {
  const int64_t* instance;  // (N) or null
  const T* weight;          // (N) or null

  __device__ bool counts(int64_t row) const { return !weight || weight[row] != T(0); }
};

enum class Role { symmetric, x_rows, y_rows };  // what side a is

namespace {

// Sums of this block's rows, in a fixed tree; all of its threads must call it.
__device__ inline void sum_tile(double energy, int64_t active, double* tile_energy,
                                int64_t* tile_active) {
  __shared__ double sums[2];
  __shared__ int64_t counts[2];
  for (int offset = 16; offset > 0; offset /= 2) {
    energy += __shfl_down_sync(0xffffffffu, energy, offset);
    active += __shfl_down_sync(0xffffffffu, active, offset);
  }
  if (threadIdx.x % 32 == 0) {
    sums[threadIdx.x / 32] = energy;
    counts[threadIdx.x / 32] = active;
  }
  __syncthreads();
  if (threadIdx.x == 0) {
    tile_energy[blockIdx.x] = sums[0] + sums[1];
    tile_active[blockIdx.x] = counts[0] + counts[1];
  }
}

template <class T, int D, bool Grad>
__global__ void rows_kernel(Side<T> a, Side<T> b, int dim, int64_t graphs, Hinge<T> hinge,
                            Role role, double* row_energy, int64_t* row_active, T* grad) {
  constexpr int Known = D ? D : kMaxDim;
  const int n = D ? D : dim;
  __shared__ T tile[kTile * Known];
  __shared__ T weight[kTile];
  __shared__ int64_t instance[kTile];
  const int64_t i = thread_row();
  const bool inside = i < a.rows;

  T c[Known], g[Known];
  Range others{0, 0};  // rows of b in this row's graph
  int64_t local = 0, my_instance = 0;
  T my_weight = T(1);
  bool finite = true;
  if (inside) {
    const int64_t graph = graph_of(a.ptr, graphs, i);
    others = rows_of(b, graph);
    local = a.order[i] - rows_of(a, graph).begin;
    if (a.instance) my_instance = a.instance[i];
    if (a.weight) my_weight = a.weight[i];
    for (int d = 0; d < n; ++d) {
      c[d] = a.points[i * n + d];
      g[d] = T(0);
    }
    finite = is_finite(c, n);
    if (my_weight == T(0)) others.end = others.begin;
  }
  double energy = 0;
  int64_t active = 0;

  const auto visit_tile = [&](int64_t t) {  // all threads of the block
    const int64_t first = t * kTile;
    __syncthreads();  // everybody has left the previous tile
    load_tile(b, first, n, tile);
    if (first + threadIdx.x < b.rows) {
      weight[threadIdx.x] = b.weight ? b.weight[first + threadIdx.x] : T(1);
      instance[threadIdx.x] = b.instance ? b.instance[first + threadIdx.x] : 0;
    }
    __syncthreads();
    const Range rows = others.within_tile(first);
    T partial = T(0);
    for (int64_t j = rows.begin; j < rows.end; ++j) {
      const int s = static_cast<int>(j - first);
      const T d2 = distance2(c, tile + s * n, n);
      if (!(d2 < hinge.radius2) || weight[s] == T(0)) continue;
      if (role == Role::symmetric && i == j) continue;
      if (a.instance && my_instance == instance[s] && my_instance >= 0) continue;
      const bool tie = d2 < coincident_below<T>();
      const T inverse = rsqrt(d2);
      const T distance = tie ? T(0) : d2 * inverse;
      const T h = hinge.radius > distance ? hinge.radius - distance : T(0);
      const T k = (hinge.a + hinge.b * h) * my_weight * weight[s];
      if (role != Role::symmetric || i < j) {
        partial += h * k;
        ++active;
      }
      if (!Grad) continue;
      if (tie) {
        const int64_t other = b.order[j] - others.begin;
        const T sign =
            role == Role::y_rows ? -tie_sign<T>(other, local) : tie_sign<T>(local, other);
        const int axis = tie_axis(local, other, n);
        const T push = hinge.slope_at_zero() * my_weight * weight[s] * sign;
        for (int d = 0; d < n; ++d) g[d] += d == axis ? push : T(0);
      } else {
        const T slope = -hinge.power * k * inverse;
        for (int d = 0; d < n; ++d) g[d] += slope * (c[d] - tile[s * n + d]);
      }
    }
    energy += static_cast<double>(partial);
  };

  // a thread looks at the box of one tile each, then the block visits the near ones together; the
  // margin of a few roundings keeps the tiles of pairs that are just within the radius
  const T reach2 = hinge.radius2 * (T(1) + T(16 + 2 * n) * (sizeof(T) == 4 ? T(6e-8) : T(2e-16)));
  const T* my_box = box_of(a, blockIdx.x, n);
  const Range all = rows_facing_block(a, b, graphs);
  for (int64_t base = all.begin / kTile; base * kTile < all.end; base += kTile) {
    const int64_t t = base + threadIdx.x;
    const bool near = t * kTile < all.end &&
                      box_distance2(my_box, my_box + n, box_of(b, t, n), n) <= reach2;
    visit_wanted(near, base, visit_tile);
  }

  const bool poisoned = inside && !finite && my_weight != T(0);
  if (poisoned) energy = NAN;
  if (row_energy) {
    sum_tile(energy, active, row_energy + a.rows, row_active + a.rows);
    if (inside) {
      row_energy[i] = energy;
      row_active[i] = active;
    }
  }
  if (Grad && inside)
    for (int d = 0; d < n; ++d) grad[a.order[i] * n + d] = poisoned ? T(NAN) : g[d];
}

// Queues the rows of side a; row_energy NULL: only their gradient is wanted.
template <class T>
void launch_rows(const Side<T>& a, const Side<T>& b, int dim, int64_t graphs,
                 const Hinge<T>& hinge, Role role, double* row_energy, int64_t* row_active, T* grad,
                 void* stream) {
  if (a.rows == 0) return;
  by_dim(dim, [&](auto d) {
    constexpr int D = decltype(d)::value;
    const auto kernel = grad ? rows_kernel<T, D, true> : rows_kernel<T, D, false>;
    GEO_LAUNCH(kernel, tiles_of(a.rows), kTile, stream, a, b, dim, graphs, hinge, role, row_energy,
               row_active, grad);
  });
}

}  // namespace
}  // namespace geo
