// What the searches share: both sets planted, the queries in KD order too, so that 16 of them
// descend together.
#pragma once

#include <algorithm>
#include <limits>
#include <new>
#include <vector>

#include "api.h"
#include "cpu/forest.h"
#include "cpu/isa.h"
#include "cpu/search_kernel.h"

namespace geo {

#if defined(__x86_64__)
#define GEO_SEARCH(name, ...)                              \
  (isa() == Isa::avx512   ? name##_avx512(__VA_ARGS__)     \
   : isa() == Isa::avx2 ? name##_avx2(__VA_ARGS__)       \
                        : name##_baseline(__VA_ARGS__))
#else
#define GEO_SEARCH(name, ...) name##_baseline(__VA_ARGS__)
#endif

// The arguments that every search takes; see api.h.
template <class T>
struct SearchCall {
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

template <class T>
struct Search {
  Forest<T> points;
  Forest<T> other;
  const Forest<T>* queries;
  std::vector<int64_t> graph;  // (leaves of the queries) their graph

  explicit Search(const SearchCall<T>& c)
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

// The squared radius; a distance beyond the largest number is not within it, however large r is.
template <class T>
T square_of(double r) {
  return std::min(static_cast<T>(r) * static_cast<T>(r), std::numeric_limits<T>::max());
}

// Runs a search; running out of memory becomes an error code.
template <class F>
int32_t guarded(F function) {
  try {
    return function();
  } catch (const std::bad_alloc&) {
    return GEO_NO_MEMORY;
  }
}

#define GEO_SEARCH_CALL(T) \
  geo::SearchCall<T> { points, n, queries, q, dim, graphs, ptr, query_ptr, threads }

}  // namespace geo
