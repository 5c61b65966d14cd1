// The potential on CUDA: a thread per row, the other set in shared tiles, far tiles skipped whole.
//
// Each side's gradient is summed by its own rows (the pairs are computed once per side), so that no
// atomic addition makes the result depend on the schedule.
#include "cuda/common.cuh"

namespace geo {
namespace {

constexpr int kGraphThreads = 256;

enum class Role { symmetric, x_rows, y_rows };

template <class T>
struct Extra {
  const int64_t* id;
  const T* weight;
};

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

template <class T>
__device__ inline bool finite_row(const T* point, int dim) {
  bool finite = true;
  for (int d = 0; d < dim; ++d) finite = finite && point[d] - point[d] == T(0);
  return finite;
}

template <class T, int D, bool Grad>
__global__ void rows_kernel(Set<T> a, Set<T> b, Extra<T> ea, Extra<T> eb, int dim, int64_t graphs,
                            Hinge<T> hinge, Role role, double* row_energy, int64_t* row_active,
                            T* grad) {
  constexpr int Known = D ? D : kMaxDim;
  const int n = D ? D : dim;
  __shared__ T tile[kTile * Known];
  __shared__ T weight[kTile];
  __shared__ int64_t id[kTile];
  const int64_t block_row = static_cast<int64_t>(blockIdx.x) * kTile;
  const int64_t i = block_row + threadIdx.x;
  const bool inside = i < a.rows;
  const int64_t last_row = (block_row + kTile < a.rows ? block_row + kTile : a.rows) - 1;
  const int64_t block_begin = first_row(b, graph_of(a.ptr, graphs, block_row));
  const int64_t block_end = end_row(b, graph_of(a.ptr, graphs, last_row));

  T c[Known], g[Known];
  int64_t begin = 0, end = 0, local = 0, my_id = 0;
  T my_weight = T(1);
  bool finite = true;
  int64_t b_base = 0;
  if (inside) {
    const int64_t graph = graph_of(a.ptr, graphs, i);
    begin = b_base = first_row(b, graph);
    end = end_row(b, graph);
    local = a.order[i] - first_row(a, graph);
    if (ea.id) my_id = ea.id[i];
    if (ea.weight) my_weight = ea.weight[i];
    for (int d = 0; d < n; ++d) {
      c[d] = a.points[i * n + d];
      g[d] = T(0);
      finite = finite && c[d] - c[d] == T(0);
    }
    if (my_weight == T(0)) end = begin;
  }
  const T reach2 = hinge.radius2 * (T(1) + T(16 + 2 * n) * (sizeof(T) == 4 ? T(6e-8) : T(2e-16)));
  const T* my_box = a.box + 2 * static_cast<int64_t>(blockIdx.x) * n;
  double energy = 0;
  int64_t active = 0;

  // a thread looks at the box of one tile each, then the block visits the near ones together
  for (int64_t base = block_begin / kTile; base * kTile < block_end; base += kTile) {
    const int64_t candidate = base + threadIdx.x;
    const bool near = candidate * kTile < block_end &&
                      boxes_distance2(my_box, b.box + 2 * candidate * n, n) <= reach2;
    for (uint64_t mask = block_mask(near); mask; mask &= mask - 1) {
      const int64_t t = base + __ffsll(static_cast<long long>(mask)) - 1;
      const int64_t first = t * kTile;
      __syncthreads();
      load_tile(b.points, first, b.rows, n, tile);
      if (first + threadIdx.x < b.rows) {
        weight[threadIdx.x] = eb.weight ? eb.weight[first + threadIdx.x] : T(1);
        id[threadIdx.x] = eb.id ? eb.id[first + threadIdx.x] : 0;
      }
      __syncthreads();
      const int64_t from = begin > first ? begin : first;
      const int64_t to = end < first + kTile ? end : first + kTile;
      T partial = T(0);
      for (int64_t j = from; j < to; ++j) {
        const int s = static_cast<int>(j - first);
        T d2 = T(0);
        for (int d = 0; d < n; ++d) {
          const T delta = c[d] - tile[s * n + d];
          d2 += delta * delta;
        }
        if (!(d2 < hinge.radius2) || weight[s] == T(0)) continue;
        if (role == Role::symmetric && i == j) continue;
        if (ea.id && my_id == id[s] && my_id >= 0) continue;
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
          const int64_t other = b.order[j] - b_base;
          const T sign = role == Role::y_rows ? -tie_sign<T>(other, local) : tie_sign<T>(local, other);
          const int axis = tie_axis(local, other, n);
          const T push = hinge.slope_at_zero() * my_weight * weight[s] * sign;
          for (int d = 0; d < n; ++d) g[d] += d == axis ? push : T(0);
        } else {
          const T slope = -hinge.power * k * inverse;
          for (int d = 0; d < n; ++d) g[d] += slope * (c[d] - tile[s * n + d]);
        }
      }
      energy += static_cast<double>(partial);
    }
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

// NaN for each tile with a row that counts and is not finite, else 0.
template <class T>
__global__ void poison_kernel(Set<T> y, const T* y_weight, int dim, double* tile_poison) {
  const int64_t j = static_cast<int64_t>(blockIdx.x) * kTile + threadIdx.x;
  const bool bad = j < y.rows && !(y_weight && y_weight[j] == T(0)) &&
                   !finite_row(y.points + j * dim, dim);
  const bool any = __syncthreads_or(bad);
  if (threadIdx.x == 0) tile_poison[blockIdx.x] = any ? NAN : 0.0;
}

// Rows [begin, end) as the tiles wholly inside and the rows before and behind them.
struct Span {
  int64_t begin, head_end, first_tile, last_tile, tail_begin, end;

  __device__ Span(int64_t b, int64_t e) : begin(b), end(e) {
    first_tile = (b + kTile - 1) / kTile;
    last_tile = e / kTile;
    const bool any = first_tile < last_tile;
    if (!any) last_tile = first_tile;
    head_end = any ? first_tile * kTile : e;
    tail_begin = any ? last_tile * kTile : e;
  }
};

// One block per graph adds its tiles and single rows in a fixed order.
template <class T>
__global__ void graphs_kernel(Set<T> x, Set<T> y, const T* y_weight, int dim,
                              const double* row_energy, const int64_t* row_active,
                              const double* tile_poison, T* energy, int64_t* active) {
  __shared__ double sums[kGraphThreads];
  __shared__ int64_t counts[kGraphThreads];
  const int64_t graph = blockIdx.x;
  const Span rows(first_row(x, graph), end_row(x, graph));
  double sum = 0;
  int64_t count = 0;
  const auto add = [&](int64_t from, int64_t to) {
    for (int64_t i = from + threadIdx.x; i < to; i += kGraphThreads) {
      sum += row_energy[i];
      count += row_active[i];
    }
  };
  add(rows.begin, rows.head_end);
  add(x.rows + rows.first_tile, x.rows + rows.last_tile);  // the sums of tiles follow the rows
  add(rows.tail_begin, rows.end);
  if (y.points) {
    const Span others(first_row(y, graph), end_row(y, graph));
    const auto look = [&](int64_t from, int64_t to) {
      for (int64_t j = from + threadIdx.x; j < to; j += kGraphThreads)
        if (!(y_weight && y_weight[j] == T(0)) && !finite_row(y.points + j * dim, dim)) sum = NAN;
    };
    look(others.begin, others.head_end);
    for (int64_t t = others.first_tile + threadIdx.x; t < others.last_tile; t += kGraphThreads)
      sum += tile_poison[t];
    look(others.tail_begin, others.end);
  }
  sums[threadIdx.x] = sum;
  counts[threadIdx.x] = count;
  __syncthreads();
  for (int half = kGraphThreads / 2; half > 0; half /= 2) {
    if (threadIdx.x < half) {
      sums[threadIdx.x] += sums[threadIdx.x + half];
      counts[threadIdx.x] += counts[threadIdx.x + half];
    }
    __syncthreads();
  }
  if (threadIdx.x == 0) {
    energy[graph] = static_cast<T>(sums[0]);
    active[graph] = counts[0];
  }
}

template <class T, int D>
void launch_rows(const Set<T>& a, const Set<T>& b, Extra<T> ea, Extra<T> eb, int dim,
                 int64_t graphs, Hinge<T> hinge, Role role, double* row_energy,
                 int64_t* row_active, T* grad, void* stream) {
  if (a.rows == 0) return;
  if (grad)
    GEO_LAUNCH((rows_kernel<T, D, true>), tiles_of(a.rows), kTile, stream, a, b, ea, eb, dim,
               graphs, hinge, role, row_energy, row_active, grad);
  else
    GEO_LAUNCH((rows_kernel<T, D, false>), tiles_of(a.rows), kTile, stream, a, b, ea, eb, dim,
               graphs, hinge, role, row_energy, row_active, grad);
}

template <class T, class... Rest>
void dispatch(int dim, const Set<T>& a, Rest... rest) {
  switch (dim) {
    case 1: return launch_rows<T, 1>(a, rest...);
    case 2: return launch_rows<T, 2>(a, rest...);
    case 3: return launch_rows<T, 3>(a, rest...);
    case 4: return launch_rows<T, 4>(a, rest...);
    case 8: return launch_rows<T, 8>(a, rest...);
    case 12: return launch_rows<T, 12>(a, rest...);
    case 16: return launch_rows<T, 16>(a, rest...);
    default: return launch_rows<T, 0>(a, rest...);
  }
}

template <class T>
int32_t potential(GEO_CUDA_POTENTIAL(T)) {
  if (x_rows < 0 || y_rows < 0 || dim < 1 || dim > kMaxDim || graphs < 0 || power < 1 ||
      power > 2 || !(radius >= 0))
    return GEO_BAD_ARGUMENT;
  const OnDevice place(device);
  if (place.error != cudaSuccess || graphs == 0) return code_of(place.error);
  const Set<T> sx{x, x_rows, x_ptr, x_order, x_box}, sy{y, y_rows, y_ptr, y_order, y_box};
  const Extra<T> ex{x_instance, x_weight}, ey{y_instance, y_weight};
  const Hinge<T> hinge(radius, power);
  if (y) {
    dispatch<T>(dim, sx, sy, ex, ey, dim, graphs, hinge, Role::x_rows, row_energy, row_active,
                grad_x, stream);
    if (grad_y)
      dispatch<T>(dim, sy, sx, ey, ex, dim, graphs, hinge, Role::y_rows,
                  static_cast<double*>(nullptr), static_cast<int64_t*>(nullptr), grad_y, stream);
  } else {
    dispatch<T>(dim, sx, sx, ex, ex, dim, graphs, hinge, Role::symmetric, row_energy, row_active,
                grad_x, stream);
  }
  double* tile_poison = row_energy + x_rows + tiles_of(x_rows);
  if (y && y_rows > 0)
    GEO_LAUNCH(poison_kernel<T>, tiles_of(y_rows), kTile, stream, sy, y_weight, dim, tile_poison);
  GEO_LAUNCH(graphs_kernel<T>, graphs, kGraphThreads, stream, sx, sy, y_weight, dim, row_energy,
             row_active, tile_poison, energy, active);
  return code_of(cudaGetLastError());
}

}  // namespace
}  // namespace geo

#define GEO_ARGUMENTS                                                                          \
  x, x_rows, x_ptr, x_order, x_box, y, y_rows, y_ptr, y_order, y_box, dim, graphs, x_instance, \
      y_instance, x_weight, y_weight, radius, power, row_energy, row_active, energy, active,   \
      grad_x, grad_y, device, stream

extern "C" int32_t geo_cuda_potential_f32(GEO_CUDA_POTENTIAL(float)) {
  return geo::potential<float>(GEO_ARGUMENTS);
}
extern "C" int32_t geo_cuda_potential_f64(GEO_CUDA_POTENTIAL(double)) {
  return geo::potential<double>(GEO_ARGUMENTS);
}
