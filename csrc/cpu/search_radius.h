// All points within a radius of 16 queries. See search_distance.h.
#pragma once

#include "cpu/search_distance.h"

namespace geo {
namespace {

// Counts or reports the points of one leaf around the queries in `near`.
template <int D, bool Count, class T>
inline void collect(SearchTask<T>& t, int64_t leaf, uint32_t near) {
  const int n = D ? D : t.dim;
  const T* points = t.tree.coord + leaf * n * kLeaf;
  const int32_t* rows = t.tree.order + leaf * kLeaf;
  const uint32_t filled = first_lanes(t.tree.points - leaf * kLeaf);
  for (; near; near &= near - 1) {
    const int lane = __builtin_ctz(near);
    T d2[kLeaf];
    distances2<D>(t, lane, points, d2);
    uint32_t hits = filled & at_most(d2, t.radius2);
    if (Count) {
      t.hits[lane] += __builtin_popcount(hits);
      continue;  // the caller takes the query itself off
    }
    if (!hits) continue;
    if (t.hits[lane] + kLeaf > t.room[lane] && !t.grow(t, lane)) return;
    const int32_t self = t.self ? t.self[lane] : -1;
    auto* out = t.hit[lane] + t.hits[lane];
    for (; hits; hits &= hits - 1) {
      const int p = __builtin_ctz(hits);
      *out = make_key<T>(d2[p], rows[p]);
      out += rows[p] != self;
    }
    t.hits[lane] = out - t.hit[lane];
  }
}

template <int D, bool Count, class T>
void within(SearchTask<T>& t) {
  const int n = D ? D : t.dim;
  const int64_t group_size = 2 * static_cast<int64_t>(n) * kLeaf;
  const uint32_t valid = first_lanes(t.queries);
  T qbox[D ? 2 * D : 2 * kMaxDim];
  bound<D>(t.query, n, qbox);
  Visit stack[kMaxLevels * kLeaf];
  int depth = 0;
  stack[depth++] = {t.tree.levels - 1, 0};
  while (depth) {
    const Visit v = stack[--depth];
    const T* group = t.tree.box[v.level] + v.group * group_size;
    T d2[kLeaf];
    boxes_distance2<D>(group, qbox, n, d2);
    const int64_t left = t.children(v.level) - v.group * kLeaf;
    uint32_t boxes = at_most(d2, t.radius2) & first_lanes(left);
    for (; boxes; boxes &= boxes - 1) {
      const int slot = __builtin_ctz(boxes);
      const int64_t child = v.group * kLeaf + slot;
      if (v.level > 0) {
        stack[depth++] = {v.level - 1, child};
        continue;
      }
      points_distance2<D>(t.query, group, slot, n, d2);
      const uint32_t near = valid & at_most(d2, t.radius2);
      if (near) collect<D, Count>(t, child, near);
    }
  }
}

}  // namespace
}  // namespace geo
