// The potential: plant both sets, cut the lane side into tasks, run them on a static schedule.
#include <algorithm>
#include <cmath>
#include <new>
#include <numeric>

#include "api.h"
#include "cpu/forest.h"
#include "cpu/isa.h"
#include "cpu/pair_kernel.h"

namespace geo {
namespace {

constexpr double kSerial = 2e6;      // possible pairs below which a second thread does not pay
constexpr int kTasksPerThread = 8;  // more than one, so that dense regions spread over the threads

template <class T>
using Id = typename LaneInt<T>::type;

template <class T>
void run_task(PairTask<T>& task) {
  switch (isa()) {
#if defined(__x86_64__)
    case Isa::avx512: return pairs_avx512(task);
    case Isa::avx2: return pairs_avx2(task);
#endif
    default: return pairs_baseline(task);
  }
}

// A planted set with what its lanes carry.
template <class T>
struct Planted {
  Forest<T> forest;
  std::vector<Id<T>> id;  // (L, 16) or empty
  std::vector<T> weight;  // (L, 16) or empty
  std::vector<T> grad;    // (L, D, 16) or empty

  Side<T> side(int64_t b, T* gradient) const {
    const int64_t lane = forest.leaf_begin[b] * kLeaf;
    return {forest.tree(b), id.empty() ? nullptr : id.data() + lane,
            weight.empty() ? nullptr : weight.data() + lane,
            gradient ? gradient + lane * forest.dim : nullptr};
  }
};

// False if an id does not fit the lanes.
template <class T>
bool carry(Planted<T>& set, const int64_t* id, const T* weight, bool with_weight) {
  const Forest<T>& f = set.forest;
  if (id) set.id.assign(f.order.size(), -1);
  if (with_weight) set.weight.assign(f.order.size(), T(1));
  bool fits = true;
  for (int64_t b = 0; b < f.graphs; ++b) {
    for (int64_t s = f.leaf_begin[b] * kLeaf; s < f.leaf_begin[b + 1] * kLeaf; ++s) {
      if (f.order[s] < 0) continue;
      const int64_t row = f.base[b] + f.order[s];
      if (id) {
        const int64_t value = id[row] < 0 ? -1 : id[row];
        set.id[s] = static_cast<Id<T>>(value);
        fits &= static_cast<int64_t>(set.id[s]) == value;
      }
      if (weight) set.weight[s] = weight[row];
    }
  }
  return fits;
}

// Leaves [begin, end) of the lane side of a graph.
struct Slice {
  int64_t graph, begin, end;
};

// The lane side in slices of about equal numbers of pairs, `wanted` of them or one per graph.
template <class T>
std::vector<Slice> cut(const Forest<T>& p, const Forest<T>& q, int wanted) {
  std::vector<Slice> slices;
  double total = 0;
  for (int64_t b = 0; b < p.graphs; ++b)
    total += static_cast<double>(p.count[b]) * static_cast<double>(q.count[b]);
  if (total < kSerial) wanted = 1;
  for (int64_t b = 0; b < p.graphs; ++b) {
    if (p.count[b] == 0 || q.count[b] == 0) continue;
    const double work = static_cast<double>(p.count[b]) * static_cast<double>(q.count[b]);
    const int64_t leaves = p.leaves_of(b), groups = (leaves + kLeaf - 1) / kLeaf;
    const int64_t parts =
        std::clamp<int64_t>(static_cast<int64_t>(work / total * wanted + 0.5), 1, groups);
    for (int64_t i = 0; i < parts; ++i)
      slices.push_back({b, groups * i / parts * kLeaf,
                        std::min(leaves, groups * (i + 1) / parts * kLeaf)});
  }
  return slices;
}

// From lanes back to the caller's rows; `extra` are the threads' sums on the loop side.
template <class T>
void scatter(const Forest<T>& f, const std::vector<const T*>& parts, int threads, int64_t n, T* out) {
  const int dim = f.dim;
  const int64_t leaves = f.leaves();
  int64_t kept = 0;
  for (const int64_t c : f.count) kept += c;
  if (kept < n) std::fill_n(out, n * dim, T(0));
  std::vector<int64_t> base(leaves);
  for (int64_t b = 0; b < f.graphs; ++b)
    std::fill(base.begin() + f.leaf_begin[b], base.begin() + f.leaf_begin[b + 1], f.base[b]);
#pragma omp parallel for num_threads(threads) schedule(static) if (leaves > 1024)
  for (int64_t leaf = 0; leaf < leaves; ++leaf) {
    for (int lane = 0; lane < kLeaf; ++lane) {
      const int32_t row = f.order[leaf * kLeaf + lane];
      if (row < 0) break;
      T* to = out + (base[leaf] + row) * dim;
      for (int d = 0; d < dim; ++d) {
        const int64_t at = (leaf * dim + d) * kLeaf + lane;
        T sum = T(0);
        for (const T* part : parts) sum += part[at];
        to[d] = sum;
      }
    }
  }
}

// A point that is not finite: NaN in its own gradient (its graph's energy is set by the caller).
template <class T>
void poison(const T* points, const T* weight, int64_t n, int dim, T* grad) {
  for (int64_t i = 0; i < n; ++i) {
    if (weight && weight[i] == T(0)) continue;
    bool finite = true;
    for (int d = 0; d < dim; ++d) finite &= std::isfinite(points[i * dim + d]);
    if (!finite) std::fill_n(grad + i * dim, dim, std::numeric_limits<T>::quiet_NaN());
  }
}

template <class T>
struct Call {
  const T* points;
  int64_t n;
  const int64_t* ptr;
  const int64_t* id;
  const T* weight;
  T* grad;
};

template <class T>
int32_t evaluate(Call<T> x, Call<T> y, bool symmetric, int dim, int64_t graphs, double radius,
                 int power, int threads, T* energy, int64_t* active) {
  const bool grad = x.grad != nullptr;
  const bool swapped = !symmetric && y.n > x.n;  // lanes over the larger set: tighter leaves
  Call<T>& lanes = swapped ? y : x;
  Call<T>& loop = swapped ? x : y;
  const bool with_weight = lanes.weight || loop.weight;

  Planted<T> p, other;
  p.forest = plant(lanes.points, lanes.n, dim, graphs, lanes.ptr, lanes.weight, threads);
  if (!carry(p, lanes.id, lanes.weight, with_weight)) return GEO_ID_RANGE;
  if (!symmetric) {
    other.forest = plant(loop.points, loop.n, dim, graphs, loop.ptr, loop.weight, threads);
    if (!carry(other, loop.id, loop.weight, with_weight)) return GEO_ID_RANGE;
  }
  const Planted<T>& q = symmetric ? p : other;

  const std::vector<Slice> slices =
      cut(p.forest, q.forest, threads > 1 ? threads * kTasksPerThread : 1);
  const int used = std::max(1, static_cast<int>(std::min<int64_t>(threads, slices.size())));
  if (grad) p.grad.assign(p.forest.coord.size(), T(0));
  std::vector<std::vector<T>> q_grad(used);
  std::vector<double> slice_energy(slices.size(), 0.0);
  std::vector<int64_t> slice_active(slices.size(), 0);

  int failed = 0;
#pragma omp parallel num_threads(used) reduction(| : failed) if (used > 1)
  {
#pragma omp for schedule(static, 1)
    for (int t = 0; t < used; ++t) {
      try {
        std::vector<T> scratch;
        if (grad) {
          scratch.assign(static_cast<size_t>(dim) * kLeaf * kLeaf, T(0));
          q_grad[t].assign(q.forest.coord.size(), T(0));
        }
        for (size_t s = 0; s < slices.size(); ++s) {
          // there and back again (0 1 1 0 ...): neighbouring subtrees have similar work
          const int turn = static_cast<int>(s % (2 * used));
          if ((turn < used ? turn : 2 * used - 1 - turn) != t) continue;
          const Slice& slice = slices[s];
          PairTask<T> task{p.side(slice.graph, grad ? p.grad.data() : nullptr),
                           q.side(slice.graph, grad ? q_grad[t].data() : nullptr),
                           Hinge<T>(radius, power),
                           dim,
                           symmetric,
                           swapped,
                           slice.begin,
                           slice.end,
                           grad ? scratch.data() : nullptr,
                           0.0,
                           0};
          run_task(task);
          slice_energy[s] = task.energy;
          slice_active[s] = task.active;
        }
      } catch (const std::bad_alloc&) {
        failed = 1;
      }
    }
  }
  if (failed) return GEO_NO_MEMORY;

  std::vector<double> total(graphs, 0.0);
  std::fill_n(active, graphs, 0);
  for (size_t s = 0; s < slices.size(); ++s) {
    total[slices[s].graph] += slice_energy[s];
    active[slices[s].graph] += slice_active[s];
  }
  for (int64_t b = 0; b < graphs; ++b) {
    const bool bad = p.forest.dropped[b] || q.forest.dropped[b];
    energy[b] = bad ? std::numeric_limits<T>::quiet_NaN() : static_cast<T>(total[b]);
  }
  if (!grad) return GEO_OK;

  std::vector<const T*> parts;
  for (const auto& sums : q_grad) parts.push_back(sums.data());
  if (symmetric) {
    parts.push_back(p.grad.data());
    scatter(p.forest, parts, threads, lanes.n, lanes.grad);
  } else {
    scatter(p.forest, {p.grad.data()}, threads, lanes.n, lanes.grad);
    scatter(q.forest, parts, threads, loop.n, loop.grad);
  }
  const auto any = [](const std::vector<uint8_t>& flags) {
    return std::any_of(flags.begin(), flags.end(), [](uint8_t f) { return f != 0; });
  };
  if (any(p.forest.dropped)) poison(lanes.points, lanes.weight, lanes.n, dim, lanes.grad);
  if (!symmetric && any(q.forest.dropped))
    poison(loop.points, loop.weight, loop.n, dim, loop.grad);
  return GEO_OK;
}

template <class T>
int32_t checked(GEO_POTENTIAL(T)) {
  const int64_t limit = std::numeric_limits<int32_t>::max();
  if (n < 0 || m < 0 || n > limit || m > limit || dim < 1 || dim > kMaxDim || graphs < 0 ||
      power < 1 || power > 2 || threads < 1 || !(radius >= 0))
    return GEO_BAD_ARGUMENT;
  try {
    return evaluate<T>({x, n, x_ptr, x_instance, x_weight, grad_x},
                       {y, m, y_ptr, y_instance, y_weight, grad_y}, y == nullptr, dim, graphs,
                       radius, power, threads, energy, active);
  } catch (const std::bad_alloc&) {
    return GEO_NO_MEMORY;
  }
}

}  // namespace
}  // namespace geo

extern "C" int32_t geo_potential_f32(GEO_POTENTIAL(float)) {
  return geo::checked<float>(x, n, y, m, dim, graphs, x_ptr, y_ptr, x_instance, y_instance,
                             x_weight, y_weight, radius, power, threads, energy, active, grad_x,
                             grad_y);
}

extern "C" int32_t geo_potential_f64(GEO_POTENTIAL(double)) {
  return geo::checked<double>(x, n, y, m, dim, graphs, x_ptr, y_ptr, x_instance, y_instance,
                              x_weight, y_weight, radius, power, threads, energy, active, grad_x,
                              grad_y);
}
