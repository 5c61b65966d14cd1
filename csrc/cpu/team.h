// One thread that works, and others that take the tasks it creates.
#pragma once

#include <cstdint>
#include <new>

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

}  // namespace geo
