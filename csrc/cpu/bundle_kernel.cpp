// Compiled once per instruction set, see isa.h.
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

}  // namespace

namespace GEO_ISA {

void pairs(BundleTask<float>& t) { by_dim(t.dim, [&](auto d) { run<d.value>(t); }); }
void pairs(BundleTask<double>& t) { by_dim(t.dim, [&](auto d) { run<d.value>(t); }); }

}  // namespace GEO_ISA
}  // namespace geo
