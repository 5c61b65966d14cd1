#include "cpu/schedule.h"

#include <algorithm>

#include "cpu/forest.h"

namespace geo {
namespace {

constexpr double kSerial = 2e6;     // possible pairs below which a second thread does not pay
constexpr int kSlicesPerThread = 4;

}  // namespace

std::vector<Slice> cut_slices(const std::vector<int64_t>& leaf_begin,
                              const std::vector<int64_t>& lanes, const std::vector<int64_t>& loop,
                              int threads) {
  const size_t graphs = lanes.size();
  const auto work = [&](size_t b) {
    return static_cast<double>(lanes[b]) * static_cast<double>(loop[b]);
  };
  double total = 0;
  for (size_t b = 0; b < graphs; ++b) total += work(b);
  const int wanted = threads > 1 && total >= kSerial ? threads * kSlicesPerThread : 1;
  std::vector<Slice> slices;
  for (size_t b = 0; b < graphs; ++b) {
    if (lanes[b] == 0 || loop[b] == 0) continue;
    const int64_t leaves = leaf_begin[b + 1] - leaf_begin[b], groups = (leaves + kLeaf - 1) / kLeaf;
    const int64_t parts =
        std::clamp<int64_t>(static_cast<int64_t>(work(b) / total * wanted + 0.5), 1, groups);
    for (int64_t i = 0; i < parts; ++i)
      slices.push_back({static_cast<int64_t>(b), groups * i / parts * kLeaf,
                        std::min(leaves, groups * (i + 1) / parts * kLeaf)});
  }
  return slices;
}

}  // namespace geo
