// Segments of a graph: connected, large enough, numbered by their first node, and the same for any
// number of threads.
#include <algorithm>
#include <cmath>

#include "input.h"

#include <geoinfluencer/api.h>

namespace fuzz {
namespace {

// The smallest node of the part of each node, over the edges that `used` says.
template <class F>
std::vector<int64_t> parts(int64_t nodes, const Array<int64_t>& from, const Array<int64_t>& to,
                           const F& used) {
  std::vector<int64_t> part(nodes);
  for (int64_t i = 0; i < nodes; ++i) part[i] = i;
  for (bool changed = true; changed;) {
    changed = false;
    for (int64_t e = 0; e < from.size(); ++e) {
      if (!used(e) || part[from[e]] == part[to[e]]) continue;
      part[from[e]] = part[to[e]] = std::min(part[from[e]], part[to[e]]);
      changed = true;
    }
  }
  return part;
}

}  // namespace

void felzenszwalb(Input& in) {
  static const int64_t sizes[] = {1, 2, 9, 40, 200};
  static const double scales[] = {0.0, 0.5, 3.0, 1e9, INFINITY};
  const int64_t nodes = in.of(sizes), edges = in.below(4 * nodes + 1);
  const double scale = in.of(scales);
  const int64_t min_size = in.flag() ? in.below(nodes + 2) : in.below(5);
  const bool ties = in.flag(), broken = in.byte() % 8 == 0;
  Array<int64_t> from(edges), to(edges);
  Array<float> weight(edges);
  for (int64_t e = 0; e < edges; ++e) {
    from[e] = in.below(nodes);
    to[e] = in.below(nodes);
    weight[e] = static_cast<float>(ties ? in.below(4) : in.gauss());
    if (broken && in.below(8) == 0) weight[e] = in.flag() ? NAN : INFINITY;
  }
  Array<int64_t> label(nodes, -7), again(nodes, -7);
  int64_t count = -7, count_again = -7;
  const int32_t code = geo_felzenszwalb(from.data(), to.data(), weight.data(), edges, nodes, scale,
                                        min_size, 1, label.data(), &count);
  GEO_REQUIRE(code == GEO_OK, "felzenszwalb: code %d", code);
  geo_felzenszwalb(from.data(), to.data(), weight.data(), edges, nodes, scale, min_size, 3,
                   again.data(), &count_again);
  GEO_REQUIRE(count == count_again && same(label, again), "felzenszwalb: differs with threads");

  const auto inside = parts(nodes, from, to, [&](int64_t e) { return label[from[e]] == label[to[e]]; });
  const auto reach = parts(nodes, from, to, [](int64_t) { return true; });
  std::vector<int64_t> size(nodes, 0), room(nodes, 0);
  int64_t found = 0;
  for (int64_t i = 0; i < nodes; ++i) {
    ++size[inside[i]];
    ++room[reach[i]];
    if (inside[i] != i) continue;
    GEO_REQUIRE(label[i] == found, "felzenszwalb: node %lld begins segment %lld, is in %lld", ll(i),
                ll(found), ll(label[i]));
    ++found;
  }
  GEO_REQUIRE(found == count, "felzenszwalb: %lld segments, count %lld", ll(found), ll(count));
  for (int64_t i = 0; i < nodes; ++i)
    GEO_REQUIRE(inside[i] != i || size[i] >= std::min(min_size, room[reach[i]]),
                "felzenszwalb: segment %lld has %lld nodes", ll(label[i]), ll(size[i]));
}

}  // namespace fuzz
