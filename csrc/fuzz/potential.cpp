// The potential: energy, active pairs and gradients against the definition in double precision.
#include <cmath>
#include <limits>
#include <utility>

#include "potential_check.h"

#include "abi.h"

namespace fuzz {
namespace {

constexpr double kBudget = 3e6;  // coordinates that the definition may compare

template <class T>
int32_t call(const Case<T>& c, Result<T>& out, int threads, bool grad) {
  const bool y = !c.symmetric;
  return Abi<T>::potential(
      c.x.data(), c.g.n(), y ? c.y.data() : nullptr, c.m(), c.dim, c.g.count, c.g.x_ptr(),
      y ? c.g.y_ptr() : nullptr, c.ids ? c.x_id.data() : nullptr,
      c.ids && y ? c.y_id.data() : nullptr, c.weighted_x ? c.x_weight.data() : nullptr,
      y && c.weighted_y ? c.y_weight.data() : nullptr, c.radius, c.power, threads,
      out.energy.data(), out.active.data(), grad ? out.grad_x.data() : nullptr,
      grad && y ? out.grad_y.data() : nullptr);
}

template <class T>
void compare(const Case<T>& c) {
  Result<T> first(c), second(c), one(c), value(c);
  GEO_REQUIRE(call(c, first, c.threads, true) == GEO_OK, "potential");
  GEO_REQUIRE(call(c, second, c.threads, true) == GEO_OK, "potential");
  GEO_REQUIRE(same(first.energy, second.energy) && same(first.grad_x, second.grad_x) &&
                  same(first.grad_y, second.grad_y) && same(first.active, second.active),
              "potential f%zu D=%d: not the same twice", 8 * sizeof(T), c.dim);
  GEO_REQUIRE(call(c, value, c.threads, false) == GEO_OK, "potential");
  GEO_REQUIRE(same(first.active, value.active), "potential: active differs without gradient");
  GEO_REQUIRE(call(c, one, 1, true) == GEO_OK, "potential");
  GEO_REQUIRE(same(first.active, one.active), "potential: active depends on the threads");

  double work = 0;
  for (int64_t b = 0; b < c.g.count; ++b)
    work += static_cast<double>(c.g.x[b + 1] - c.g.x[b]) * c.dim *
            static_cast<double>(c.rows()[b + 1] - c.rows()[b]);
  const T r2 = static_cast<T>(c.radius) * static_cast<T>(c.radius);
  if (work > kBudget || !std::isfinite(r2)) return;
  std::vector<Bounded> gx(c.g.n() * c.dim), gy(c.m() * c.dim);
  for (int64_t b = 0; b < c.g.count; ++b) check_graph(c, first, b, gx, gy);
  const double largest = 4 * (c.power == 1 ? 1.0 : 2 * c.radius);  // weights are at most 2
  check_gradient(c, "gradient of x", first.grad_x, c.x.data(), gx, largest);
  check_gradient(c, "gradient of y", first.grad_y, c.other(), gy, largest);
}

template <class T>
void run(Input& in) {
  const int dim = dimension(in);
  const Graphs g = graphs(in, dim);
  const bool symmetric = in.flag();
  double scale, unused;
  Array<T> x = points<T>(in, g.n(), dim, &scale);
  Array<T> y = points<T>(in, symmetric ? 0 : g.m(), dim, &unused);
  const int64_t m = y.size() / dim;
  Array<int64_t> x_id(g.n()), y_id(m);
  Array<T> x_weight(g.n()), y_weight(m);
  const int64_t id_factor = in.byte() % 16 == 0 && sizeof(T) == 8 ? int64_t{1} << 40 : 1;
  const auto fill = [&](Array<int64_t>& id, Array<T>& weight) {
    for (int64_t i = 0; i < id.size(); ++i) {
      id[i] = (in.below(6) - 1) * id_factor;
      weight[i] = static_cast<T>(static_cast<double>(in.below(5)) / 2);
    }
  };
  fill(x_id, x_weight);
  fill(y_id, y_weight);
  const Case<T> c{dim, g, symmetric, in.flag(), in.flag(), in.flag(), std::move(x), std::move(y),
                  std::move(x_id), std::move(y_id), std::move(x_weight), std::move(y_weight),
                  radius(in, scale), 1 + (in.byte() & 1), threads(in)};
  compare(c);
}

// Instances close together, large enough for bundles: of various sizes, some points without one,
// some torn away, far from the origin or on a point of the other set.
template <class T>
void run_instances(Input& in) {
  static const double spreads[] = {0.0, 0.02, 0.1, 0.3}, sides[] = {2.0, 4.0, 10.0, 40.0};
  static const double offsets[] = {0.0, 0.0, 1e3, 1e6};
  const int dim = dimension(in);
  const double spread = in.of(spreads), side = in.of(sides), offset = in.of(offsets);
  const int64_t members = 1 + in.byte() % 40, first = in.flag() ? 1000 : 0;
  const int torn = in.byte() % 16, lost = in.byte() % 16, spoiled = in.byte();
  Graphs g{in.flag() ? 2 : 1, true, {0}, {0}};
  for (int64_t b = 0; b < g.count; ++b) {
    const bool small = b == 1 && in.flag();
    g.x.push_back(g.x.back() + (small ? in.byte() % 40 : 2048 + in.byte()));
    g.y.push_back(g.y.back() + (small && in.flag() ? 0 : 1 + in.below(600 / dim + 1)));
  }
  Array<T> x(g.n() * dim), y(g.m() * dim), x_weight(g.n()), y_weight(g.m());
  Array<int64_t> x_id(g.n()), y_id(g.m());
  const auto fill = [&](Array<T>& points, Array<int64_t>& id, Array<T>& weight,
                        const std::vector<int64_t>& ptr) {
    for (int64_t b = 0; b < g.count; ++b) {
      const int64_t instances = (g.x[b + 1] - g.x[b]) / members + 1;
      for (int64_t i = ptr[b]; i < ptr[b + 1]; ++i) {
        const int64_t k = in.below(instances);
        const double own = in.below(64) < torn ? 1.0 : spread;
        for (int d = 0; d < dim; ++d) {  // both sets have the same centres
          uint64_t z = (static_cast<uint64_t>(k) * 64 + d + 1) * 0x9e3779b97f4a7c15u;
          z = (z ^ (z >> 29)) * 0xbf58476d1ce4e5b9u;
          const double centre = side * static_cast<double>(z >> 40) * 0x1p-24;
          points[i * dim + d] = static_cast<T>(offset + centre + own * in.gauss());
        }
        id[i] = in.below(64) < lost ? -1 : first + k;
        weight[i] = static_cast<T>(static_cast<double>(in.below(5)) / 2);
      }
    }
  };
  fill(x, x_id, x_weight, g.x);
  fill(y, y_id, y_weight, g.y);
  if (spoiled > 200)
    for (int k = 0; k < (spoiled & 7); ++k)
      x[in.below(x.size())] = std::numeric_limits<T>::quiet_NaN();
  if (in.flag()) {
    std::swap(g.x, g.y);
    std::swap(x, y);
    std::swap(x_id, y_id);
    std::swap(x_weight, y_weight);
  }
  const Case<T> c{dim, g, false, true, in.flag(), in.flag(), std::move(x), std::move(y),
                  std::move(x_id), std::move(y_id), std::move(x_weight), std::move(y_weight),
                  in.flag() ? 1.0 : 0.3, 1 + (in.byte() & 1), threads(in)};
  compare(c);
}

}  // namespace

void potential(Input& in) {
  const int kind = in.byte();
  if (kind % 8 == 7)
    kind & 8 ? run_instances<float>(in) : run_instances<double>(in);
  else if (kind & 1)
    run<float>(in);
  else
    run<double>(in);
}

}  // namespace fuzz
