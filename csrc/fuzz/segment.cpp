// Segment reductions over ids in any order: equal to the plain loop.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "input.h"

#include "abi.h"

namespace fuzz {
namespace {

template <class T>
struct Case {
  int64_t n, width, segments;
  Array<T> src;
  Array<int64_t> index;
  int kind, threads;
  double fill;
};

// Ids of one of several habits; true if one of them is out of range.
bool fill_ids(Input& in, Array<int64_t>& index, int64_t segments) {
  const int habit = in.byte() % 5;
  for (int64_t i = 0; i < index.size(); ++i)
    index[i] = habit == 0 ? segments / 2 : in.below(habit == 1 ? std::min<int64_t>(segments, 3)
                                                               : segments);
  if (habit == 2) std::sort(index.data(), index.data() + index.size());
  if (index.size() == 0 || in.byte() < 230) return false;
  index[in.below(index.size())] = in.flag() ? -1 : segments + in.below(3);
  return true;
}

template <class T>
int32_t reduce(const Case<T>& c, int threads, Array<T>& out) {
  return Abi<T>::segment_reduce(c.src.data(), c.n, c.width, c.index.data(), c.segments, c.kind,
                                c.fill, threads, out.data());
}

template <class T>
void check(const Case<T>& c, const Array<T>& out) {
  std::vector<double> want(c.segments * c.width), size(c.segments * c.width);
  std::vector<int64_t> rows(c.segments);
  for (int64_t i = 0; i < c.n; ++i) {
    const int64_t s = c.index[i];
    for (int64_t f = 0; f < c.width; ++f) {
      double& w = want[s * c.width + f];
      const double v = static_cast<double>(c.src[i * c.width + f]);
      size[s * c.width + f] += std::abs(v);
      if (c.kind == GEO_SUM)
        w += v;
      else if (rows[s] == 0 || std::isnan(v) || (c.kind == GEO_MIN ? v < w : v > w))
        w = v;
    }
    ++rows[s];
  }
  // float32 partial sums are rounded at every row, float64 ones like the oracle's own
  const double eps = std::numeric_limits<T>::epsilon() * 2;
  for (int64_t k = 0; k < out.size(); ++k) {
    const int64_t count = rows[k / c.width];
    const double got = static_cast<double>(out[k]);
    const double value = count ? want[k] : static_cast<double>(static_cast<T>(c.fill));
    if (count && c.kind == GEO_SUM && size[k] > std::numeric_limits<T>::max() / 2) continue;
    const double slack = c.kind == GEO_SUM ? static_cast<double>(count) * eps * size[k] : 0.0;
    GEO_REQUIRE((std::isnan(value) && std::isnan(got)) || got == value ||
                    std::abs(got - value) <= slack,
                "segment f%zu kind %d, N=%lld F=%lld S=%lld: segment %lld is %g, not %g",
                8 * sizeof(T), c.kind, ll(c.n), ll(c.width), ll(c.segments),
                ll(k / c.width), got, value);
  }
}

template <class T>
void run(Input& in) {
  static const int64_t widths[] = {1, 1, 2, 3, 4, 5, 8, 16, 17, 40, 0};
  const int64_t width = in.of(widths);
  const int64_t many = in.byte() < 240 ? 400 : 80000 / (width + 1);
  const int64_t n = in.below(many), segments = 1 + in.below(in.flag() ? 5 : 300);
  double scale;
  Array<T> src = points<T>(in, n, static_cast<int>(width), &scale);
  Array<int64_t> index(n);
  const bool bad = fill_ids(in, index, segments);
  const int kind = in.byte() % 3;
  const double fill = kind == GEO_SUM || in.flag() ? 0.0 : -1.5;  // a sum of nothing is 0
  const Case<T> c{n, width, segments, std::move(src), std::move(index), kind, threads(in), fill};
  const int64_t size = segments * width;
  Array<T> out(size, T(-7)), one(size, T(-7)), gathered(n * width, T(-7));
  Array<int64_t> count(segments, -7);
  const int32_t code = bad ? GEO_ID_RANGE : GEO_OK;
  GEO_REQUIRE(reduce(c, c.threads, out) == code, "segment_reduce");
  GEO_REQUIRE(geo_segment_count(c.index.data(), n, segments, count.data()) == code, "count");
  GEO_REQUIRE(Abi<T>::segment_gather(one.data(), segments, width, c.index.data(), n, c.threads,
                                     gathered.data()) == code, "segment_gather");
  if (bad) return;
  check(c, out);
  GEO_REQUIRE(reduce(c, 1, one) == GEO_OK && same(out, one), "segment_reduce: threads show");
  for (int64_t s = 0; s < segments; ++s)
    GEO_REQUIRE(count[s] == std::count(c.index.data(), c.index.data() + n, s),
                "segment_count: segment %lld", ll(s));
  GEO_REQUIRE(Abi<T>::segment_gather(out.data(), segments, width, c.index.data(), n, c.threads,
                                     gathered.data()) == GEO_OK, "segment_gather");
  for (int64_t k = 0; k < n * width; ++k)
    GEO_REQUIRE(std::memcmp(&gathered[k], &out[c.index[k / width] * width + k % width],
                            sizeof(T)) == 0, "segment_gather");
}

}  // namespace

void segment(Input& in) {
  if (in.flag())
    run<float>(in);
  else
    run<double>(in);
}

}  // namespace fuzz
