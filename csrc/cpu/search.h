// What the searches share: both sets planted, the queries in KD order too, so that 16 of them
// descend together.
#pragma once

#include <algorithm>
#include <limits>
#include <vector>

#include "api.h"
#include "cpu/forest.h"
#include "cpu/search_kernel.h"
#include "cpu/team.h"

namespace geo {

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
    return plantable(n, dim, graphs, threads) && plantable(q, dim, graphs, threads);
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
    graph = queries->graph_of_leaf();
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

#define GEO_SEARCH_CALL(T) \
  geo::SearchCall<T> { points, n, queries, q, dim, graphs, ptr, query_ptr, threads }

}  // namespace geo
