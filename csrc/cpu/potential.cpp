// The potential: plant both sets, run the slices of the lane side, scatter the gradients back.
#include <algorithm>
#include <limits>
#include <new>
#include <vector>

#include "api.h"
#include "cpu/bundle_kernel.h"
#include "cpu/bundles.h"
#include "cpu/coarse_forest.h"
#include "cpu/planted.h"
#include "cpu/schedule.h"
#include "cpu/team.h"

namespace geo {
namespace {

// What the kernel needs to know of a call, and what it leaves behind.
template <class T>
struct Work {
  const Planted<T>& p;  // lanes
  Bundles<T>& bundles;  // more lanes
  const Planted<T>& q;  // loop
  const CoarseForest<T>& coarse;      // of q
  Hinge<T> hinge;
  bool symmetric, swapped, grad;
  std::vector<Slice> slices;          // of p
  std::vector<Slice> blocks;          // of bundles
  std::vector<double> energy;         // (threads, B)
  std::vector<int64_t> active;        // (threads, B)
  Array<T> p_grad;                    // (L, D, 16): each leaf is one slice's
  std::vector<Array<T>> q_grad;       // per thread (L, D, 16)
};

// Levels above leaves to start from: the lowest with no more than two groups over the slice.
template <class T>
LeafRange range_of(const Slice& slice, const Forest<T>& forest) {
  int level = 0;
  const int top = forest.tree(slice.graph).levels - 1;
  while (level < top &&
         ((slice.end - 1) >> (4 * (level + 1))) - (slice.begin >> (4 * (level + 1))) > 1)
    ++level;
  return {slice.begin, slice.end, level};
}

// The bundles of thread t.
template <class T>
void run_bundles(Work<T>& work, int t, int threads, T* scratch) {
  Bundles<T>& k = work.bundles;
  const int64_t size = static_cast<int64_t>(work.blocks.size());
  Array<T> lanes(static_cast<int64_t>(k.dim) * kLeaf * kLeaf * kMostBlocks);
  for (int64_t s = 0; s < size; ++s) {
    if (thread_of(s, threads) != t) continue;
    const Slice& slice = work.blocks[s];
    const int64_t first = k.block_begin[slice.graph] * kLeaf;
    BundleTask<T> task{k.points.data(),
                       k.row.data(),
                       k.first.data() + first,
                       k.count.data() + first,
                       k.id.data() + first,
                       k.weight.empty() ? nullptr : k.weight.data() + first * kLeaf,
                       k.base[slice.graph],
                       work.q.side(slice.graph, work.grad ? work.q_grad[t].data() : nullptr),
                       work.coarse.of(slice.graph),
                       work.hinge,
                       k.dim,
                       work.swapped,
                       slice.begin,
                       slice.end,
                       lanes.data(),
                       scratch,
                       0.0,
                       0};
    GEO_RUN(pairs, task);
    work.energy[t * work.q.forest.graphs + slice.graph] += task.energy;
    work.active[t * work.q.forest.graphs + slice.graph] += task.active;
  }
}

// All slices of thread t, those of a graph together: its loop side is walked once.
template <class T>
void run_thread(Work<T>& work, int t, int threads) {
  const int dim = work.q.forest.dim;
  const int64_t slices = static_cast<int64_t>(work.slices.size());
  Array<T> scratch;
  if (work.grad) {
    scratch.reset(dim * kLeaf * kLeaf * (work.blocks.empty() ? 1 : kMostBlocks));
    work.q_grad[t].reset(work.q.forest.coord.size(), T(0));
  }
  std::vector<LeafRange> ranges;
  for (int64_t s = 0; s < slices;) {
    const int64_t graph = work.slices[s].graph;
    ranges.clear();
    for (; s < slices && work.slices[s].graph == graph; ++s) {
      if (thread_of(s, threads) != t) continue;
      const Slice& slice = work.slices[s];
      ranges.push_back(range_of(slice, work.p.forest));
      if (!work.grad) continue;
      const int64_t row = static_cast<int64_t>(dim) * kLeaf;
      std::fill_n(work.p_grad.data() + (work.p.forest.leaf_begin[graph] + slice.begin) * row,
                  (slice.end - slice.begin) * row, T(0));
    }
    if (ranges.empty()) continue;
    PairTask<T> task{work.p.side(graph, work.grad ? work.p_grad.data() : nullptr),
                     work.q.side(graph, work.grad ? work.q_grad[t].data() : nullptr),
                     work.hinge,
                     dim,
                     work.symmetric,
                     work.swapped,
                     ranges.data(),
                     static_cast<int64_t>(ranges.size()),
                     work.grad ? scratch.data() : nullptr,
                     0.0,
                     0};
    GEO_RUN(pairs, task);
    work.energy[t * work.p.forest.graphs + graph] = task.energy;
    work.active[t * work.p.forest.graphs + graph] = task.active;
  }
  if (!work.blocks.empty()) run_bundles(work, t, threads, work.grad ? scratch.data() : nullptr);
}

// Runs all slices; returns whether there was memory for it.
template <class T>
bool run_slices(Work<T>& work, int threads) {
  const Forest<T>& p = work.p.forest;
  const int64_t slices = static_cast<int64_t>(std::max(work.slices.size(), work.blocks.size()));
  const int used = static_cast<int>(std::clamp<int64_t>(slices, 1, threads));
  work.energy.assign(used * p.graphs, 0.0);
  work.active.assign(used * p.graphs, 0);
  work.q_grad.resize(used);
  if (work.grad) {
    work.p_grad.reset(p.coord.size());
    const int64_t row = static_cast<int64_t>(p.dim) * kLeaf;
    for (int64_t b = 0; b < p.graphs; ++b)  // no slice clears these
      if (work.q.forest.count[b] == 0)
        std::fill_n(work.p_grad.data() + p.leaf_begin[b] * row, p.leaves_of(b) * row, T(0));
  }
  if (work.grad && !work.bundles.empty())
    for (int64_t b = 0; b < p.graphs; ++b)
      if (work.q.forest.count[b] == 0) work.bundles.clear(b);
  int failed = 0;
#pragma omp parallel for num_threads(used) schedule(static, 1) reduction(| : failed) if (used > 1)
  for (int t = 0; t < used; ++t) {
    try {
      run_thread(work, t, used);
    } catch (const std::bad_alloc&) {
      failed = 1;
    }
  }
  return !failed;
}

template <class T>
int32_t evaluate(const PointSet<T>& x, const PointSet<T>& y, bool symmetric, int dim,
                 int64_t graphs, double radius, int power, int threads, T* energy,
                 int64_t* active) {
  const bool swapped = !symmetric && y.n > x.n;  // lanes over the larger set: tighter leaves
  const PointSet<T>&lanes = swapped ? y : x, &loop = swapped ? x : y;
  const bool with_weight = lanes.weight || loop.weight;
  const Hinge<T> hinge(radius, power);
  Planted<T> p, other;
  Bundles<T> bundles;
  CoarseForest<T> coarse;
  PointSet<T> rest = lanes;
  const std::vector<int64_t> no_rows(graphs + 1, 0);
  bool fits = true, other_fits = true, full = false, other_full = false;
  in_team(threads, lanes.n, [&] {  // side by side: the few steps of one thread are filled
#pragma omp taskgroup
    {
#pragma omp task default(shared) if (!symmetric)
      try {  // nothing may leave a task or a task group by throwing
        if (!symmetric) other_fits = other.plant_set(loop, dim, graphs, with_weight, threads);
      } catch (const std::bad_alloc&) {
        other_full = true;
      }
      try {
        if (!symmetric)
          bundles.make(lanes, loop, dim, graphs, hinge.radius, with_weight, threads);
        if (!bundles.empty() && bundles.rest_points == 0)
          rest = {lanes.points, 0, no_rows.data(), lanes.id, nullptr, lanes.grad};
        else if (!bundles.empty())
          rest.weight = bundles.rest.data();
        fits = p.plant_set(rest, dim, graphs, with_weight, threads);
      } catch (const std::bad_alloc&) {
        full = true;
      }
    }
    if (!bundles.empty() && !full && !other_full)  // outside of the group it may throw
      coarse.build(other.forest, hinge.radius);
  });
  if (full || other_full) return GEO_NO_MEMORY;
  if (!fits || !other_fits) return GEO_ID_RANGE;
  const Planted<T>& q = symmetric ? p : other;

  for (const PointSet<T>* set : {&x, &y})
    if (set->grad) ask_huge_pages(set->grad, static_cast<size_t>(set->n * dim) * sizeof(T));
  Work<T> work{p,  bundles, q,  coarse, hinge, symmetric, swapped, x.grad != nullptr,
               {}, {},      {}, {},     {},    {}};
  work.slices = cut_slices(p.forest.leaf_begin, p.forest.count, q.forest.count, threads);
  if (!bundles.empty()) {
    std::vector<int64_t> points = bundles.runs_of;
    for (int64_t& count : points) count *= kLeaf;
    work.blocks = cut_slices(bundles.block_begin, points, q.forest.count, threads);
  }
  if (!run_slices(work, threads)) return GEO_NO_MEMORY;

  std::vector<double> total(graphs, 0.0);
  std::fill_n(active, graphs, 0);
  for (size_t i = 0; i < work.energy.size(); ++i) {
    total[i % graphs] += work.energy[i];
    active[i % graphs] += work.active[i];
  }
  for (int64_t b = 0; b < graphs; ++b) {
    const bool bad = p.forest.dropped[b] || q.forest.dropped[b];
    energy[b] = bad ? std::numeric_limits<T>::quiet_NaN() : static_cast<T>(total[b]);
  }
  if (!work.grad) return GEO_OK;

  std::vector<const T*> parts;
  for (const auto& sums : work.q_grad) parts.push_back(sums.data());
  if (symmetric)
    parts.push_back(work.p_grad.data());
  else
    p.scatter({work.p_grad.data()}, hinge.grad_unit(), threads, rest);
  if (!bundles.empty()) bundles.scatter(hinge.grad_unit(), threads, lanes.grad);
  q.scatter(parts, hinge.grad_unit(), threads, symmetric ? lanes : loop);
  return GEO_OK;
}

template <class T>
int32_t checked(GEO_POTENTIAL(T)) {
  if (!plantable(n, dim, graphs, threads) || !plantable(m, dim, graphs, threads) || power < 1 ||
      power > 2 || !(radius >= 0))
    return GEO_BAD_ARGUMENT;
  return guarded([&] {
    return evaluate<T>({x, n, x_ptr, x_instance, x_weight, grad_x},
                       {y, m, y_ptr, y_instance, y_weight, grad_y}, y == nullptr, dim, graphs,
                       radius, power, threads, energy, active);
  });
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
