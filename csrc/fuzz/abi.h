// The functions of the C ABI by precision, for templates.
#pragma once

#include <geoinfluencer/api.h>

namespace fuzz {

#define GEO_FUZZ_ABI(T, suffix)                                                       \
  template <>                                                                         \
  struct Abi<T> {                                                                     \
    static constexpr auto potential = geo_potential_##suffix;                         \
    static constexpr auto knn = geo_knn_##suffix;                                     \
    static constexpr auto radius = geo_radius_##suffix;                               \
    static constexpr auto radius_count = geo_radius_count_##suffix;                   \
    static constexpr auto suppress = geo_suppress_##suffix;                           \
    static constexpr auto segment_reduce = geo_segment_reduce_##suffix;               \
    static constexpr auto segment_gather = geo_segment_gather_##suffix;               \
    static constexpr auto profiles = geo_profiles_##suffix;                           \
    static constexpr auto profiles_grad = geo_profiles_grad_##suffix;                 \
    static constexpr auto claims = geo_claims_##suffix;                               \
    static constexpr auto claims_grad = geo_claims_grad_##suffix;                     \
    static constexpr auto coupling = geo_coupling_##suffix;                           \
    static constexpr auto fps = geo_fps_##suffix;                                     \
    static constexpr auto grid = geo_grid_##suffix;                                   \
  };
GEO_FUZZ_ABI(float, f32)
GEO_FUZZ_ABI(double, f64)
#undef GEO_FUZZ_ABI

}  // namespace fuzz
