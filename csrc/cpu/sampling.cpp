// Farthest-point sampling (Eldar et al., IEEE Trans. Image Process. 6, 1305, 1997), exact: a new
// sample only lowers distances near it, so boxes that lie no nearer to it than their farthest point
// lies to its sample are left alone (the pruning of QuickFPS, Han et al., IEEE TCAD 42, 3789, 2023).
// Box distances are rounded like point distances and never exceed them: nothing is approximated.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "api.h"
#include "cpu/forest.h"
#include "cpu/team.h"

namespace geo {
namespace {

// The points of one graph with their squared distances to the samples so far.
template <class T>
class Sampler {
 public:
  Sampler(const Forest<T>& f, int64_t graph, int64_t rows)
      : tree_(f.tree(graph)), dim_(f.dim), place_(rows, -1) {
    dist_.assign(tree_.leaves * kLeaf, kTaken);
    for (int64_t i = 0; i < tree_.leaves * kLeaf; ++i) {
      if (tree_.order[i] < 0) continue;
      place_[tree_.order[i]] = i;
      dist_[i] = std::numeric_limits<T>::infinity();
    }
    int64_t boxes = tree_.leaves;
    for (int level = 0; level < tree_.levels; ++level, boxes = (boxes + kLeaf - 1) / kLeaf) {
      far_[level].assign((boxes + kLeaf - 1) / kLeaf * kLeaf, Far{kTaken, kNobody});
      for (int64_t i = 0; i < boxes; ++i)
        far_[level][i] = level ? farthest(&far_[level - 1][i * kLeaf]) : of_leaf(i);
    }
  }

  // The row to take next, or -1 where no finite point is left.
  int32_t next() const {
    if (!tree_.leaves) return -1;
    const Far top = farthest(far_[tree_.levels - 1].data());
    return top.dist2 < T(0) ? -1 : top.row;
  }

  // Takes a row at a position (D); a point that is not finite has no place and changes nothing.
  void take(int64_t row, const T* point) {
    taken_ = place_[row];
    if (taken_ < 0) return;
    dist_[taken_] = kTaken;
    lower(tree_.levels - 1, 0, point);
  }

  bool outside(int64_t row) const { return place_[row] < 0; }

 private:
  static constexpr T kTaken = T(-1);
  static constexpr int32_t kNobody = std::numeric_limits<int32_t>::max();

  struct Far {
    T dist2;
    int32_t row;
  };

  static Far farthest(const Far* group) {
    Far best = group[0];
    for (int l = 1; l < kLeaf; ++l)
      if (group[l].dist2 > best.dist2 || (group[l].dist2 == best.dist2 && group[l].row < best.row))
        best = group[l];
    return best;
  }

  Far of_leaf(int64_t leaf) const {
    const T* dist = dist_.data() + leaf * kLeaf;
    T top = dist[0];
    for (int l = 1; l < kLeaf; ++l) top = dist[l] > top ? dist[l] : top;
    int32_t row = kNobody;
    for (int l = 0; l < kLeaf; ++l)
      if (dist[l] == top && tree_.order[leaf * kLeaf + l] >= 0)
        row = std::min(row, tree_.order[leaf * kLeaf + l]);
    return {top, row};
  }

  void lower(int level, int64_t group, const T* point) {
    const T* box = tree_.box[level] + group * 2 * dim_ * kLeaf;
    T near[kLeaf] = {};
    for (int d = 0; d < dim_; ++d)
      for (int l = 0; l < kLeaf; ++l) {
        const T left = box[d * kLeaf + l] - point[d], right = point[d] - box[(dim_ + d) * kLeaf + l];
        T gap = left > right ? left : right;
        gap = gap > T(0) ? gap : T(0);
        near[l] += gap * gap;
      }
    const int64_t own = taken_ >> (4 * (level + 1));  // the box that holds the point itself
    for (int l = 0; l < kLeaf; ++l) {
      const int64_t child = group * kLeaf + l;
      if (!(near[l] < far_[level][child].dist2) && child != own) continue;
      if (level == 0) {
        lower_leaf(child, point);
        far_[0][child] = of_leaf(child);
      } else {
        lower(level - 1, child, point);
        far_[level][child] = farthest(&far_[level - 1][child * kLeaf]);
      }
    }
  }

  void lower_leaf(int64_t leaf, const T* point) {
    T d2[kLeaf];
    leaf_distance2(tree_, dim_, leaf, point, d2);
    T* dist = dist_.data() + leaf * kLeaf;
    for (int l = 0; l < kLeaf; ++l) dist[l] = d2[l] < dist[l] ? d2[l] : dist[l];
  }

  Tree<T> tree_;
  int dim_;
  std::vector<int64_t> place_;         // (rows) where the point is in the leaves, -1: not finite
  std::vector<T> dist_;                // (L, 16), kTaken for samples and unused lanes
  std::vector<Far> far_[kMaxLevels];   // farthest point below each box
  int64_t taken_ = -1;
};

template <class T>
void sample(const Forest<T>& forest, int64_t graph, const T* points, int64_t begin, int64_t end,
            int64_t start, int64_t count, int64_t* index) {
  if (count == 0) return;
  Sampler<T> sampler(forest, graph, end - begin);
  int64_t row = start - begin, k = 0;
  while (row >= 0) {
    index[k++] = begin + row;
    if (k == count) return;
    sampler.take(row, points + (begin + row) * forest.dim);
    row = sampler.next();
  }
  for (int64_t r = 0; k < count; ++r)
    if (sampler.outside(r) && begin + r != start) index[k++] = begin + r;
}

template <class T>
int32_t fps(GEO_FPS(T)) {
  if (!plantable(n, dim, graphs, threads)) return GEO_BAD_ARGUMENT;
  for (int64_t b = 0; b < graphs; ++b) {
    const int64_t begin = ptr ? ptr[b] : 0, end = ptr ? ptr[b + 1] : n;
    const int64_t count = sample_ptr[b + 1] - sample_ptr[b];
    if (count < 0 || count > end - begin || (count && (start[b] < begin || start[b] >= end)))
      return GEO_BAD_ARGUMENT;
  }
  return guarded([&] {
    const Forest<T> forest = plant<T>(points, n, dim, graphs, ptr, nullptr, threads);
    deal_out(graphs, threads, [&](int64_t b) {
      sample(forest, b, points, ptr ? ptr[b] : 0, ptr ? ptr[b + 1] : n, start[b],
             sample_ptr[b + 1] - sample_ptr[b], index + sample_ptr[b]);
    });
    return GEO_OK;
  });
}

}  // namespace
}  // namespace geo

extern "C" int32_t geo_fps_f32(GEO_FPS(float)) {
  return geo::fps<float>(points, n, dim, graphs, ptr, start, sample_ptr, threads, index);
}
extern "C" int32_t geo_fps_f64(GEO_FPS(double)) {
  return geo::fps<double>(points, n, dim, graphs, ptr, start, sample_ptr, threads, index);
}
