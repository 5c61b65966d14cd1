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

template <int D, class T>
void coarsen_groups(const Tree<T>& tree, int dim, int64_t begin, int64_t end,
                    const CoarseTree<T>& coarse) {
  const int64_t lanes = static_cast<int64_t>(dim) * kLeaf, size = coarse_pairs(dim) * kLeaf;
  for (int64_t leaf = begin; leaf < end; ++leaf)
    coarse_lanes<D>(tree.coord + leaf * lanes, dim, coarse.frame, coarse.coord + leaf * size);
  const int64_t last = (end + kLeaf - 1) / kLeaf * 2;
  for (int64_t ends = begin / kLeaf * 2; ends < last; ++ends)  // lower, upper corners
    coarse_lanes<D>(tree.box[0] + ends * lanes, dim, coarse.frame, coarse.box + ends * size);
}

}  // namespace

namespace GEO_ISA {

void pairs(BundleTask<float>& t) { by_dim(t.dim, [&](auto d) { run<d.value>(t); }); }
void pairs(BundleTask<double>& t) { by_dim(t.dim, [&](auto d) { run<d.value>(t); }); }

void coarsen(const Tree<float>& tree, int dim, int64_t begin, int64_t end,
             const CoarseTree<float>& coarse) {
  by_dim(dim, [&](auto d) { coarsen_groups<d.value>(tree, dim, begin, end, coarse); });
}
void coarsen(const Tree<double>& tree, int dim, int64_t begin, int64_t end,
             const CoarseTree<double>& coarse) {
  by_dim(dim, [&](auto d) { coarsen_groups<d.value>(tree, dim, begin, end, coarse); });
}

}  // namespace GEO_ISA
}  // namespace geo
