// k nearest neighbours: every leaf of queries searches the tree of its graph.
#include "cpu/search.h"

namespace geo {
namespace {

constexpr int kMaxK = 128;

template <class T>
int32_t knn(const SearchCall<T>& c, int k, int64_t* index, T* dist2) {
  if (!c.valid() || k < 1 || k > kMaxK) return GEO_BAD_ARGUMENT;
  using K = typename Key<T>::type;
  const Search<T> search(c);
  const int64_t leaves = search.queries->leaves(), rows = c.rows();
  const K nothing = make_key<T>(std::numeric_limits<T>::infinity(), 0);
  int64_t searched = 0;  // queries whose rows are written below
  for (const int64_t number : search.queries->count) searched += number;
  if (searched < rows) {
    std::fill_n(index, rows * k, int64_t{-1});
    std::fill_n(dist2, rows * k, std::numeric_limits<T>::infinity());
  }
#pragma omp parallel for num_threads(c.threads) schedule(dynamic, 64) if (leaves > 64)
  for (int64_t l = 0; l < leaves; ++l) {
    SearchTask<T> t = search.task(l, c.self());
    K nearest[kLeaf * kMaxK];
    std::fill_n(nearest, kLeaf * k, nothing);
    t.k = k;
    t.nearest = nearest;
    if (t.tree.leaves > 0) GEO_RUN(knn, t);
    const int64_t base = search.points.base[search.graph[l]];
    for (int lane = 0; lane < t.queries; ++lane) {
      const int64_t row = search.row(l, lane) * k;
      const K* list = nearest + lane * k;
      for (int i = 0; i < k; ++i) {
        index[row + i] = list[i] < nothing ? base + key_row<T>(list[i]) : -1;
        dist2[row + i] = key_distance<T>(list[i]);
      }
    }
  }
  return GEO_OK;
}

}  // namespace
}  // namespace geo

extern "C" int32_t geo_knn_f32(GEO_KNN(float)) {
  return geo::guarded([&] { return geo::knn(GEO_SEARCH_CALL(float), k, index, dist2); });
}
extern "C" int32_t geo_knn_f64(GEO_KNN(double)) {
  return geo::guarded([&] { return geo::knn(GEO_SEARCH_CALL(double), k, index, dist2); });
}
