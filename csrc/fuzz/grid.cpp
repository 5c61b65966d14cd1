// Voxels: the same numbering as a map from graph and cell to rows.
#include <cmath>
#include <map>
#include <utility>

#include "input.h"

#include "abi.h"

namespace fuzz {
namespace {

template <class T>
void run(Input& in) {
  static const double sizes[] = {0.5, 1.0, 10.0, 0.01, 1e-12, 1e-18, 1e300};
  const int dim = dimension(in);
  const Graphs g = graphs(in, dim);
  double scale;
  const Array<T> points = fuzz::points<T>(in, g.n(), dim, &scale);
  Array<double> size(dim), origin(dim);
  const double unit = in.of(sizes), far = in.flag() ? 0.0 : 1e6;
  for (int d = 0; d < dim; ++d) {
    size[d] = unit * scale * (in.below(4) ? 1.0 : 1e-3) + 1e-300;
    origin[d] = far + in.gauss() * scale;
  }
  const int64_t n = g.n();
  Array<int64_t> cluster(n, -7), count(n, -7), first(n, -7), voxel_ptr(g.count + 1, -7);
  const int32_t code =
      Abi<T>::grid(points.data(), n, dim, g.count, g.x_ptr(), size.data(), origin.data(),
                   threads(in), cluster.data(), count.data(), first.data(), voxel_ptr.data());

  std::map<std::pair<int64_t, std::vector<double>>, std::vector<int64_t>> voxels;
  bool fits = true;
  for (int64_t b = 0; b < g.count; ++b)
    for (int64_t i = g.x[b]; i < g.x[b + 1]; ++i) {
      std::vector<double> cell(dim);
      for (int d = 0; d < dim; ++d) {
        const double v = (static_cast<double>(points[i * dim + d]) - origin[d]) / size[d];
        cell[d] = std::floor(v) + 0.0;  // no -0
        fits = fits && std::abs(v) < 0x1p62;
      }
      if (fits) voxels[{b, cell}].push_back(i);
    }
  GEO_REQUIRE(code == (fits ? GEO_OK : GEO_ID_RANGE), "grid: code %d where cells fit: %d", code,
              fits);
  if (!fits) return;
  int64_t v = 0, graph = 0;
  GEO_REQUIRE(voxel_ptr[0] == 0, "grid");
  for (const auto& [key, rows] : voxels) {
    for (; graph < key.first; ++graph)
      GEO_REQUIRE(voxel_ptr[graph + 1] == v, "grid: voxel_ptr of graph %lld", ll(graph));
    GEO_REQUIRE(count[v] == static_cast<int64_t>(rows.size()) && first[v] == rows[0],
                "grid f%zu D=%d N=%lld: voxel %lld has %lld points, the map %zu", 8 * sizeof(T),
                dim, ll(n), ll(v), ll(count[v]), rows.size());
    for (const int64_t row : rows)
      GEO_REQUIRE(cluster[row] == v, "grid f%zu D=%d: row %lld in voxel %lld, not %lld",
                  8 * sizeof(T), dim, ll(row), ll(cluster[row]), ll(v));
    ++v;
  }
  for (; graph < g.count; ++graph)
    GEO_REQUIRE(voxel_ptr[graph + 1] == v, "grid: voxel_ptr of graph %lld", ll(graph));
}

}  // namespace

void grid(Input& in) {
  if (in.flag())
    run<float>(in);
  else
    run<double>(in);
}

}  // namespace fuzz
