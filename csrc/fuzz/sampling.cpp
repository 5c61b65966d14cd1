// Farthest-point sampling: the same rows in the same order as the plain loop.
#include <algorithm>
#include <cmath>
#include <limits>

#include "input.h"

#include "abi.h"

namespace fuzz {
namespace {

constexpr double kBudget = 3e6;  // coordinates that the loop may compare

// The samples of rows [begin, end): the farthest next, ties by row, what is not finite at the end.
template <class T>
std::vector<int64_t> farthest(const Array<T>& points, int dim, int64_t begin, int64_t end,
                              int64_t start, int64_t count) {
  std::vector<T> near(end - begin, std::numeric_limits<T>::infinity());
  std::vector<bool> taken(end - begin, false);
  std::vector<int64_t> found;
  for (int64_t row = start; static_cast<int64_t>(found.size()) < count;) {
    found.push_back(row);
    taken[row - begin] = true;
    const bool counts = finite(points.data() + row * dim, dim);
    int64_t best = -1, outside = -1;
    for (int64_t i = begin; i < end; ++i) {
      if (taken[i - begin]) continue;
      if (!finite(points.data() + i * dim, dim)) {
        if (outside < 0) outside = i;
        continue;
      }
      if (counts)
        near[i - begin] = std::min(near[i - begin], distance2(points.data() + i * dim,
                                                              points.data() + row * dim, dim));
      if (best < 0 || near[i - begin] > near[best - begin]) best = i;
    }
    row = best >= 0 ? best : outside;
  }
  return found;
}

template <class T>
void run(Input& in) {
  const int dim = dimension(in);
  const Graphs g = graphs(in, dim);
  double scale;
  const Array<T> points = fuzz::points<T>(in, g.n(), dim, &scale);
  const int share = in.byte() % 5, number = threads(in);
  Array<int64_t> start(g.count), sample_ptr(g.count + 1);
  for (int64_t b = 0; b < g.count; ++b) {
    const int64_t size = g.x[b + 1] - g.x[b];
    int64_t count = share == 4 ? size : share == 3 ? std::min<int64_t>(size, 1) : size * share / 4;
    if (static_cast<double>(count) * static_cast<double>(size) * dim > kBudget)
      count = static_cast<int64_t>(kBudget / (static_cast<double>(size) * dim));
    sample_ptr[b + 1] = sample_ptr[b] + count;
    start[b] = size ? g.x[b] + in.below(size) : g.x[b];
  }
  Array<int64_t> index(sample_ptr[g.count], -7), again(sample_ptr[g.count], -7);
  GEO_REQUIRE(Abi<T>::fps(points.data(), g.n(), dim, g.count, g.x_ptr(), start.data(),
                          sample_ptr.data(), number, index.data()) == GEO_OK, "fps");
  GEO_REQUIRE(Abi<T>::fps(points.data(), g.n(), dim, g.count, g.x_ptr(), start.data(),
                          sample_ptr.data(), 1, again.data()) == GEO_OK, "fps");
  GEO_REQUIRE(std::equal(index.data(), index.data() + index.size(), again.data()),
              "fps: threads show");
  for (int64_t b = 0; b < g.count; ++b) {
    const int64_t count = sample_ptr[b + 1] - sample_ptr[b];
    const auto want = farthest(points, dim, g.x[b], g.x[b + 1], start[b], count);
    for (int64_t i = 0; i < count; ++i)
      GEO_REQUIRE(index[sample_ptr[b] + i] == want[i],
                  "fps f%zu D=%d N=%lld B=%lld: sample %lld of graph %lld is %lld, the loop %lld",
                  8 * sizeof(T), dim, ll(g.n()), ll(g.count), ll(i),
                  ll(b), ll(index[sample_ptr[b] + i]), ll(want[i]));
  }
  if (g.count && g.n()) {  // a start outside its graph, and more samples than points
    start[0] = g.x[1];
    const bool asked = sample_ptr[1] > 0;
    GEO_REQUIRE(Abi<T>::fps(points.data(), g.n(), dim, g.count, g.x_ptr(), start.data(),
                            sample_ptr.data(), number, index.data()) ==
                    (asked ? GEO_BAD_ARGUMENT : GEO_OK) && same(index, again),
                "fps: start out of range");
  }
}

}  // namespace

void sampling(Input& in) {
  if (in.flag())
    run<float>(in);
  else
    run<double>(in);
}

}  // namespace fuzz
