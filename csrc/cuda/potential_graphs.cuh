// The potential's sums: from rows and tiles of rows to graphs, in a fixed order.
#pragma once

#include "cuda/potential_rows.cuh"

namespace geo {
namespace {

constexpr int kGraphThreads = 256;

// NaN for each tile with a row that counts and is not finite, else 0.
template <class T>
__global__ void poison_kernel(Side<T> y, int dim, double* tile_poison) {
  const int64_t j = thread_row();
  const bool bad = j < y.rows && y.counts(j) && !is_finite(y.points + j * dim, dim);
  const bool any = __syncthreads_or(bad);
  if (threadIdx.x == 0) tile_poison[blockIdx.x] = any ? NAN : 0.0;
}

// Rows as the tiles wholly inside and the rows before and behind them.
struct Span {
  Range head, tiles, tail;

  __device__ explicit Span(Range rows) : head(rows), tiles{0, 0}, tail{rows.end, rows.end} {
    const int64_t first = (rows.begin + kTile - 1) / kTile, last = rows.end / kTile;
    if (first >= last) return;
    head.end = first * kTile;
    tiles = {first, last};
    tail.begin = last * kTile;
  }
};

struct Sums {
  double energy;
  int64_t active;
};

// One block per graph adds its tiles and single rows.
template <class T>
__global__ void graphs_kernel(Side<T> x, Side<T> y, int dim, const double* row_energy,
                              const int64_t* row_active, const double* tile_poison, T* energy,
                              int64_t* active) {
  const int64_t graph = blockIdx.x;
  Sums sums{0, 0};
  const auto add = [&](Range rows, int64_t offset) {
    for (int64_t i = rows.begin + threadIdx.x; i < rows.end; i += kGraphThreads) {
      sums.energy += row_energy[offset + i];
      sums.active += row_active[offset + i];
    }
  };
  const Span mine(rows_of(x, graph));
  add(mine.head, 0);
  add(mine.tiles, x.rows);  // the sums of tiles follow the rows
  add(mine.tail, 0);
  if (y.points) {
    const auto look = [&](Range rows) {
      for (int64_t j = rows.begin + threadIdx.x; j < rows.end; j += kGraphThreads)
        if (y.counts(j) && !is_finite(y.points + j * dim, dim)) sums.energy = NAN;
    };
    const Span others(rows_of(y, graph));
    look(others.head);
    for (int64_t t = others.tiles.begin + threadIdx.x; t < others.tiles.end; t += kGraphThreads)
      sums.energy += tile_poison[t];
    look(others.tail);
  }
  sums = block_reduce<kGraphThreads>(sums, [](const Sums& a, const Sums& b) {
    return Sums{a.energy + b.energy, a.active + b.active};
  });
  if (threadIdx.x == 0) {
    energy[graph] = static_cast<T>(sums.energy);
    active[graph] = sums.active;
  }
}

}  // namespace
}  // namespace geo
