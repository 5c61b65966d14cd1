// Segments of a graph, greedily: edges in the order of their weights join segments that differ no more
// from each other than inside. What a segment of the forest is known by is kept at its root.
#include <algorithm>
#include <cstring>
#include <limits>
#include <vector>

#include "api.h"
#include "cpu/ranks.h"
#include "cpu/team.h"
#include "cpu/union_find.h"

namespace geo {
namespace {

// A number that grows with the weight.
uint64_t ascending(float weight) {
  uint32_t bits;
  weight += 0.0f;  // -0 is 0
  std::memcpy(&bits, &weight, sizeof bits);
  return bits >> 31 ? ~bits : bits | 0x80000000u;
}

int64_t segment(const int64_t* from, const int64_t* to, const float* weight, int64_t edges,
                int64_t nodes, double scale, int64_t min_size, int threads, int64_t* label) {
  std::vector<uint64_t> keys(edges);
  for (int64_t e = 0; e < edges; ++e) keys[e] = ascending(weight[e]);
  const std::vector<uint32_t> order = sort_by_key(keys, threads);

  DisjointSets sets(nodes);
  std::vector<int64_t> size(nodes, 1);
  // Greatest weight inside, plus scale / size: what an edge may weigh to join the segment.
  std::vector<double> most(nodes, scale);
  const auto join = [&](int32_t a, int32_t b, float w) {
    const int64_t together = size[a] + size[b];
    const int32_t root = sets.join(a, b);
    size[root] = together;
    most[root] = w + scale / static_cast<double>(together);
  };
  for (const uint32_t e : order) {
    const int32_t a = sets.root(static_cast<int32_t>(from[e]));
    const int32_t b = sets.root(static_cast<int32_t>(to[e]));
    if (a != b && weight[e] <= std::min(most[a], most[b])) join(a, b, weight[e]);
  }
  for (const uint32_t e : order) {
    const int32_t a = sets.root(static_cast<int32_t>(from[e]));
    const int32_t b = sets.root(static_cast<int32_t>(to[e]));
    if (a != b && std::min(size[a], size[b]) < min_size) join(a, b, weight[e]);
  }
  const int64_t count = sets.number();
  std::copy(sets.parent.begin(), sets.parent.end(), label);
  return count;
}

}  // namespace
}  // namespace geo

extern "C" int32_t geo_felzenszwalb(const int64_t* from, const int64_t* to, const float* weight,
                                    int64_t edges, int64_t nodes, double scale, int64_t min_size,
                                    int32_t threads, int64_t* label, int64_t* count) {
  constexpr int64_t most = std::numeric_limits<int32_t>::max();
  if (edges < 0 || edges > most || nodes < 0 || nodes > most || !(scale >= 0) || threads < 1)
    return GEO_BAD_ARGUMENT;
  for (int64_t e = 0; e < edges; ++e)
    if (from[e] < 0 || from[e] >= nodes || to[e] < 0 || to[e] >= nodes) return GEO_BAD_ARGUMENT;
  return geo::guarded([&]() -> int32_t {
    *count = geo::segment(from, to, weight, edges, nodes, scale, min_size, threads, label);
    return GEO_OK;
  });
}
