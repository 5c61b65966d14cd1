// k nearest, radius lists and counts: equal to brute force, to the last index.
#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "input.h"

#include "abi.h"

namespace fuzz {
namespace {

constexpr double kBudget = 3e6;  // coordinates that brute force may compare: a few milliseconds

template <class T>
struct Case {
  int dim;
  Graphs g;
  bool self;
  Array<T> points, queries;
  double scale;
  int threads;

  int64_t rows() const { return self ? g.n() : g.m(); }
  int64_t first_query(int64_t b) const { return self ? g.x[b] : g.y[b]; }
  const T* query(int64_t q) const { return (self ? points : queries).data() + q * dim; }
  const T* given() const { return self ? nullptr : queries.data(); }
};

// All points of the graph of query q, nearest first, ties by index.
template <class T>
std::vector<std::pair<T, int64_t>> neighbours(const Case<T>& c, int64_t b, int64_t q) {
  std::vector<std::pair<T, int64_t>> found;
  for (int64_t i = c.g.x[b]; i < c.g.x[b + 1]; ++i) {
    if (c.self && i == q) continue;
    const T d2 = distance2(c.query(q), c.points.data() + i * c.dim, c.dim);
    if (std::isfinite(d2)) found.emplace_back(d2, i);
  }
  std::sort(found.begin(), found.end());
  return found;
}

// Calls check(query, its neighbours) for all queries, or for a sample of them.
template <class T, class F>
void each_query(const Case<T>& c, F check) {
  double work = 0;
  for (int64_t b = 0; b < c.g.count; ++b)
    work += static_cast<double>(c.g.x[b + 1] - c.g.x[b]) * c.dim *
            static_cast<double>(c.first_query(b + 1) - c.first_query(b));
  const int64_t step = 1 + static_cast<int64_t>(work / kBudget);
  for (int64_t b = 0; b < c.g.count; ++b)
    for (int64_t q = c.first_query(b); q < c.first_query(b + 1); q += step)
      check(q, neighbours(c, b, q));
}

template <class T>
void knn(Input& in, const Case<T>& c) {
  const int k = 1 + in.byte() % 128;
  const int64_t size = c.rows() * k;
  Array<int64_t> index(size, -7), again(size, -7);
  Array<T> dist2(size), dist2_again(size);
  const auto call = [&](int threads, Array<int64_t>& i, Array<T>& d) {
    return Abi<T>::knn(c.points.data(), c.g.n(), c.given(), c.self ? 0 : c.g.m(), c.dim, c.g.count,
                       c.g.x_ptr(), c.g.y_ptr(), k, threads, i.data(), d.data());
  };
  GEO_REQUIRE(call(c.threads, index, dist2) == GEO_OK, "knn");
  GEO_REQUIRE(call(1, again, dist2_again) == GEO_OK, "knn");
  GEO_REQUIRE(std::equal(index.data(), index.data() + size, again.data()), "knn: threads show");
  each_query(c, [&](int64_t q, const std::vector<std::pair<T, int64_t>>& near) {
    for (int i = 0; i < k; ++i) {
      const bool there = i < static_cast<int64_t>(near.size());
      const int64_t want = there ? near[i].second : -1;
      const T want_d2 = there ? near[i].first : std::numeric_limits<T>::infinity();
      GEO_REQUIRE(index[q * k + i] == want && dist2[q * k + i] == want_d2,
                  "knn f%zu N=%lld Q=%lld D=%d B=%lld k=%d: query %lld place %d is %lld at %g, "
                  "brute force %lld at %g", 8 * sizeof(T), ll(c.g.n()),
                  ll(c.rows()), c.dim, ll(c.g.count), k, ll(q), i, ll(index[q * k + i]),
                  static_cast<double>(dist2[q * k + i]), ll(want), static_cast<double>(want_d2));
    }
  });
}

template <class T>
void within(Input& in, const Case<T>& c) {
  const double r = radius(in, c.scale);
  const int64_t limit = in.flag() ? -1 : in.byte() % 20, rows = c.rows();
  Array<int64_t> row_ptr(rows + 1, -7), count(rows, -7);
  void* handle = nullptr;
  GEO_REQUIRE(Abi<T>::radius(c.points.data(), c.g.n(), c.given(), c.self ? 0 : c.g.m(), c.dim,
                             c.g.count, c.g.x_ptr(), c.g.y_ptr(), r, c.threads, limit,
                             row_ptr.data(), &handle) == GEO_OK && handle, "radius");
  GEO_REQUIRE(Abi<T>::radius_count(c.points.data(), c.g.n(), c.given(), c.self ? 0 : c.g.m(),
                                   c.dim, c.g.count, c.g.x_ptr(), c.g.y_ptr(), r, c.threads,
                                   count.data()) == GEO_OK, "radius_count");
  GEO_REQUIRE(row_ptr[0] == 0, "radius");
  for (int64_t q = 0; q < rows; ++q)
    GEO_REQUIRE(row_ptr[q + 1] - row_ptr[q] == (limit < 0 ? count[q] : std::min(limit, count[q])),
                "radius %g: row %lld has %lld, counted %lld", r, ll(q),
                ll(row_ptr[q + 1] - row_ptr[q]), ll(count[q]));
  Array<int64_t> index(row_ptr[rows], -7);
  if (in.byte() % 8 == 0) {  // only free
    GEO_REQUIRE(geo_radius_take(handle, nullptr) == GEO_OK, "radius_take");
    return;
  }
  GEO_REQUIRE(geo_radius_take(handle, index.data()) == GEO_OK, "radius_take");
  const T limit2 = std::min(static_cast<T>(r) * static_cast<T>(r), std::numeric_limits<T>::max());
  each_query(c, [&](int64_t q, const std::vector<std::pair<T, int64_t>>& near) {
    int64_t want = 0;
    while (want < static_cast<int64_t>(near.size()) && near[want].first <= limit2) ++want;
    GEO_REQUIRE(count[q] == want,
                "radius_count f%zu D=%d r=%g: query %lld counts %lld, brute force %lld",
                8 * sizeof(T), c.dim, r, ll(q), ll(count[q]), ll(want));
    for (int64_t i = row_ptr[q]; i < row_ptr[q + 1]; ++i)
      GEO_REQUIRE(index[i] == near[i - row_ptr[q]].second, "radius: query %lld entry %lld",
                  ll(q), ll(i - row_ptr[q]));
  });
}

template <class T>
void run(Input& in) {
  const int dim = dimension(in);
  const Graphs g = graphs(in, dim);
  const bool self = in.flag();
  double scale, other;
  Array<T> points = fuzz::points<T>(in, g.n(), dim, &scale);
  Array<T> queries = fuzz::points<T>(in, self ? 0 : g.m(), dim, &other);
  const Case<T> c{dim, g, self, std::move(points), std::move(queries), scale, threads(in)};
  if (in.flag())
    knn(in, c);
  else
    within(in, c);
}

}  // namespace

void search(Input& in) {
  if (in.flag())
    run<float>(in);
  else
    run<double>(in);
}

}  // namespace fuzz
