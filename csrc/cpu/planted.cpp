#include "cpu/planted.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "cpu/team.h"

namespace geo {
namespace {

constexpr int64_t kFewLeaves = 512;  // below which a second thread does not pay

// A point that is not finite: NaN in its own gradient (its graph's energy is set by the caller).
template <class T>
void poison(const PointSet<T>& set, int dim) {
  for (int64_t i = 0; i < set.n; ++i) {
    if (set.weight && set.weight[i] == T(0)) continue;
    bool finite = true;
    for (int d = 0; d < dim; ++d) finite &= std::isfinite(set.points[i * dim + d]);
    if (!finite) std::fill_n(set.grad + i * dim, dim, std::numeric_limits<T>::quiet_NaN());
  }
}

}  // namespace

template <class T>
bool Planted<T>::plant_set(const PointSet<T>& set, int dim, int64_t graphs, bool with_weight,
                           int threads) {
  forest = plant_in_team(set.points, set.n, dim, graphs, set.ptr, set.weight, threads);
  const int64_t leaves = forest.leaves();
  graph = forest.graph_of_leaf();
  if (set.id) id.reset(leaves * kLeaf);
  if (with_weight) weight.reset(leaves * kLeaf);
  if (!set.id && !with_weight) return true;
  const int64_t blocks = (leaves + kFewLeaves - 1) / kFewLeaves;
  std::vector<uint8_t> misfits(blocks, 0);
  in_tasks(blocks, [&](int64_t k) {
    for (int64_t leaf = k * kFewLeaves; leaf < std::min(leaves, (k + 1) * kFewLeaves); ++leaf)
      misfits[k] |= !carry(set, leaf);
  });
  return std::find(misfits.begin(), misfits.end(), 1) == misfits.end();
}

template <class T>
bool Planted<T>::carry(const PointSet<T>& set, int64_t leaf) {
  const int64_t base = forest.base[graph[leaf]];
  bool fits = true;
  for (int64_t s = leaf * kLeaf; s < (leaf + 1) * kLeaf; ++s) {
    const bool used = forest.order[s] >= 0;
    const int64_t row = base + forest.order[s];
    if (set.id) {
      const int64_t value = used && set.id[row] >= 0 ? set.id[row] : -1;
      id[s] = static_cast<Id>(value);
      fits &= static_cast<int64_t>(id[s]) == value;
    }
    if (!weight.empty()) weight[s] = used && set.weight ? set.weight[row] : T(1);
  }
  return fits;
}

template <class T>
void Planted<T>::scatter(const std::vector<const T*>& parts, T unit, int threads,
                         const PointSet<T>& set) const {
  const int dim = forest.dim;
  const int64_t leaves = forest.leaves();
  int64_t kept = 0;
  for (const int64_t c : forest.count) kept += c;
  if (kept < set.n) std::fill_n(set.grad, set.n * dim, T(0));
#pragma omp parallel for num_threads(threads) schedule(static) if (leaves > kFewLeaves)
  for (int64_t leaf = 0; leaf < leaves; ++leaf) {
    const int64_t base = forest.base[graph[leaf]];
    T sum[kMaxDim * kLeaf];
    const int64_t size = static_cast<int64_t>(dim) * kLeaf;
    for (int64_t i = 0; i < size; ++i) sum[i] = unit * parts[0][leaf * size + i];
    for (size_t p = 1; p < parts.size(); ++p)
      for (int64_t i = 0; i < size; ++i) sum[i] += unit * parts[p][leaf * size + i];
    for (int lane = 0; lane < kLeaf; ++lane) {
      const int32_t row = forest.order[leaf * kLeaf + lane];
      if (row < 0) break;
      T* to = set.grad + (base + row) * dim;
      for (int d = 0; d < dim; ++d) to[d] = sum[d * kLeaf + lane];
    }
  }
  if (any_dropped()) poison(set, dim);
}

template <class T>
bool Planted<T>::any_dropped() const {
  return std::any_of(forest.dropped.begin(), forest.dropped.end(), [](uint8_t f) { return f != 0; });
}

template struct Planted<float>;
template struct Planted<double>;

}  // namespace geo
