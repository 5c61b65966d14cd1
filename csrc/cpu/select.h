// The k-th smallest of many floats, exactly, by a few passes over ever fewer of them (the idea of
// Floyd and Rivest, CACM 18(3), 1975: a sample brackets the answer). See simd.h for who may include
// this.
#pragma once

#include "cpu/order_kernel.h"
#include "cpu/shuffle.h"

namespace geo {
namespace {

using S = Simd<float>;
using V = S::V;

constexpr uint32_t kAll = S::W == 32 ? ~0u : (1u << S::W) - 1u;
constexpr int kSmall = 64;  // values whose ranks are counted pair by pair

inline uint32_t valid(int64_t rest) { return rest >= S::W ? kAll : (1u << rest) - 1u; }

struct Pair {
  float low, high;
};

// The values of ranks `low` and `high` (from 0) among `number` values; Size is at least as many, and
// the rest of the array +inf. Ranks are counted pair by pair.
template <int Size>
inline Pair ranked(const float* values, int number, int low, int high) {
  constexpr int Vectors = Size / S::W;
  V v[Vectors], rank[Vectors];
  for (int r = 0; r < Vectors; ++r) {
    v[r] = S::load(values + r * S::W);
    rank[r] = S::set(0.0f);
  }
  const V one = S::set(1.0f);
  for (int j = 0; j < number; ++j) {
    const V other = S::set(values[j]);
    for (int r = 0; r < Vectors; ++r) rank[r] = S::add_if(S::less(other, v[r]), rank[r], one);
  }
  // the value of rank k is the largest that at most k others are below
  const V a = S::set(static_cast<float>(low)), b = S::set(static_cast<float>(high));
  const V nothing = S::set(-__builtin_inff());
  V lower = nothing, upper = nothing;
  for (int r = 0; r < Vectors; ++r) {
    lower = S::max(lower, S::where(S::less_equal(rank[r], a), v[r], nothing));
    upper = S::max(upper, S::where(S::less_equal(rank[r], b), v[r], nothing));
  }
  return {S::max_lane(lower), S::max_lane(upper)};
}

// The same for at most kSmall values in an array of kSmall.
inline Pair ranked(float* values, int number, int low, int high) {
  const int size = number <= 16 ? 16 : number <= 32 ? 32 : kSmall;
  for (int i = number; i < size; ++i) values[i] = __builtin_inff();
  if (size == 16) return ranked<16>(values, number, low, high);
  if (size == 32) return ranked<32>(values, number, low, high);
  return ranked<kSmall>(values, number, low, high);
}

// Values below a range, and in it (both ends included).
inline Tally tally(const float* values, int64_t count, float low, float high) {
  const V a = S::set(low), b = S::set(high);
  int64_t below = 0, up_to = 0;
  for (int64_t i = 0; i < count; i += S::W) {
    const uint32_t in = valid(count - i);
    const V v = S::load(values + i);
    below += __builtin_popcount(S::bits(S::less(v, a)) & in);
    up_to += __builtin_popcount(S::bits(S::less_equal(v, b)) & in);
  }
  return {below, up_to - below};
}

// Writes the values in the range, without its ends if Open, to `out` (as long; `values` itself will
// do) and returns their number.
template <bool Open>
inline int64_t keep(const float* values, int64_t count, float low, float high, float* out) {
  const V a = S::set(low), b = S::set(high);
  int64_t kept = 0;
  for (int64_t i = 0; i < count; i += S::W) {
    const V v = S::load(values + i);
    const auto in = Open ? S::both(S::less(a, v), S::less(v, b))
                         : S::both(S::less_equal(a, v), S::less_equal(v, b));
    const uint32_t bits = S::bits(in) & valid(count - i);
    if (!bits) continue;
    const V front = Shuffle::compress(bits, v);
    const int number = __builtin_popcount(bits);
    if (kept + S::W <= count) {
      S::store(out + kept, front);
    } else {
      float lane[S::W];
      S::store(lane, front);
      for (int l = 0; l < number; ++l) out[kept + l] = lane[l];
    }
    kept += number;
  }
  return kept;
}

struct Chosen {
  float value;
  int64_t below;  // values smaller than it
};

// The k-th smallest (from 0) of `count` finite values; `free` is memory for as many.
inline Chosen select(const float* values, int64_t count, int64_t k, float* free) {
  const float inf = __builtin_inff();
  int64_t dropped = 0;   // smaller values that are out
  bool stuck = false;    // the bracket kept everything: many equal values
  alignas(64) float sample[kSmall];
  while (count > kSmall) {
    const int log = count > 1024 ? 6 : count > 256 ? 5 : 4, size = 1 << log;
    for (int i = 0; i < size; ++i) sample[i] = values[((2 * i + 1) * count) >> (log + 1)];
    const int centre = static_cast<int>((k << log) / count);
    const int reach = stuck ? 0 : log == 6 ? 9 : log == 5 ? 5 : 3;  // about two deviations
    const Pair range = ranked(sample, size, centre - reach, centre + reach);
    const float low = stuck || centre >= reach ? range.low : -inf;
    const float high = stuck || centre + reach < size ? range.high : inf;
    const Tally t = tally(values, count, low, high);
    const int64_t above = t.below + t.equal;
    const bool hit = k >= t.below && k < above;
    if (hit && low == high) return {low, dropped + t.below};
    int64_t kept;
    if (hit) {
      kept = keep<false>(values, count, low, high, free);
      stuck = kept == count;
    } else {
      const bool under = k < t.below;
      kept = keep<true>(values, count, under ? -inf : high, under ? low : inf, free);
      stuck = false;
    }
    const int64_t out = hit ? t.below : k < t.below ? 0 : above;
    dropped += out;
    k -= out;
    count = kept;
    values = free;
  }
  for (int64_t i = 0; i < count; ++i) sample[i] = values[i];
  const int rank = static_cast<int>(k);
  const float value = ranked(sample, static_cast<int>(count), rank, rank).low;
  const Tally t = tally(values, count, value, value);
  return {value, dropped + t.below};
}

}  // namespace
}  // namespace geo
