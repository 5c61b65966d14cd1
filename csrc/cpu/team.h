// Work for several threads, and running out of memory in one of them.
#pragma once

#include <cstdint>
#include <new>

#include "api.h"

namespace geo {

constexpr int64_t kAlone = 8192;  // points below which a second thread does not pay

// Runs body() once; OpenMP tasks in it are shared by the team. std::bad_alloc gets out.
template <class F>
void in_team(int threads, int64_t points, F body) {
  bool no_memory = false;
#pragma omp parallel num_threads(threads) if (threads > 1 && points > kAlone)
#pragma omp single
  try {
    body();
  } catch (const std::bad_alloc&) {  // must not leave the parallel region
    no_memory = true;
  }
  if (no_memory) throw std::bad_alloc();
}

// Calls f(i) for 0..number-1 in 32 tasks of the team, so that 32 threads can share them: libgomp
// would leave a loop of more than 64 tasks a thread to one thread. f must not throw.
template <class F>
void in_tasks(int64_t number, const F& f) {
#pragma omp taskloop default(shared) num_tasks(32) if (number > 1)
  for (int64_t i = 0; i < number; ++i) f(i);
}

// Runs body(i) for i in 0..number-1, each on the next free thread. std::bad_alloc gets out.
template <class F>
void deal_out(int64_t number, int threads, F body) {
  bool no_memory = false;
#pragma omp parallel for num_threads(threads) schedule(dynamic, 1) if (number > 1) \
    reduction(|| : no_memory)
  for (int64_t i = 0; i < number; ++i) {
    try {
      body(i);
    } catch (const std::bad_alloc&) {
      no_memory = true;
    }
  }
  if (no_memory) throw std::bad_alloc();
}

// What the C ABI returns: running out of memory becomes an error code.
template <class F>
int32_t guarded(F function) {
  try {
    return function();
  } catch (const std::bad_alloc&) {
    return GEO_NO_MEMORY;
  }
}

}  // namespace geo
