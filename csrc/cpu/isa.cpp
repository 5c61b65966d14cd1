#include "cpu/isa.h"

#include <cstdlib>
#include <cstring>

#include "api.h"

namespace geo {
namespace {

Isa detect() {
  Isa best = Isa::baseline;
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) best = Isa::avx2;
  if (best == Isa::avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw"))
    best = Isa::avx512;
#endif
  const char* wanted = std::getenv("GEOINFLUENCER_ISA");
  if (wanted && std::strcmp(wanted, "baseline") == 0) return Isa::baseline;
  if (wanted && std::strcmp(wanted, "avx2") == 0 && best == Isa::avx512) return Isa::avx2;
  return best;
}

}  // namespace

Isa isa() {
  static const Isa chosen = detect();
  return chosen;
}

}  // namespace geo

extern "C" int32_t geo_abi_version(void) { return 8; }

extern "C" const char* geo_isa(void) {
  switch (geo::isa()) {
    case geo::Isa::avx512: return "avx512";
    case geo::Isa::avx2: return "avx2";
    default: return "baseline";
  }
}
