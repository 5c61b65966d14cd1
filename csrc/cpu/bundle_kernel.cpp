// Compiled once per instruction set, see isa.h.
#include "cpu/bundle_kernel.h"

#include "cpu/bundle_tile.h"

namespace geo {
namespace {

template <int D, class T>
void run(BundleTask<T>& t) {
  BundleSearch<D, T> search(t);
  if (t.hinge.power == T(2))
    BundleTile<D, 2, T>(t, search).run();
  else
    BundleTile<D, 1, T>(t, search).run();
  t.energy *= static_cast<double>(t.hinge.energy_unit());
}

template <int D, class T>
void coarsen_all(const T* from, int dim, int64_t count, const CoarseFrame<T>& frame, uint32_t* to) {
  for (int64_t i = 0; i < count; ++i)
    coarse_lanes<D>(from + i * dim * kLeaf, dim, frame, to + i * coarse_pairs(dim) * kLeaf);
}

}  // namespace

namespace GEO_ISA {

void pairs(BundleTask<float>& t) { by_dim(t.dim, [&](auto d) { run<d.value>(t); }); }
void pairs(BundleTask<double>& t) { by_dim(t.dim, [&](auto d) { run<d.value>(t); }); }

void coarsen(const float* from, int dim, int64_t count, const CoarseFrame<float>& frame,
             uint32_t* to) {
  by_dim(dim, [&](auto d) { coarsen_all<d.value>(from, dim, count, frame, to); });
}
void coarsen(const double* from, int dim, int64_t count, const CoarseFrame<double>& frame,
             uint32_t* to) {
  by_dim(dim, [&](auto d) { coarsen_all<d.value>(from, dim, count, frame, to); });
}

}  // namespace GEO_ISA
}  // namespace geo
