// The instruction set chosen once per process.
#pragma once

namespace geo {

enum class Isa { baseline, avx2, avx512 };

// GEOINFLUENCER_ISA=baseline|avx2|avx512 lowers (never raises) what the processor offers.
Isa isa();

}  // namespace geo

// Kernels are compiled once per instruction set, each time with their entry points in a namespace
// GEO_ISA of its name. GEO_PER_ISA declares them in all of these; GEO_RUN calls the chosen ones.
#if defined(__x86_64__)
#define GEO_PER_ISA(...)               \
  namespace baseline { __VA_ARGS__ }   \
  namespace avx2 { __VA_ARGS__ }       \
  namespace avx512 { __VA_ARGS__ }
#define GEO_RUN(name, ...)                              \
  (isa() == Isa::avx512 ? avx512::name(__VA_ARGS__)     \
   : isa() == Isa::avx2 ? avx2::name(__VA_ARGS__)       \
                        : baseline::name(__VA_ARGS__))
#else
#define GEO_PER_ISA(...) namespace baseline { __VA_ARGS__ }
#define GEO_RUN(name, ...) baseline::name(__VA_ARGS__)
#endif
