// Arguments out of range are refused before any memory is touched: here all of it is NULL.
#include <cmath>

#include "input.h"

#include "abi.h"

namespace fuzz {
namespace {

constexpr int64_t kHuge = int64_t{1} << 32;

// The kernels of points with a distance or a number of neighbours.
template <class T>
void near(Input& in) {
  static const int dims[] = {3, 0, -1, 65, 3, 3}, powers[] = {2, 2, 2, 2, 3, 2};
  static const int ks[] = {0, 4, 4, 4, 129, 4}, counts[] = {1, 1, 1, 1, 1, 0};
  static const double radii[] = {-1.0, 1.0, 1.0, 1.0, NAN, 1.0};
  const int which = in.byte() % 6, dim = dims[which], threads = counts[which];
  const int64_t n = in.flag() ? 1 : in.flag() ? -1 : kHuge;
  const double r = radii[which];
  GEO_REQUIRE(Abi<T>::potential(nullptr, n, nullptr, 0, dim, 1, nullptr, nullptr, nullptr, nullptr,
                                nullptr, nullptr, r, powers[which], threads, nullptr, nullptr,
                                nullptr, nullptr) == GEO_BAD_ARGUMENT, "potential");
  GEO_REQUIRE(Abi<T>::knn(nullptr, n, nullptr, 0, dim, 1, nullptr, nullptr, ks[which], threads,
                          nullptr, nullptr) == GEO_BAD_ARGUMENT, "knn");
  void* handle = nullptr;
  GEO_REQUIRE(Abi<T>::radius(nullptr, n, nullptr, 0, dim, 1, nullptr, nullptr, r, threads, -1,
                             nullptr, &handle) == GEO_BAD_ARGUMENT && !handle, "radius");
  GEO_REQUIRE(Abi<T>::radius_count(nullptr, n, nullptr, 0, dim, 1, nullptr, nullptr, r, threads,
                                   nullptr) == GEO_BAD_ARGUMENT, "radius_count");
  GEO_REQUIRE(Abi<T>::suppress(nullptr, n, dim, 1, nullptr, nullptr, r, threads, nullptr) ==
                  GEO_BAD_ARGUMENT, "suppress");
  GEO_REQUIRE(geo_radius_take(nullptr, nullptr) == GEO_BAD_ARGUMENT, "radius_take");
}

template <class T>
void segments() {
  static const struct {
    int64_t n, width, segments;
    int kind, threads;
  } bad[] = {{-1, 1, 1, GEO_SUM, 1}, {1, -1, 1, GEO_MIN, 1}, {1, 1, -1, GEO_MAX, 1},
             {1, 1, 1, GEO_SUM, 0},  {1, 1, 1, 3, 1},        {1, 1, 1, -1, 1}};
  for (const auto& a : bad) {
    GEO_REQUIRE(Abi<T>::segment_reduce(nullptr, a.n, a.width, nullptr, a.segments, a.kind, 0.0,
                                       a.threads, nullptr) == GEO_BAD_ARGUMENT, "segment_reduce");
    if (a.kind >= GEO_SUM && a.kind <= GEO_MAX)
      GEO_REQUIRE(Abi<T>::segment_gather(nullptr, a.segments, a.width, nullptr, a.n, a.threads,
                                         nullptr) == GEO_BAD_ARGUMENT, "segment_gather");
    if (a.n < 0 || a.segments < 0)
      GEO_REQUIRE(geo_segment_count(nullptr, a.n, a.segments, nullptr) == GEO_BAD_ARGUMENT,
                  "segment_count");
  }
}

// Two graphs of two points each; what is wrong is a size, a start, or a number of samples.
template <class T>
void fps() {
  static const int64_t ptr[] = {0, 2, 4};
  static const struct {
    int64_t n;
    int dim;
    int64_t graphs;
    int threads;
    int64_t start[2], sample_ptr[3];
  } bad[] = {{-1, 3, 2, 1, {0, 2}, {0, 1, 2}}, {kHuge, 3, 2, 1, {0, 2}, {0, 1, 2}},
             {4, 0, 2, 1, {0, 2}, {0, 1, 2}},  {4, -1, 2, 1, {0, 2}, {0, 1, 2}},
             {4, 65, 2, 1, {0, 2}, {0, 1, 2}}, {4, 3, -1, 1, {0, 2}, {0, 1, 2}},
             {4, 3, 2, 0, {0, 2}, {0, 1, 2}},  {4, 3, 2, 1, {-1, 2}, {0, 1, 2}},
             {4, 3, 2, 1, {2, 2}, {0, 1, 2}},  {4, 3, 2, 1, {0, 1}, {0, 1, 2}},
             {4, 3, 2, 1, {0, 4}, {0, 1, 2}},  {4, 3, 2, 1, {0, 2}, {0, 3, 4}},
             {4, 3, 2, 1, {0, 2}, {0, 1, 4}},  {4, 3, 2, 1, {0, 2}, {0, 1, 0}}};
  for (const auto& a : bad)
    GEO_REQUIRE(Abi<T>::fps(nullptr, a.n, a.dim, a.graphs, ptr, a.start, a.sample_ptr, a.threads,
                            nullptr) == GEO_BAD_ARGUMENT, "fps: case %lld", ll(&a - bad));
}

template <class T>
void grid() {
  static const struct {
    int64_t n;
    int dim;
    int64_t graphs;
    int threads;
    double size;
  } bad[] = {{-1, 2, 1, 1, 1.0}, {kHuge, 2, 1, 1, 1.0}, {1, 0, 1, 1, 1.0},
             {1, -1, 1, 1, 1.0}, {1, 2, -1, 1, 1.0},    {1, 2, 1, 0, 1.0},
             {1, 2, 1, 1, 0.0},  {1, 2, 1, 1, -1.0},    {1, 2, 1, 1, NAN}};
  for (const auto& a : bad) {
    const double size[] = {1.0, a.size}, origin[] = {0.0, 0.0};
    GEO_REQUIRE(Abi<T>::grid(nullptr, a.n, a.dim, a.graphs, nullptr, size, origin, a.threads,
                             nullptr, nullptr, nullptr, nullptr) == GEO_BAD_ARGUMENT,
                "grid: case %lld", ll(&a - bad));
  }
}

template <class T>
void query() {
  static const struct {
    int64_t n, width, segments;
    int threads;
  } bad[] = {{-1, 1, 1, 1}, {1, -1, 1, 1}, {1, 1, -1, 1}, {1, 1, 1, 0}};
  for (const auto& a : bad) {
    GEO_REQUIRE(Abi<T>::profiles(nullptr, a.n, a.width, nullptr, nullptr, a.segments, a.threads,
                                 nullptr, nullptr, nullptr, nullptr) == GEO_BAD_ARGUMENT,
                "profiles: case %lld", ll(&a - bad));
    GEO_REQUIRE(Abi<T>::profiles_grad(nullptr, a.n, a.width, nullptr, nullptr, a.segments, nullptr,
                                      nullptr, nullptr, nullptr, nullptr, a.threads,
                                      nullptr) == GEO_BAD_ARGUMENT,
                "profiles_grad: case %lld", ll(&a - bad));
    GEO_REQUIRE(Abi<T>::claims(nullptr, a.n, a.width, nullptr, nullptr, nullptr, a.segments,
                               a.threads, nullptr) == GEO_BAD_ARGUMENT,
                "claims: case %lld", ll(&a - bad));
    GEO_REQUIRE(Abi<T>::claims_grad(nullptr, a.n, a.width, nullptr, nullptr, nullptr, a.segments,
                                    nullptr, a.threads, nullptr) == GEO_BAD_ARGUMENT,
                "claims_grad: case %lld", ll(&a - bad));
  }
  static const struct {
    int64_t rows, width, graphs;
    double tau, tau_start, max_temperature;
    int iterations, threads;
  } wrong[] = {{-1, 1, 1, 1, 1, 1, 1, 1}, {1, -1, 1, 1, 1, 1, 1, 1}, {1, 1, -1, 1, 1, 1, 1, 1},
               {1, 1, 1, 0, 1, 1, 1, 1},  {1, 1, 1, NAN, 1, 1, 1, 1}, {1, 1, 1, 1, -1, 1, 1, 1},
               {1, 1, 1, 1, 1, NAN, 1, 1}, {1, 1, 1, 1, 1, 1, 0, 1},  {1, 1, 1, 1, 1, 1, 1, 0}};
  for (const auto& a : wrong)
    GEO_REQUIRE(Abi<T>::coupling(nullptr, a.rows, a.width, a.graphs, nullptr, a.tau, a.tau_start,
                                 a.max_temperature, a.iterations, a.threads,
                                 nullptr) == GEO_BAD_ARGUMENT, "coupling: case %lld",
                ll(&a - wrong));
}

void superpixels() {
  static const struct {
    int64_t height, width;
    int channels;
    int64_t segments;
    double compactness;
    int iterations, threads;
  } bad[] = {{-1, 1, 1, 1, 1, 1, 1}, {1, -1, 1, 1, 1, 1, 1},  {kHuge, kHuge, 1, 1, 1, 1, 1},
             {1, 1, 0, 1, 1, 1, 1},  {1, 1, 5, 1, 1, 1, 1},   {1, 1, 1, 0, 1, 1, 1},
             {1, 1, 1, 1, -1, 1, 1}, {1, 1, 1, 1, NAN, 1, 1}, {1, 1, 1, 1, 1, -1, 1},
             {1, 1, 1, 1, 1, 1, 0}};
  for (const auto& a : bad)
    GEO_REQUIRE(geo_slic(nullptr, a.height, a.width, a.channels, a.segments, a.compactness,
                         a.iterations, 1, a.threads, nullptr, nullptr) == GEO_BAD_ARGUMENT,
                "slic: case %lld", ll(&a - bad));
}

void described() {
  static const struct {
    int64_t height, width;
    int channels;
    int64_t segments;
  } bad[] = {{-1, 1, 1, 1}, {1, -1, 1, 1}, {kHuge, kHuge, 1, 1}, {1, 1, 0, 1},
             {1, 1, 5, 1},  {1, 1, 1, -1}, {1, 1, 1, kHuge}};
  for (const auto& a : bad)
    GEO_REQUIRE(geo_image_regions(nullptr, nullptr, a.height, a.width, a.channels, a.segments,
                                  nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr,
                                  nullptr, nullptr, nullptr) == GEO_BAD_ARGUMENT,
                "image_regions: case %lld", ll(&a - bad));
}

void graph_segments() {
  static const struct {
    int64_t end, edges, nodes;
    double scale;
    int threads;
  } bad[] = {{0, -1, 1, 1, 1},       {0, int64_t{1} << 31, 1, 1, 1}, {0, 1, -1, 1, 1},
             {0, 1, kHuge, 1, 1},    {1, 1, 1, 1, 1},                {-1, 1, 1, 1, 1},
             {0, 1, 1, -1, 1},       {0, 1, 1, NAN, 1},              {0, 1, 1, 1, 0}};
  const int64_t start = 0;
  const float weight = 1;
  for (const auto& a : bad)
    GEO_REQUIRE(geo_felzenszwalb(&start, &a.end, &weight, a.edges, a.nodes, a.scale, 1, a.threads,
                                 nullptr, nullptr) == GEO_BAD_ARGUMENT,
                "felzenszwalb: case %lld", ll(&a - bad));
}

template <class T>
void run(Input& in) {
  near<T>(in);
  segments<T>();
  fps<T>();
  grid<T>();
  query<T>();
  superpixels();
  described();
  graph_segments();
}

}  // namespace

void refused(Input& in) {
  if (in.flag())
    run<float>(in);
  else
    run<double>(in);
}

}  // namespace fuzz
