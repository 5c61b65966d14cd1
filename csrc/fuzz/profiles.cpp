// Query profiles and their gradient: equal to the sums of the definition in double.
#include <algorithm>
#include <cmath>
#include <limits>

#include "input.h"

#include "abi.h"

namespace fuzz {
namespace {

template <class T>
struct Case {
  int64_t n, width, segments;
  Array<T> logits, weight;
  Array<int64_t> index;
  bool weighted;

  const T* weights() const { return weighted ? weight.data() : nullptr; }
  double share(int64_t i) const {
    return index[i] < 0 ? 0.0 : weighted ? static_cast<double>(weight[i]) : 1.0;
  }
};

template <class T>
struct Outputs {
  Array<T> profile, log_void, mass, level, grad;
  explicit Outputs(const Case<T>& c)
      : profile(c.segments * c.width, T(-7)),
        log_void(c.n, T(-7)),
        mass(c.segments, T(-7)),
        level(2 * c.n, T(-7)),
        grad(c.n * c.width, T(-7)) {}
};

template <class T>
int32_t evaluate(const Case<T>& c, int threads, const Array<T>& grad_profile,
                 const Array<T>& grad_void, Outputs<T>& out) {
  const int32_t code = Abi<T>::profiles(c.logits.data(), c.n, c.width, c.index.data(), c.weights(),
                                        c.segments, threads, out.profile.data(),
                                        out.log_void.data(), out.mass.data(), out.level.data());
  if (code != GEO_OK) return code;
  return Abi<T>::profiles_grad(c.logits.data(), c.n, c.width, c.index.data(), c.weights(),
                               c.segments, out.profile.data(), out.mass.data(), out.level.data(),
                               grad_profile.data(), grad_void.data(), threads, out.grad.data());
}

// What the definition says, and of what size the numbers were that were added.
struct Oracle {
  std::vector<double> log_p, profile, mass, size;

  template <class T>
  explicit Oracle(const Case<T>& c)
      : log_p(c.n * (c.width + 1)), profile(c.segments * c.width), mass(c.segments),
        size(c.segments * c.width) {
    for (int64_t i = 0; i < c.n; ++i) {
      double top = 0, sum = 0;
      for (int64_t m = 0; m < c.width; ++m)
        top = std::max(top, static_cast<double>(c.logits[i * c.width + m]));
      for (int64_t m = 0; m <= c.width; ++m) {
        const double x = m < c.width ? static_cast<double>(c.logits[i * c.width + m]) : 0.0;
        log_p[i * (c.width + 1) + m] = x - top;
        sum += std::exp(x - top);
      }
      for (int64_t m = 0; m <= c.width; ++m) log_p[i * (c.width + 1) + m] -= std::log(sum);
      const double w = c.share(i);
      if (w == 0) continue;
      mass[c.index[i]] += w;
      for (int64_t m = 0; m < c.width; ++m) {
        profile[c.index[i] * c.width + m] += w * log_p[i * (c.width + 1) + m];
        size[c.index[i] * c.width + m] += w * std::abs(log_p[i * (c.width + 1) + m]);
      }
    }
  }
};

bool close(double got, double want, double slack) {
  return got == want || std::abs(got - want) <= slack;
}

template <class T>
void check(const Case<T>& c, const Outputs<T>& out, const Array<T>& grad_profile,
           const Array<T>& grad_void) {
  const double eps = std::numeric_limits<T>::epsilon();
  const Oracle want(c);
  std::vector<double> slope(c.segments * c.width), total(c.segments), sizes(c.segments);
  for (int64_t k = 0; k < c.segments * c.width; ++k) {
    const double mass = want.mass[k / c.width];
    const double value = mass > 0 ? want.profile[k] / mass : 0.0;
    const double slack = mass > 0 ? eps * 100 * (want.size[k] / mass + 1) : 0.0;
    GEO_REQUIRE(close(static_cast<double>(out.profile[k]), value, slack),
                "profiles f%zu N=%lld M=%lld S=%lld: entry %lld is %g, not %g", 8 * sizeof(T),
                ll(c.n), ll(c.width), ll(c.segments), ll(k), static_cast<double>(out.profile[k]),
                value);
    if (mass > 0 && value > -std::numeric_limits<double>::infinity())
      slope[k] = static_cast<double>(grad_profile[k]) / mass;
    total[k / c.width] += slope[k];
    sizes[k / c.width] += std::abs(slope[k]);
  }
  for (int64_t i = 0; i < c.n; ++i) {
    const double* log_p = &want.log_p[i * (c.width + 1)];
    GEO_REQUIRE(close(static_cast<double>(out.log_void[i]), log_p[c.width],
                      eps * 10 * (std::abs(log_p[c.width]) + 1)), "profiles: void of %lld", ll(i));
    const double w = c.share(i), extra = static_cast<double>(grad_void[i]);
    const double sum = (w == 0 ? 0.0 : w * total[c.index[i]]) + extra;
    const double size = (w == 0 ? 0.0 : w * sizes[c.index[i]]) + std::abs(extra);
    for (int64_t m = 0; m < c.width; ++m) {
      const double own = w == 0 ? 0.0 : w * slope[c.index[i] * c.width + m];
      const double value = own - std::exp(log_p[m]) * sum;
      const double got = static_cast<double>(out.grad[i * c.width + m]);
      GEO_REQUIRE(close(got, value, eps * 100 * (size + 1e-20)),
                  "profiles f%zu N=%lld M=%lld: gradient of row %lld, column %lld is %g, not %g",
                  8 * sizeof(T), ll(c.n), ll(c.width), ll(i), ll(m), got, value);
    }
  }
}

// Claims of the same rows, those without a segment in the first, and their gradient.
template <class T>
void check_claims(const Case<T>& c, int threads, const Outputs<T>& out, const Array<T>& slope) {
  if (c.segments == 0) return;
  Array<int64_t> segment(c.n);
  for (int64_t i = 0; i < c.n; ++i) segment[i] = std::max<int64_t>(0, c.index[i]);
  Array<T> claims(c.segments * c.width, T(-7)), grad(c.n * c.width, T(1));
  GEO_REQUIRE(Abi<T>::claims(c.logits.data(), c.n, c.width, out.log_void.data(), segment.data(),
                             c.weights(), c.segments, threads, claims.data()) == GEO_OK, "claims");
  GEO_REQUIRE(Abi<T>::claims_grad(c.logits.data(), c.n, c.width, out.log_void.data(),
                                  segment.data(), c.weights(), c.segments, slope.data(), threads,
                                  grad.data()) == GEO_OK, "claims_grad");
  const double eps = std::numeric_limits<T>::epsilon();
  const Oracle want(c);
  std::vector<double> sum(c.segments * c.width), size(c.segments * c.width);
  for (int64_t i = 0; i < c.n; ++i) {
    const double* log_p = &want.log_p[i * (c.width + 1)];
    const double w = c.weighted ? static_cast<double>(c.weight[i]) : 1.0;
    // ln p is the sum of two numbers that may be large
    const double slack = eps * (100 + 4 * std::abs(log_p[c.width]));
    const T* g = slope.data() + segment[i] * c.width;
    double mean = 0, most = 1e-20;
    for (int64_t m = 0; m < c.width; ++m) {
      const double p = std::exp(log_p[m]);
      mean += p * static_cast<double>(g[m]);
      most = std::max(most, std::abs(static_cast<double>(g[m])));
      sum[segment[i] * c.width + m] += w * p;
      size[segment[i] * c.width + m] += w * p * slack + 1e-30;
    }
    for (int64_t m = 0; m < c.width; ++m) {
      const double value = 1 + w * std::exp(log_p[m]) * (static_cast<double>(g[m]) - mean);
      GEO_REQUIRE(close(static_cast<double>(grad[i * c.width + m]), value,
                        slack * 8 * w * most + 4 * eps),
                  "claims f%zu N=%lld M=%lld: gradient of row %lld, column %lld", 8 * sizeof(T),
                  ll(c.n), ll(c.width), ll(i), ll(m));
    }
  }
  for (int64_t k = 0; k < c.segments * c.width; ++k)
    GEO_REQUIRE(close(static_cast<double>(claims[k]), sum[k], size[k]),
                "claims f%zu N=%lld M=%lld: entry %lld is %g, not %g", 8 * sizeof(T), ll(c.n),
                ll(c.width), ll(k), static_cast<double>(claims[k]), sum[k]);
}

template <class T>
void run(Input& in) {
  static const int64_t widths[] = {0, 1, 2, 3, 7, 8, 15, 16, 17, 31, 33, 64, 100, 5000};
  static const double scales[] = {0.0, 1.0, 10.0, 1e4};
  const int64_t width = in.of(widths), many = in.byte() < 240 ? 100 : 40000 / (width + 1);
  const int64_t n = in.below(width > 1000 ? 10 : many), segments = in.below(in.flag() ? 4 : 40);
  const double scale = in.of(scales);
  const int holes = in.byte() % 4, count = threads(in);
  Case<T> c{n,           width, segments, Array<T>(n * width), Array<T>(n), Array<int64_t>(n),
            in.flag()};
  for (int64_t k = 0; k < n * width; ++k) {
    const bool hole = holes == 1 ? k % width % 3 == 1 : holes == 2 ? in.below(50) == 0 : false;
    c.logits[k] = hole ? -std::numeric_limits<T>::infinity() : static_cast<T>(scale * in.gauss());
  }
  for (int64_t i = 0; i < n; ++i) {
    c.index[i] = in.below(segments + 1) - 1;
    c.weight[i] = static_cast<T>(in.below(4)) / T(2);
  }
  if (in.flag()) std::sort(c.index.data(), c.index.data() + n);
  const bool bad = n > 0 && in.byte() > 240;
  if (bad) c.index[in.below(n)] = segments + in.below(3);
  Array<T> grad_profile(segments * width), grad_void(n);
  for (int64_t k = 0; k < segments * width; ++k) grad_profile[k] = static_cast<T>(in.gauss());
  for (int64_t i = 0; i < n; ++i) grad_void[i] = static_cast<T>(in.below(3) ? in.gauss() : 0.0);
  Outputs<T> out(c), again(c);
  const int32_t code = bad ? GEO_ID_RANGE : GEO_OK;
  GEO_REQUIRE(evaluate(c, count, grad_profile, grad_void, out) == code, "profiles");
  if (bad) {
    GEO_REQUIRE(Abi<T>::profiles_grad(c.logits.data(), n, width, c.index.data(), c.weights(),
                                      segments, out.profile.data(), out.mass.data(),
                                      out.level.data(), grad_profile.data(), grad_void.data(),
                                      count, out.grad.data()) == GEO_ID_RANGE, "profiles_grad");
    return;
  }
  check(c, out, grad_profile, grad_void);
  check_claims(c, count, out, grad_profile);
  GEO_REQUIRE(evaluate(c, count, grad_profile, grad_void, again) == GEO_OK &&
                  same(out.profile, again.profile) && same(out.grad, again.grad),
              "profiles: not the same again");
}

}  // namespace

void profiles(Input& in) {
  if (in.flag())
    run<float>(in);
  else
    run<double>(in);
}

}  // namespace fuzz
