// Compiled once per instruction set: GEO_ISA names the entry points.
#include "cpu/search_kernel.h"

#include "cpu/search_knn.h"
#include "cpu/search_radius.h"
#include "cpu/search_sort.h"

namespace geo {
namespace {

#define GEO_DISPATCH(call)          \
  switch (t.dim) {                  \
    case 1: return call(1);         \
    case 2: return call(2);         \
    case 3: return call(3);         \
    case 4: return call(4);         \
    case 8: return call(8);         \
    case 12: return call(12);       \
    case 16: return call(16);       \
    default: return call(0);        \
  }
#define GEO_CALL_KNN(D) knn<D>(t)
#define GEO_CALL_RADIUS(D) radius<D, false>(t)
#define GEO_CALL_COUNT(D) radius<D, true>(t)

template <class T>
void dispatch_knn(SearchTask<T>& t) { GEO_DISPATCH(GEO_CALL_KNN) }
template <class T>
void dispatch_radius(SearchTask<T>& t) { GEO_DISPATCH(GEO_CALL_RADIUS) }
template <class T>
void dispatch_count(SearchTask<T>& t) { GEO_DISPATCH(GEO_CALL_COUNT) }

}  // namespace

#define GEO_JOIN(a, b) a##b
#define GEO_NAME(prefix, isa) GEO_JOIN(prefix, isa)
void GEO_NAME(knn_, GEO_ISA)(SearchTask<float>& t) { dispatch_knn(t); }
void GEO_NAME(knn_, GEO_ISA)(SearchTask<double>& t) { dispatch_knn(t); }
void GEO_NAME(radius_, GEO_ISA)(SearchTask<float>& t) { dispatch_radius(t); }
void GEO_NAME(radius_, GEO_ISA)(SearchTask<double>& t) { dispatch_radius(t); }
void GEO_NAME(count_, GEO_ISA)(SearchTask<float>& t) { dispatch_count(t); }
void GEO_NAME(count_, GEO_ISA)(SearchTask<double>& t) { dispatch_count(t); }
void GEO_NAME(sort_, GEO_ISA)(const uint64_t* keys, int number, uint64_t* sorted) {
  sort_keys(keys, number, sorted);
}
void GEO_NAME(sort_, GEO_ISA)(const unsigned __int128* keys, int number,
                              unsigned __int128* sorted) {
  sort_keys(keys, number, sorted);
}

}  // namespace geo
