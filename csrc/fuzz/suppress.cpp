// Greedy suppression: equal to the loop of its definition.
#include <algorithm>
#include <cmath>

#include "input.h"

#include "abi.h"

namespace fuzz {
namespace {

template <class T>
void run(Input& in) {
  const int dim = dimension(in);
  const Graphs g = graphs(in, dim);
  if (g.n() > 2500) return;  // the loop is quadratic where nothing is suppressed
  double scale;
  const Array<T> points = fuzz::points<T>(in, g.n(), dim, &scale);
  const double r = radius(in, scale);
  Array<int64_t> visit(g.n());
  for (int64_t b = 0; b < g.count; ++b)
    for (int64_t i = g.x[b]; i < g.x[b + 1]; ++i) {  // each graph's rows, shuffled
      const int64_t other = g.x[b] + in.below(i - g.x[b] + 1);
      visit[i] = visit[other];
      visit[other] = i;
    }
  Array<uint8_t> keep(g.n(), 77);
  GEO_REQUIRE(Abi<T>::suppress(points.data(), g.n(), dim, g.count, g.x_ptr(), visit.data(), r,
                               threads(in), keep.data()) == GEO_OK, "suppress");
  const T limit = static_cast<T>(r) * static_cast<T>(r);
  if (!std::isfinite(limit)) return;  // then distances that overflow count as within it
  for (int64_t b = 0; b < g.count; ++b) {
    std::vector<int64_t> kept;
    for (int64_t i = g.x[b]; i < g.x[b + 1]; ++i) {
      const T* point = points.data() + visit[i] * dim;
      const bool near = std::any_of(kept.begin(), kept.end(), [&](int64_t j) {
        const T d2 = distance2(points.data() + j * dim, point, dim);
        return std::isfinite(d2) && d2 <= limit;
      });
      GEO_REQUIRE(keep[visit[i]] == !near, "suppress f%zu D=%d r=%g: row %lld is %d, the loop %d",
                  8 * sizeof(T), dim, r, ll(visit[i]), keep[visit[i]], !near);
      if (!near) kept.push_back(visit[i]);
    }
  }
}

}  // namespace

void suppress(Input& in) {
  if (in.flag())
    run<float>(in);
  else
    run<double>(in);
}

}  // namespace fuzz
