// A case of the potential, and its definition in double precision: all pairs of each graph.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "input.h"

namespace fuzz {
namespace {

template <class T>
struct Case {
  int dim;
  Graphs g;
  bool symmetric, ids, weighted_x, weighted_y;
  Array<T> x, y;
  Array<int64_t> x_id, y_id;
  Array<T> x_weight, y_weight;
  double radius;
  int power, threads;

  int64_t m() const { return symmetric ? 0 : g.m(); }
  double wx(int64_t i) const { return weighted_x ? static_cast<double>(x_weight[i]) : 1.0; }
  double wy(int64_t j) const {
    if (symmetric) return wx(j);
    return weighted_y ? static_cast<double>(y_weight[j]) : 1.0;
  }
  const T* other() const { return symmetric ? x.data() : y.data(); }
  const std::vector<int64_t>& rows() const { return symmetric ? g.x : g.y; }
};

template <class T>
struct Result {
  Array<T> energy, grad_x, grad_y;
  Array<int64_t> active;
  explicit Result(const Case<T>& c)
      : energy(c.g.count, T(-7)), grad_x(c.g.n() * c.dim, T(-7)), grad_y(c.m() * c.dim, T(-7)),
        active(c.g.count, -7) {}
};

// A value and how far rounding may move it.
struct Bounded {
  double value = 0, slack = 0;
  void add(double term, double error) {
    value += term;
    slack += error;
  }
};

template <class T>
void require_near(const Case<T>& c, const char* what, int64_t at, double got, const Bounded& want) {
  GEO_REQUIRE(std::abs(got - want.value) <= want.slack,
              "potential f%zu D=%d N=%lld M=%lld B=%lld r=%g p=%d: %s %lld is %.9g, not %.9g "
              "+- %.3g", 8 * sizeof(T), c.dim, ll(c.g.n()), ll(c.m()), ll(c.g.count),
              c.radius, c.power, what, ll(at), got, want.value, want.slack);
}

// All pairs of graph b in double precision; gradients into gx and gy (D times the row).
template <class T>
void check_graph(const Case<T>& c, const Result<T>& out, int64_t b, std::vector<Bounded>& gx,
                 std::vector<Bounded>& gy) {
  const double eps = std::numeric_limits<T>::epsilon();
  const double lost = 4 * std::sqrt(c.dim * static_cast<double>(std::numeric_limits<T>::min()));
  const double r = static_cast<T>(c.radius), edge = r * (c.dim + 8) * eps + lost;
  Bounded energy;
  int64_t least = 0, most = 0, bad = 0;
  for (int64_t j = c.rows()[b]; j < c.rows()[b + 1]; ++j)
    bad += c.wy(j) != 0 && !finite(c.other() + j * c.dim, c.dim);
  for (int64_t i = c.g.x[b]; i < c.g.x[b + 1]; ++i) {
    const T* xi = c.x.data() + i * c.dim;
    if (c.wx(i) == 0) continue;
    if (!finite(xi, c.dim)) {
      ++bad;
      continue;
    }
    for (int64_t j = c.symmetric ? i + 1 : c.rows()[b]; j < c.rows()[b + 1]; ++j) {
      const T* yj = c.other() + j * c.dim;
      if (c.wy(j) == 0 || !finite(yj, c.dim)) continue;
      const int64_t* y_id = c.symmetric ? c.x_id.data() : c.y_id.data();
      if (c.ids && c.x_id[i] >= 0 && c.x_id[i] == y_id[j]) continue;
      double d2 = 0;
      for (int d = 0; d < c.dim; ++d)
        d2 += (double(xi[d]) - double(yj[d])) * (double(xi[d]) - double(yj[d]));
      const double distance = std::sqrt(d2), h = std::max(0.0, r - distance);
      const double w = c.wx(i) * c.wy(j);
      if (distance > r + edge) continue;
      ++most;
      least += distance < r - edge;
      const double slope = c.power == 1 ? 1.0 : 2 * (h + edge), size = std::abs(w);
      energy.add(w * (c.power == 1 ? h : h * h), size * slope * 2 * edge);
      // the direction is known, rounded away, or (near the edge of power 1) not even its existence
      const double push = size * (c.power == 1 ? 1.0 : 2 * h);
      const bool exact = distance == 0, vague = !exact && distance < 64 * lost;
      const double rounding = slope * (c.dim + 16) * eps + (c.power - 1) * 4 * edge;
      const double error = size * (vague || distance > r - edge ? 2 * slope : rounding);
      for (int d = 0; d < c.dim; ++d) {
        const int64_t li = i - c.g.x[b], lj = j - c.rows()[b];
        const double tie = (li + lj) % c.dim == d ? (li <= lj ? 1.0 : -1.0) : 0.0;
        const double unit = exact ? tie : (double(xi[d]) - double(yj[d])) / distance;
        const double force = distance <= r ? -std::copysign(push, w) * unit : 0.0;
        gx[i * c.dim + d].add(force, error);
        (c.symmetric ? gx : gy)[j * c.dim + d].add(-force, error);
      }
    }
  }
  if (bad) {
    GEO_REQUIRE(std::isnan(out.energy[b]), "a point that is not finite in graph %lld: energy %g",
                ll(b), static_cast<double>(out.energy[b]));
    return;
  }
  GEO_REQUIRE(least <= out.active[b] && out.active[b] <= most,
              "potential f%zu D=%d r=%g: %lld active in graph %lld, not %lld to %lld",
              8 * sizeof(T), c.dim, c.radius, ll(out.active[b]), ll(b), ll(least), ll(most));
  // float32 energies meet in double after at most so many additions
  const int64_t additions = sizeof(T) == 4 ? std::min<int64_t>(most, 4096) : most;
  const double sums = static_cast<double>(additions) + 16;
  energy.slack += sums * eps * (std::abs(energy.value) + energy.slack);
  energy.slack += static_cast<double>(most) * std::numeric_limits<T>::min();
  if (std::isfinite(static_cast<T>(energy.value * 2)))
    require_near(c, "energy of graph", b, out.energy[b], energy);
}

template <class T>
void check_gradient(const Case<T>& c, const char* what, const Array<T>& got, const T* points,
                    const std::vector<Bounded>& want, double largest) {
  for (int64_t i = 0; i < got.size(); ++i) {
    if (!finite(points + i / c.dim * c.dim, c.dim)) continue;
    Bounded bound = want[i];
    bound.slack += 4096 * std::numeric_limits<T>::epsilon() * (std::abs(bound.value) + largest) +
                   std::numeric_limits<T>::min();
    require_near(c, what, i, got[i], bound);
  }
}

}  // namespace
}  // namespace fuzz
