// How the pairs of a call are dealt out to threads.
#pragma once

#include <cstdint>
#include <vector>

namespace geo {

// Leaves [begin, end) of the lane side of a graph, against all of its loop side.
struct Slice {
  int64_t graph, begin, end;
};

// The lane side in slices of about equal numbers of possible pairs: several per thread, so that
// dense regions spread over the threads, or one per graph. Leaves (B + 1) and points (B) of both.
std::vector<Slice> cut_slices(const std::vector<int64_t>& leaf_begin,
                              const std::vector<int64_t>& lanes, const std::vector<int64_t>& loop,
                              int threads);

// The thread of slice s: there and back again (0 1 1 0 ...), because neighbouring subtrees have
// similar work. Fixed beforehand: the order of additions is a matter of `threads` alone.
inline int thread_of(int64_t s, int threads) {
  const int turn = static_cast<int>(s % (2 * threads));
  return turn < threads ? turn : 2 * threads - 1 - turn;
}

}  // namespace geo
