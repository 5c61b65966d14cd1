// Radius lists and counts. The number of hits is known only afterwards, so lists are kept as they
// are found, run after run of query leaves, until the caller has the memory for them.
#include <memory>

#include "cpu/search.h"

namespace geo {
namespace {

constexpr int64_t kRun = 64;  // query leaves whose lists are kept together

// The lists of a run: rows of the caller's array, and their neighbours one after the other.
struct Run {
  std::vector<int32_t> row;
  std::vector<int32_t> index;
};
struct Lists {
  std::vector<Run> runs;
  std::vector<int64_t> row_ptr;
  int threads;
};

// Room for the hits of 16 queries; see SearchTask::grow.
template <class T>
struct Hits {
  using K = typename Key<T>::type;
  Array<K> lane[kLeaf];
  bool failed = false;  // no exception may cross the kernel

  // True if lane has room for a leaf more.
  static bool grow(SearchTask<T>& task, int lane) {
    auto& hits = *static_cast<Hits*>(task.context);
    try {
      Array<K> larger(std::max<int64_t>(256, 2 * task.room[lane]));
      std::copy_n(hits.lane[lane].data(), task.hits[lane], larger.data());
      hits.lane[lane] = std::move(larger);
    } catch (const std::bad_alloc&) {
      hits.failed = true;
      return false;
    }
    task.hit[lane] = hits.lane[lane].data();
    task.room[lane] = hits.lane[lane].size();
    return true;
  }

  void lend(SearchTask<T>& task) {
    task.grow = &Hits::grow;
    task.context = this;
    for (int l = 0; l < kLeaf; ++l) {
      task.hit[l] = lane[l].data();
      task.room[l] = lane[l].size();
      task.hits[l] = 0;
    }
  }
};

template <class T>
void search_run(const SearchCall<T>& c, const Search<T>& search, T radius2, int64_t limit,
                int64_t first, int64_t last, Run& run, int64_t* counts) {
  using K = typename Key<T>::type;
  Hits<T> hits;
  std::vector<K> sorted;
  for (int64_t l = first; l < last; ++l) {
    SearchTask<T> t = search.task(l, c.self());
    if (t.tree.leaves == 0) continue;
    t.radius2 = radius2;
    hits.lend(t);
    GEO_RUN(radius, t);
    if (hits.failed) throw std::bad_alloc();
    const int64_t base = search.points.base[search.graph[l]];
    for (int lane = 0; lane < t.queries; ++lane) {
      K* keys = t.hit[lane];
      const int64_t found = t.hits[lane];
      const int64_t kept = limit >= 0 ? std::min(limit, found) : found;
      if (found > kSortedAtOnce) {
        if (kept < found) std::nth_element(keys, keys + kept, keys + found);
        std::sort(keys, keys + kept);
      } else if (found > 1) {
        sorted.resize(kSortedAtOnce);
        GEO_RUN(sort, keys, static_cast<int>(found), sorted.data());
        keys = sorted.data();
      }
      const int64_t row = search.row(l, lane), at = static_cast<int64_t>(run.index.size());
      counts[row] = kept;
      run.row.push_back(static_cast<int32_t>(row));
      run.index.resize(at + kept);
      for (int64_t i = 0; i < kept; ++i)
        run.index[at + i] = static_cast<int32_t>(base + key_row<T>(keys[i]));
    }
  }
}

template <class T>
int32_t radius(const SearchCall<T>& c, double r, int64_t limit, int64_t* row_ptr, void** handle) {
  if (!c.valid() || !(r >= 0)) return GEO_BAD_ARGUMENT;
  const Search<T> search(c);
  const int64_t leaves = search.queries->leaves();
  const T radius2 = square_of<T>(r);
  auto lists = std::unique_ptr<Lists>(new Lists);
  lists->threads = c.threads;
  lists->runs.resize((leaves + kRun - 1) / kRun);
  std::fill_n(row_ptr, c.rows() + 1, int64_t{0});
  deal_out(static_cast<int64_t>(lists->runs.size()), c.threads, [&](int64_t i) {
    search_run(c, search, radius2, limit, i * kRun, std::min(leaves, (i + 1) * kRun),
               lists->runs[i], row_ptr + 1);
  });
  for (int64_t i = 0; i < c.rows(); ++i) row_ptr[i + 1] += row_ptr[i];
  lists->row_ptr.assign(row_ptr, row_ptr + c.rows() + 1);
  *handle = lists.release();
  return GEO_OK;
}

void take(const Lists& lists, int64_t* index) {
  const int64_t runs = static_cast<int64_t>(lists.runs.size());
#pragma omp parallel for num_threads(lists.threads) schedule(static) if (runs > 1)
  for (int64_t i = 0; i < runs; ++i) {
    const int32_t* from = lists.runs[i].index.data();
    for (const int32_t row : lists.runs[i].row) {
      const int64_t count = lists.row_ptr[row + 1] - lists.row_ptr[row];
      std::copy_n(from, count, index + lists.row_ptr[row]);
      from += count;
    }
  }
}

template <class T>
int32_t radius_count(const SearchCall<T>& c, double r, int64_t* count) {
  if (!c.valid() || !(r >= 0)) return GEO_BAD_ARGUMENT;
  const Search<T> search(c);
  std::fill_n(count, c.rows(), int64_t{0});
  const int64_t leaves = search.queries->leaves();
#pragma omp parallel for num_threads(c.threads) schedule(dynamic, 64) if (leaves > 64)
  for (int64_t l = 0; l < leaves; ++l) {
    SearchTask<T> t = search.task(l, c.self());
    if (t.tree.leaves == 0) continue;
    t.radius2 = square_of<T>(r);
    GEO_RUN(count, t);
    for (int lane = 0; lane < t.queries; ++lane)
      count[search.row(l, lane)] = t.hits[lane] - (c.self() ? 1 : 0);
  }
  return GEO_OK;
}

}  // namespace
}  // namespace geo

extern "C" int32_t geo_radius_f32(GEO_RADIUS(float), int64_t max_neighbors, int64_t* row_ptr,
                                  void** handle) {
  return geo::guarded(
      [&] { return geo::radius(GEO_SEARCH_CALL(float), r, max_neighbors, row_ptr, handle); });
}
extern "C" int32_t geo_radius_f64(GEO_RADIUS(double), int64_t max_neighbors, int64_t* row_ptr,
                                  void** handle) {
  return geo::guarded(
      [&] { return geo::radius(GEO_SEARCH_CALL(double), r, max_neighbors, row_ptr, handle); });
}
extern "C" int32_t geo_radius_take(void* handle, int64_t* index) {
  auto* lists = static_cast<geo::Lists*>(handle);
  if (!lists) return GEO_BAD_ARGUMENT;
  if (index) geo::take(*lists, index);
  delete lists;
  return GEO_OK;
}
extern "C" int32_t geo_radius_count_f32(GEO_RADIUS(float), int64_t* count) {
  return geo::guarded([&] { return geo::radius_count(GEO_SEARCH_CALL(float), r, count); });
}
extern "C" int32_t geo_radius_count_f64(GEO_RADIUS(double), int64_t* count) {
  return geo::guarded([&] { return geo::radius_count(GEO_SEARCH_CALL(double), r, count); });
}
