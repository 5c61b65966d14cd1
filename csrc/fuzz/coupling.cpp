// The capacity coupling: rows that sum to one, columns that are not too full where there was time to
// see to it, NaN for graphs that have one, and the same for any number of threads.
#include <algorithm>
#include <cmath>
#include <limits>

#include "input.h"

#include "abi.h"

namespace fuzz {
namespace {

struct Options {
  double tau, tau_start, max_temperature;
  int32_t iterations;
};

template <class T>
int32_t couple(const Array<T>& affinity, int64_t rows, int64_t width, const Graphs& g,
               const Options& o, int threads, Array<T>& weight) {
  return Abi<T>::coupling(affinity.data(), rows, width, g.count, g.x_ptr(), o.tau, o.tau_start,
                          o.max_temperature, o.iterations, threads, weight.data());
}

template <class T>
void check_graph(const T* affinity, const T* weight, int64_t rows, int64_t width,
                 bool time) {
  bool numbers = true;
  for (int64_t k = 0; k < rows * width; ++k)
    numbers = numbers && affinity[k] < std::numeric_limits<T>::infinity();
  std::vector<double> column(width);
  std::vector<char> there(width);
  int64_t served = 0;
  for (int64_t k = 0; k < rows; ++k) {
    double sum = 0;
    bool any = false;
    for (int64_t m = 0; m < width; ++m) {
      const T c = affinity[k * width + m], w = weight[k * width + m];
      if (!numbers) {
        GEO_REQUIRE(std::isnan(w), "coupling: a number where NaN or inf came in");
        continue;
      }
      GEO_REQUIRE(w >= 0 && w <= T(1.0001), "coupling: weight %g", static_cast<double>(w));
      const bool open = c > -std::numeric_limits<T>::infinity();
      GEO_REQUIRE(open || w == 0, "coupling: a weight where nothing may go");
      any = any || open;
      there[m] = there[m] || open;
      sum += static_cast<double>(w);
      column[m] += static_cast<double>(w);
    }
    if (!numbers) continue;
    served += any;
    GEO_REQUIRE(std::abs(sum - (any ? 1.0 : 0.0)) < 1e-4, "coupling f%zu K=%lld M=%lld: row %lld "
                "sums to %g", 8 * sizeof(T), ll(rows), ll(width), ll(k), sum);
  }
  if (!numbers || !time) return;
  const double columns = static_cast<double>(std::count(there.begin(), there.end(), 1));
  const double most = std::max(1.0, static_cast<double>(served) / std::max(1.0, columns));
  for (int64_t m = 0; m < width; ++m)
    GEO_REQUIRE(column[m] < 1.1 * most, "coupling f%zu K=%lld M=%lld: column %lld holds %g",
                8 * sizeof(T), ll(rows), ll(width), ll(m), column[m]);
}

template <class T>
void run(Input& in) {
  static const int64_t widths[] = {0, 1, 2, 5, 15, 16, 17, 40, 100};
  static const double taus[] = {0.03, 0.3, 0.003, 1e-30, 1e30};
  static const double bounds[] = {0.3, 0.3, 1e30, 1e-30};
  static const int32_t rounds[] = {20, 1, 3, 1000};
  Graphs g = graphs(in, 1);
  for (int64_t b = 0, k = 0; b < g.count; ++b) {  // the work is rows times columns
    k += std::min<int64_t>(g.x[b + 1] - (b ? g.x[b] : 0), 60);
    g.y[b + 1] = k;
  }
  g.x = g.y;
  const int64_t rows = g.n(), width = in.of(widths);
  double scale;
  Array<T> affinity = points<T>(in, rows, static_cast<int>(width), &scale);
  const int holes = in.byte() % 3;
  for (int64_t k = 0; holes && k < rows * width; ++k)
    if (holes == 1 ? k % width > width / 2 : in.below(5) == 0)
      affinity[k] = -std::numeric_limits<T>::infinity();
  const Options o{in.of(taus), in.flag() ? 0.3 : in.of(taus), in.of(bounds), in.of(rounds)};
  const int count = threads(in);
  // Where entries are forbidden, or cold ones as good as that, there need not be room for all.
  const bool time = !holes && o.iterations == 1000 && o.tau == 0.3 && o.max_temperature == 1e30;
  Array<T> weight(rows * width, T(-7)), one(rows * width, T(-7));
  GEO_REQUIRE(couple(affinity, rows, width, g, o, count, weight) == GEO_OK, "coupling");
  GEO_REQUIRE(couple(affinity, rows, width, g, o, 1, one) == GEO_OK && same(weight, one),
              "coupling: threads show");
  for (int64_t b = 0; b < g.count; ++b)
    check_graph(affinity.data() + g.x[b] * width, weight.data() + g.x[b] * width,
                g.x[b + 1] - g.x[b], width, time);
}

}  // namespace

void coupling(Input& in) {
  if (in.flag())
    run<float>(in);
  else
    run<double>(in);
}

}  // namespace fuzz
