// The entry point of a fuzzer: the first byte chooses the kernel, the rest is its case.
#include "input.h"

#include "abi.h"

namespace {

// Arguments out of range are refused before any memory is touched.
template <class T>
void refused(fuzz::Input& in) {
  static const int dims[] = {3, 0, -1, 65, 3, 3}, powers[] = {2, 2, 2, 2, 3, 2};
  static const int ks[] = {0, 4, 4, 4, 129, 4}, counts[] = {1, 1, 1, 1, 1, 0};
  static const double radii[] = {-1.0, 1.0, 1.0, 1.0, 0.0 / 0.0, 1.0};
  const int which = in.byte() % 6, dim = dims[which], threads = counts[which];
  const int64_t huge = int64_t{1} << 32, n = in.flag() ? 1 : in.flag() ? -1 : huge;
  const double r = radii[which];
  using Abi = fuzz::Abi<T>;
  GEO_REQUIRE(Abi::potential(nullptr, n, nullptr, 0, dim, 1, nullptr, nullptr, nullptr, nullptr,
                             nullptr, nullptr, r, powers[which], threads, nullptr, nullptr,
                             nullptr, nullptr) == GEO_BAD_ARGUMENT, "potential");
  GEO_REQUIRE(Abi::knn(nullptr, n, nullptr, 0, dim, 1, nullptr, nullptr, ks[which], threads,
                       nullptr, nullptr) == GEO_BAD_ARGUMENT, "knn");
  void* handle = nullptr;
  GEO_REQUIRE(Abi::radius(nullptr, n, nullptr, 0, dim, 1, nullptr, nullptr, r, threads, -1,
                          nullptr, &handle) == GEO_BAD_ARGUMENT, "radius");
  GEO_REQUIRE(Abi::radius_count(nullptr, n, nullptr, 0, dim, 1, nullptr, nullptr, r, threads,
                                nullptr) == GEO_BAD_ARGUMENT, "radius_count");
  GEO_REQUIRE(Abi::suppress(nullptr, n, dim, 1, nullptr, nullptr, r, threads, nullptr) ==
                  GEO_BAD_ARGUMENT, "suppress");
  GEO_REQUIRE(geo_radius_take(nullptr, nullptr) == GEO_BAD_ARGUMENT, "radius_take");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using Target = void (*)(fuzz::Input&);
  static const Target targets[] = {
      fuzz::potential, fuzz::search,   fuzz::suppress, fuzz::segment,
      fuzz::potential, fuzz::search,   fuzz::sampling, fuzz::grid,
      refused<float>,  refused<double>};
  if (size < 2) return 0;
  fuzz::Input in(data + 1, size - 1);
  targets[data[0] % (sizeof targets / sizeof targets[0])](in);
  return 0;
}
