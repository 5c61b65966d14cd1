// The few vector operations the kernels use, in the widest registers this file is compiled for.
//
// Included only by files compiled once per instruction set: everything is in an anonymous namespace
// and uses no library template, so that no wide code is shared with the baseline by the linker.
//
// Simd<T>: W lanes; V a vector, M a mask, I an integer of a lane's size. set, load and store (any
// address), load_first(p, n, rest) of n < W lanes and the others of rest, min, max, which give b
// where one is NaN; less, less_equal and differs (m and p[l] != s) give masks; both; where(m, a, b),
// only(m, a) with 0 elsewhere, add_if(m, a, b) = a + only(m, b); bits and lanes convert masks; sum,
// min_lane and max_lane go across lanes; roots(v) is 2 / sqrt(v) and 2 sqrt(v) for normal v.
#pragma once

#if defined(__AVX512F__)
#include "cpu/simd_avx512.h"
#elif defined(__AVX2__)
#include "cpu/simd_avx2.h"
#else
#include "cpu/simd_generic.h"
#endif
