// What compilers are told about inner loops.
#pragma once

#define GEO_INLINE inline __attribute__((always_inline))
#if defined(__clang__)
#define GEO_UNROLL _Pragma("clang loop unroll(full)")
#else
#define GEO_UNROLL _Pragma("GCC unroll 4")
#endif
