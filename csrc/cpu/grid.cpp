// Voxels: the cells of a point are packed into one 64-bit key, graph first, and ranked. Where they
// do not fit, what was packed so far is ranked first, which leaves at most 32 bits of it.
#include <algorithm>
#include <limits>
#include <vector>

#include "api.h"
#include "cpu/ranks.h"
#include "cpu/team.h"

namespace geo {
namespace {

constexpr double kLargestCell = 4611686018427387904.0;  // 2^62: differences of cells fit 63 bits

// floor(v) for |v| < 2^62
inline int64_t floor_cell(double v) {
  const int64_t cell = static_cast<int64_t>(v);
  return cell - (v < static_cast<double>(cell));
}

template <class T>
struct Cells {
  const T* points;
  int64_t n;
  int dim;
  const double *size, *origin;
  int threads;

  double scaled(int64_t i, int d) const {
    return (static_cast<double>(points[i * dim + d]) - origin[d]) / size[d];
  }

  // Smallest and largest cell along a dimension; false: one does not fit or is not a number.
  bool range(int d, int64_t* low, int64_t* high) const {
    double least = std::numeric_limits<double>::infinity(), most = -least;
    bool good = true;
#pragma omp parallel for num_threads(threads) schedule(static) \
    reduction(min : least) reduction(max : most) reduction(&& : good)
    for (int64_t i = 0; i < n; ++i) {
      const double v = scaled(i, d);
      good = good && v > -kLargestCell && v < kLargestCell;
      least = v < least ? v : least;
      most = v > most ? v : most;
    }
    if (!good) return false;
    *low = floor_cell(least);
    *high = floor_cell(most);
    return true;
  }

  // key = key << bits | (cell - low)
  void append(int d, int64_t low, int bits, std::vector<uint64_t>& key) const {
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t i = 0; i < n; ++i) {
      const uint64_t cell = static_cast<uint64_t>(floor_cell(scaled(i, d)) - low);
      key[i] = (bits < 64 ? key[i] << bits : 0) | cell;
    }
  }
};

template <class T>
int32_t number_cells(const Cells<T>& cells, std::vector<uint64_t>& key, int used) {
  for (int d = 0; d < cells.dim; ++d) {
    int64_t low, high;
    if (!cells.range(d, &low, &high)) return GEO_ID_RANGE;
    const int bits = bits_of(static_cast<uint64_t>(high - low));
    if (bits == 0) continue;
    if (used + bits > 64) used = bits_of(rank_keys(key, cells.threads) - 1);
    if (used + bits <= 64) {
      cells.append(d, low, bits, key);
      used += bits;
      continue;
    }
    std::vector<uint64_t> alone(cells.n, 0);  // this dimension spans too far: rank it by itself
    cells.append(d, low, bits, alone);
    const int rank_bits = bits_of(rank_keys(alone, cells.threads) - 1);
    for (int64_t i = 0; i < cells.n; ++i) key[i] = (key[i] << rank_bits) | alone[i];
    used += rank_bits;
  }
  rank_keys(key, cells.threads);
  return GEO_OK;
}

template <class T>
int32_t grid(GEO_GRID(T)) {
  if (n < 0 || n > std::numeric_limits<int32_t>::max() || dim < 1 || graphs < 0 || threads < 1)
    return GEO_BAD_ARGUMENT;
  for (int d = 0; d < dim; ++d)
    if (!(size[d] > 0)) return GEO_BAD_ARGUMENT;
  std::fill_n(voxel_ptr, graphs + 1, int64_t{0});
  if (n == 0) return GEO_OK;
  return guarded([&]() -> int32_t {
    std::vector<uint64_t> key(n, 0);
    for (int64_t b = 1; b < graphs; ++b) std::fill(&key[0] + ptr[b], &key[0] + ptr[b + 1], b);
    const Cells<T> cells{points, n, dim, size, origin, n < (1 << 14) ? 1 : threads};
    const int32_t code = number_cells(cells, key, bits_of(graphs - 1));
    if (code != GEO_OK) return code;
    int64_t voxels = 0;
    for (int64_t b = 0; b < graphs; ++b) {
      const int64_t end = ptr ? ptr[b + 1] : n;
      for (int64_t i = ptr ? ptr[b] : 0; i < end; ++i) {
        const int64_t v = static_cast<int64_t>(key[i]);
        for (; voxels <= v; ++voxels) count[voxels] = 0;  // those of this graph come after the last's
        if (count[v]++ == 0) first[v] = i;
        cluster[i] = v;
      }
      voxel_ptr[b + 1] = voxels;
    }
    return GEO_OK;
  });
}

}  // namespace
}  // namespace geo

extern "C" int32_t geo_grid_f32(GEO_GRID(float)) {
  return geo::grid<float>(points, n, dim, graphs, ptr, size, origin, threads, cluster, count, first,
                          voxel_ptr);
}
extern "C" int32_t geo_grid_f64(GEO_GRID(double)) {
  return geo::grid<double>(points, n, dim, graphs, ptr, size, origin, threads, cluster, count,
                           first, voxel_ptr);
}
