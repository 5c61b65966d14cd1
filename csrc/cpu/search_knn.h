// k nearest neighbours of 16 queries: best boxes first. See search_distance.h.
#pragma once

#include "cpu/search_distance.h"

namespace geo {
namespace {

// Puts a key into its place among k ascending ones, if it belongs there.
template <class K>
inline void insert(K* list, int k, K key) {
  if (!(key < list[k - 1])) return;
  int at = k - 1;
  for (; at > 0 && key < list[at - 1]; --at) list[at] = list[at - 1];
  list[at] = key;
}

// Squared distances (16), times 4, of the centre of a box to the centres of a group's boxes.
template <int D, class T>
inline void centres_distance2(const T* group, const T* box, int dim, T* out) {
  using S = Simd<T>;
  const int n = D ? D : dim;
  for (int s = 0; s < kLeaf; s += S::W) {
    typename S::V total = S::set(T(0));
    for (int d = 0; d < n; ++d) {
      const auto delta = S::load(group + d * kLeaf + s) + S::load(group + (n + d) * kLeaf + s) -
                         S::set(box[d] + box[n + d]);
      total = total + delta * delta;
    }
    S::store(out + s, total);
  }
}

// Children of a group waiting to be visited, nearest on top.
template <class T>
struct Pending {
  typename Key<T>::type best;  // no point below has a smaller key
  int level;                   // of the child: -1 is a leaf
  int64_t number;
};

template <int D, class T>
void nearest(SearchTask<T>& t) {
  const int n = D ? D : t.dim;
  const Tree<T>& tree = t.tree;
  const int64_t group_size = 2 * static_cast<int64_t>(n) * kLeaf;
  const uint32_t valid = first_lanes(t.queries);
  T qbox[D ? 2 * D : 2 * kMaxDim];
  bound<D>(t.query, n, qbox);
  T worst[kLeaf], d2[kLeaf], box2[kLeaf];
  for (int l = 0; l < kLeaf; ++l)
    worst[l] = l < t.queries ? key_distance<T>(t.nearest[t.k - 1]) : T(-1);
  using K = typename Key<T>::type;
  K farthest = t.nearest[t.k - 1];  // the largest of the queries' k-th keys
  Pending<T> stack[kMaxLevels * kLeaf];
  int depth = 0;
  stack[depth++] = {K(0), tree.levels - 1, 0};
  while (depth) {
    const Pending<T> entry = stack[--depth];
    if (!(entry.best < farthest)) continue;
    if (entry.level >= 0) {
      const T* group = tree.box[entry.level] + entry.number * group_size;
      boxes_distance2<D>(group, qbox, n, d2);
      T middle[kLeaf];
      centres_distance2<D>(group, qbox, n, middle);
      // insertion by distance, distance of the centres, first row; the farthest at the bottom
      const int32_t* rows = tree.first[entry.level] + entry.number * kLeaf;
      const int first = depth;
      T key[kLeaf];
      const int64_t left = t.children(entry.level) - entry.number * kLeaf;
      uint32_t near = at_most(d2, key_distance<T>(farthest)) & first_lanes(left);
      for (; near; near &= near - 1) {
        const int slot = __builtin_ctz(near);
        const K best = make_key<T>(d2[slot], rows[slot]);
        if (!(best < farthest)) continue;
        int at = depth++;
        for (; at > first; --at) {
          const T other = key_distance<T>(stack[at - 1].best), centre = key[at - 1 - first];
          const bool nearer =
              other < d2[slot] ||
              (other == d2[slot] &&
               (centre < middle[slot] || (centre == middle[slot] && stack[at - 1].best < best)));
          if (!nearer) break;
          stack[at] = stack[at - 1];
          key[at - first] = key[at - 1 - first];
        }
        stack[at] = {best, entry.level - 1, entry.number * kLeaf + slot};
        key[at - first] = middle[slot];
      }
      continue;
    }
    const int64_t leaf = entry.number;
    const T* points = tree.coord + leaf * n * kLeaf;
    const int32_t* rows = tree.order + leaf * kLeaf;
    const int32_t first = tree.first[0][leaf];
    const uint32_t filled = first_lanes(tree.points - leaf * kLeaf);
    points_distance2<D>(t.query, tree.box[0] + leaf / kLeaf * group_size,
                        static_cast<int>(leaf % kLeaf), n, box2);
    uint32_t near = valid & at_most(box2, worst);
    if (!near) continue;
    for (; near; near &= near - 1) {
      const int lane = __builtin_ctz(near);
      K* list = t.nearest + static_cast<int64_t>(lane) * t.k;
      if (!(make_key<T>(box2[lane], first) < list[t.k - 1])) continue;
      distances2<D>(t, lane, points, d2);
      const int32_t self = t.self ? t.self[lane] : -1;
      for (uint32_t hits = filled & at_most(d2, worst[lane]); hits; hits &= hits - 1) {
        const int p = __builtin_ctz(hits);
        if (rows[p] != self) insert(list, t.k, make_key<T>(d2[p], rows[p]));
      }
      worst[lane] = key_distance<T>(list[t.k - 1]);
    }
    farthest = K(0);
    for (int l = 0; l < t.queries; ++l) {
      const K last = t.nearest[static_cast<int64_t>(l) * t.k + t.k - 1];
      farthest = last > farthest ? last : farthest;
    }
  }
}

}  // namespace
}  // namespace geo
