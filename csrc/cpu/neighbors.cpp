// k nearest neighbours, radius lists and radius counts: plant points and queries, search by groups.
#include <algorithm>
#include <memory>
#include <limits>
#include <new>

#include "api.h"
#include "cpu/forest.h"
#include "cpu/isa.h"
#include "cpu/search_kernel.h"

namespace geo {
namespace {

constexpr int kMaxK = 128;

#if defined(__x86_64__)
#define GEO_SEARCH(name, task)                       \
  switch (isa()) {                                   \
    case Isa::avx512: name##_avx512(task); break;    \
    case Isa::avx2: name##_avx2(task); break;        \
    default: name##_baseline(task);                  \
  }
#else
#define GEO_SEARCH(name, task) name##_baseline(task)
#endif

template <class T>
struct Call {
  const T* points;
  int64_t n;
  const T* queries;
  int64_t q;
  int dim;
  int64_t graphs;
  const int64_t* ptr;
  const int64_t* query_ptr;
  int threads;

  bool self() const { return queries == nullptr; }
  int64_t rows() const { return self() ? n : q; }
  bool valid() const {
    const int64_t limit = std::numeric_limits<int32_t>::max();
    return n >= 0 && q >= 0 && n <= limit && q <= limit && dim >= 1 && dim <= kMaxDim &&
           graphs >= 0 && threads >= 1;
  }
};

// Both sets planted; the queries in KD order too, so that 16 of them share one descent.
template <class T>
struct Search {
  Forest<T> points;
  Forest<T> other;
  const Forest<T>* queries;
  std::vector<int64_t> graph;  // (leaves of the queries) their graph

  explicit Search(const Call<T>& c)
      : points(plant<T>(c.points, c.n, c.dim, c.graphs, c.ptr, nullptr, c.threads)) {
    if (!c.self())
      other = plant<T>(c.queries, c.q, c.dim, c.graphs, c.query_ptr, nullptr, c.threads);
    queries = c.self() ? &points : &other;
    graph.resize(queries->leaves());
    for (int64_t b = 0; b < c.graphs; ++b)
      std::fill(graph.begin() + queries->leaf_begin[b], graph.begin() + queries->leaf_begin[b + 1], b);
  }

  // The search of query leaf l (global number), without what the kind of search adds.
  SearchTask<T> task(int64_t l, bool self) const {
    const int64_t b = graph[l];
    const int dim = points.dim;
    SearchTask<T> t{};
    t.tree = points.tree(b);
    t.dim = dim;
    t.query = queries->coord.data() + l * dim * kLeaf;
    t.self = self ? queries->order.data() + l * kLeaf : nullptr;
    const int64_t rest = queries->count[b] - (l - queries->leaf_begin[b]) * kLeaf;
    t.queries = static_cast<int>(std::min<int64_t>(rest, kLeaf));
    return t;
  }
  int64_t row(int64_t l, int lane) const {
    return queries->base[graph[l]] + queries->order[l * kLeaf + lane];
  }
};

template <class T>
int32_t knn(const Call<T>& c, int k, int64_t* index, T* dist2) {
  if (!c.valid() || k < 1 || k > kMaxK) return GEO_BAD_ARGUMENT;
  using K = typename Key<T>::type;
  std::fill_n(index, c.rows() * k, int64_t{-1});
  std::fill_n(dist2, c.rows() * k, std::numeric_limits<T>::infinity());
  const Search<T> search(c);
  const int64_t leaves = search.queries->leaves();
  const K nothing = make_key<T>(std::numeric_limits<T>::infinity(), 0);
#pragma omp parallel for num_threads(c.threads) schedule(dynamic, 64) if (leaves > 64)
  for (int64_t l = 0; l < leaves; ++l) {
    SearchTask<T> t = search.task(l, c.self());
    if (t.tree.leaves == 0) continue;
    K nearest[kLeaf * kMaxK];
    std::fill_n(nearest, kLeaf * k, nothing);
    t.k = k;
    t.nearest = nearest;
    GEO_SEARCH(knn, t);
    const int64_t base = search.points.base[search.graph[l]];
    for (int lane = 0; lane < t.queries; ++lane) {
      const int64_t row = search.row(l, lane) * k;
      const K* list = nearest + lane * k;
      for (int i = 0; i < k && list[i] < nothing; ++i) {
        index[row + i] = base + key_row<T>(list[i]);
        dist2[row + i] = key_distance<T>(list[i]);
      }
    }
  }
  return GEO_OK;
}

// Radius lists as they are found: the rows of a run of query leaves, one after the other.
struct Run {
  std::vector<int64_t> row;
  std::vector<int64_t> index;
};
struct Lists {
  std::vector<Run> runs;
  std::vector<int64_t> row_ptr;
  int threads;
};

template <class T>
struct Hits {
  using K = typename Key<T>::type;
  std::vector<K> lane[kLeaf];
  bool failed = false;  // no exception may cross the kernel

  static void add(void* self, int lane, const K* keys, int number) {
    auto& hits = *static_cast<Hits*>(self);
    try {
      hits.lane[lane].insert(hits.lane[lane].end(), keys, keys + number);
    } catch (const std::bad_alloc&) {
      hits.failed = true;
    }
  }
};

template <class T>
void search_run(const Call<T>& c, const Search<T>& search, double r, int64_t limit, int64_t first,
                int64_t last, Run& run, int64_t* counts) {
  const T radius = static_cast<T>(r);
  Hits<T> hits;
  for (int64_t l = first; l < last; ++l) {
    SearchTask<T> t = search.task(l, c.self());
    if (t.tree.leaves == 0) continue;
    t.radius2 = radius * radius;
    t.found = &Hits<T>::add;
    t.context = &hits;
    GEO_SEARCH(radius, t);
    if (hits.failed) throw std::bad_alloc();
    const int64_t base = search.points.base[search.graph[l]];
    for (int lane = 0; lane < t.queries; ++lane) {
      auto& keys = hits.lane[lane];
      int64_t kept = static_cast<int64_t>(keys.size());
      if (limit >= 0 && kept > limit) {
        std::nth_element(keys.begin(), keys.begin() + limit, keys.end());
        kept = limit;
      }
      std::sort(keys.begin(), keys.begin() + kept);
      const int64_t row = search.row(l, lane);
      counts[row] = kept;
      run.row.push_back(row);
      for (int64_t i = 0; i < kept; ++i) run.index.push_back(base + key_row<T>(keys[i]));
      keys.clear();
    }
  }
}

template <class T>
int32_t radius(const Call<T>& c, double r, int64_t limit, int64_t* row_ptr, void** handle) {
  if (!c.valid() || !(r >= 0)) return GEO_BAD_ARGUMENT;
  const Search<T> search(c);
  const int64_t leaves = search.queries->leaves(), grain = 256;
  auto lists = std::unique_ptr<Lists>(new Lists);
  lists->threads = c.threads;
  lists->runs.resize((leaves + grain - 1) / grain);
  std::fill_n(row_ptr, c.rows() + 1, int64_t{0});
  int failed = 0;
  const int64_t runs = static_cast<int64_t>(lists->runs.size());
#pragma omp parallel for num_threads(c.threads) schedule(dynamic, 1) reduction(| : failed) if (runs > 1)
  for (int64_t i = 0; i < runs; ++i) {
    try {
      search_run(c, search, r, limit, i * grain, std::min(leaves, (i + 1) * grain), lists->runs[i],
                 row_ptr + 1);
    } catch (const std::bad_alloc&) {
      failed = 1;
    }
  }
  if (failed) return GEO_NO_MEMORY;
  for (int64_t i = 0; i < c.rows(); ++i) row_ptr[i + 1] += row_ptr[i];
  lists->row_ptr.assign(row_ptr, row_ptr + c.rows() + 1);
  *handle = lists.release();
  return GEO_OK;
}

void take(const Lists& lists, int64_t* index) {
  const int64_t runs = static_cast<int64_t>(lists.runs.size());
#pragma omp parallel for num_threads(lists.threads) schedule(static) if (runs > 1)
  for (int64_t i = 0; i < runs; ++i) {
    const int64_t* from = lists.runs[i].index.data();
    for (const int64_t row : lists.runs[i].row) {
      const int64_t count = lists.row_ptr[row + 1] - lists.row_ptr[row];
      std::copy_n(from, count, index + lists.row_ptr[row]);
      from += count;
    }
  }
}

template <class T>
int32_t radius_count(const Call<T>& c, double r, int64_t* count) {
  if (!c.valid() || !(r >= 0)) return GEO_BAD_ARGUMENT;
  const Search<T> search(c);
  const T radius = static_cast<T>(r);
  std::fill_n(count, c.rows(), int64_t{0});
  const int64_t leaves = search.queries->leaves();
#pragma omp parallel for num_threads(c.threads) schedule(dynamic, 64) if (leaves > 64)
  for (int64_t l = 0; l < leaves; ++l) {
    SearchTask<T> t = search.task(l, c.self());
    if (t.tree.leaves == 0) continue;
    int64_t found[kLeaf] = {};
    t.radius2 = radius * radius;
    t.count = found;
    GEO_SEARCH(count, t);
    for (int lane = 0; lane < t.queries; ++lane)
      count[search.row(l, lane)] = found[lane] - (c.self() ? 1 : 0);
  }
  return GEO_OK;
}

template <class F>
int32_t guarded(F function) {
  try {
    return function();
  } catch (const std::bad_alloc&) {
    return GEO_NO_MEMORY;
  }
}

}  // namespace
}  // namespace geo

#define GEO_CALL(T) \
  geo::Call<T> { points, n, queries, q, dim, graphs, ptr, query_ptr, threads }

extern "C" int32_t geo_knn_f32(GEO_KNN(float)) {
  return geo::guarded([&] { return geo::knn(GEO_CALL(float), k, index, dist2); });
}
extern "C" int32_t geo_knn_f64(GEO_KNN(double)) {
  return geo::guarded([&] { return geo::knn(GEO_CALL(double), k, index, dist2); });
}
extern "C" int32_t geo_radius_f32(GEO_RADIUS(float), int64_t max_neighbors, int64_t* row_ptr,
                                  void** handle) {
  return geo::guarded(
      [&] { return geo::radius(GEO_CALL(float), r, max_neighbors, row_ptr, handle); });
}
extern "C" int32_t geo_radius_f64(GEO_RADIUS(double), int64_t max_neighbors, int64_t* row_ptr,
                                  void** handle) {
  return geo::guarded(
      [&] { return geo::radius(GEO_CALL(double), r, max_neighbors, row_ptr, handle); });
}
extern "C" int32_t geo_radius_take(void* handle, int64_t* index) {
  auto* lists = static_cast<geo::Lists*>(handle);
  if (!lists) return GEO_BAD_ARGUMENT;
  if (index) geo::take(*lists, index);
  delete lists;
  return GEO_OK;
}
extern "C" int32_t geo_radius_count_f32(GEO_RADIUS(float), int64_t* count) {
  return geo::guarded([&] { return geo::radius_count(GEO_CALL(float), r, count); });
}
extern "C" int32_t geo_radius_count_f64(GEO_RADIUS(double), int64_t* count) {
  return geo::guarded([&] { return geo::radius_count(GEO_CALL(double), r, count); });
}
