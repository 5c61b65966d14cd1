// The inner loops of the query profiles, over rows of logits; compiled once per instruction set.
#pragma once

#include <cstdint>

#include "cpu/isa.h"

namespace geo {

constexpr int64_t kProfilePad = 16;  // the stride of sums is a multiple of it

// Rows [begin, end) of a call. Writes log_void (N) and level (N, 2) of them: the largest logit, void
// included, and the logarithm of the sum of the exponentials relative to it. Adds weight ln p to
// the row of their segment in `sum` (S, stride), of which columns from M on are scratch.
template <class T>
struct ProfileRows {
  const T* logits;
  int64_t width, begin, end;
  const int64_t* index;
  const T* weight;  // (N) or null: 1
  T *log_void, *level;
  T* sum;
  int64_t stride;
};

// Rows [begin, end) of the gradient (N, M) of the logits. slope (S, M): gradient of the sum of
// weight ln p of each segment, slope_sum (S): summed along its row; null where there is none.
template <class T>
struct ProfileSlopes {
  const T* logits;
  int64_t width, begin, end;
  const int64_t* index;
  const T* weight;  // (N) or null: 1
  const T* slope;
  const T* slope_sum;
  const T* level;      // (N, 2)
  const T* grad_void;  // (N) or null: 0
  T* grad;
};

// Rows [begin, end) of a call. Adds weight p to the row of their segment in `sum` (S, stride), of
// which columns from M on are scratch; ln p is the logit plus log_void.
template <class T>
struct ClaimRows {
  const T* logits;
  int64_t width, begin, end;
  const int64_t* segment;
  const T* weight;  // (N) or null: 1
  const T* log_void;
  T* sum;
  int64_t stride;
};

// Rows [begin, end): adds the gradient of the logits for slopes (S, M) of those sums to grad (N, M).
template <class T>
struct ClaimSlopes {
  const T* logits;
  int64_t width, begin, end;
  const int64_t* segment;
  const T* weight;  // (N) or null: 1
  const T* log_void;
  const T* slope;
  T* grad;
};

GEO_PER_ISA(
  void claim(const ClaimRows<float>& task);
  void claim(const ClaimRows<double>& task);
  void claim_slopes(const ClaimSlopes<float>& task);
  void claim_slopes(const ClaimSlopes<double>& task);
  void profile(const ProfileRows<float>& task);
  void profile(const ProfileRows<double>& task);
  void profile_slopes(const ProfileSlopes<float>& task);
  void profile_slopes(const ProfileSlopes<double>& task);
)

}  // namespace geo
