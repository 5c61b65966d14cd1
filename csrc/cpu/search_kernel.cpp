// Compiled once per instruction set, see isa.h.
#include "cpu/search_kernel.h"

#include "cpu/search_knn.h"
#include "cpu/search_radius.h"
#include "cpu/search_sort.h"

namespace geo {
namespace GEO_ISA {

void knn(SearchTask<float>& t) { by_dim(t.dim, [&](auto d) { nearest<d.value>(t); }); }
void knn(SearchTask<double>& t) { by_dim(t.dim, [&](auto d) { nearest<d.value>(t); }); }
void radius(SearchTask<float>& t) { by_dim(t.dim, [&](auto d) { within<d.value, false>(t); }); }
void radius(SearchTask<double>& t) { by_dim(t.dim, [&](auto d) { within<d.value, false>(t); }); }
void count(SearchTask<float>& t) { by_dim(t.dim, [&](auto d) { within<d.value, true>(t); }); }
void count(SearchTask<double>& t) { by_dim(t.dim, [&](auto d) { within<d.value, true>(t); }); }

void sort(const uint64_t* keys, int number, uint64_t* sorted) { sort_keys(keys, number, sorted); }
void sort(const unsigned __int128* keys, int number, unsigned __int128* sorted) {
  sort_keys(keys, number, sorted);
}

}  // namespace GEO_ISA
}  // namespace geo
