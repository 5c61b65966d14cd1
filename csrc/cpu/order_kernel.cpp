// Compiled once per instruction set, see isa.h.
#include "cpu/order_kernel.h"

#include "cpu/select.h"
#include "cpu/shuffle.h"

namespace geo {
namespace {

constexpr int kChunk = 16;    // points read together by the extent, on every machine
constexpr int kChunks = 4;    // log2 of the chunks that stand for a large node

// The axis along which the points reach farthest; large nodes are judged by a sample.
int widest(const Columns& points, int64_t begin, int64_t count) {
  const int64_t chunks = count / kChunk;  // a rest of less than a chunk is not looked at
  const bool all = chunks < 1 << kChunks;
  const int64_t seen = all ? chunks : 1 << kChunks;
  int best = 0;
  float span = -1;
  for (int d = 0; d < points.dim; ++d) {
    const float* c = points.column(d) + begin;
    V low = S::load(c), high = low;
    for (int64_t i = 0; i < seen; ++i) {
      const float* chunk = c + (all ? i : (i * chunks) >> kChunks) * kChunk;
      for (int s = 0; s < kChunk; s += S::W) {
        const V v = S::load(chunk + s);
        low = S::min(low, v);
        high = S::max(high, v);
      }
    }
    const float width = S::max_lane(high) - S::min_lane(low);
    if (width > span) {
      span = width;
      best = d;
    }
  }
  return best;
}

// The lowest `number` of the set bits.
inline uint32_t lowest(uint32_t bits, int64_t number) {
  uint32_t rest = bits;
  for (; number > 0 && rest; --number) rest &= rest - 1;
  return bits & ~rest;
}

// Writes one leaf: missing lanes have row -1 and repeat the first point.
void emit(const Columns& from, int64_t begin, int64_t count, const Leaves& leaves) {
  int32_t* order = leaves.order + begin;
  __builtin_memcpy(order, from.column(from.dim) + begin, count * sizeof(float));
  for (int64_t l = count; l < kLeaf; ++l) order[l] = -1;
  if (!leaves.coord) return;
  for (int d = 0; d < from.dim; ++d) {
    float* out = leaves.coord + begin * from.dim + d * kLeaf;
    const float* c = from.column(d) + begin;
    if (count == kLeaf) {
      for (int s = 0; s < kLeaf; s += S::W) S::store(out + s, S::load(c + s));
    } else {
      for (int l = 0; l < kLeaf; ++l) out[l] = c[l < count ? l : 0];
    }
  }
}

}  // namespace

namespace GEO_ISA {

Cut cut(const Columns& points, int64_t begin, int64_t count, int64_t left, float* free) {
  const int axis = widest(points, begin, count);
  const Chosen chosen = select(points.column(axis) + begin, count, left, free);
  return {axis, chosen.value, left - chosen.below};
}

void split(const Columns& from, const Columns& to, int64_t begin, int64_t end, Cut cut,
           Room room) {
  const float* key = from.column(cut.axis);
  const V value = S::set(cut.value);
  const bool joint = room.low_end == room.high_begin;
  for (int64_t i = begin; i < end; i += S::W) {
    const uint32_t in = valid(end - i);
    const V k = S::load(key + i);
    uint32_t left = S::bits(S::less(k, value)) & in;
    const uint32_t equal = S::bits(S::less_equal(k, value)) & in & ~left;
    if (equal && cut.ties > 0) {
      const uint32_t taken = lowest(equal, cut.ties);
      cut.ties -= __builtin_popcount(taken);
      left |= taken;
    }
    const int below = __builtin_popcount(left);
    // A whole vector goes to both ends. What is not theirs must land where nothing is yet; where
    // one vector's room is left, both ends are the same place.
    const int64_t room_left = room.high - room.low;
    const bool fits = joint ? room_left == S::W || room_left >= 2 * S::W
                            : room.low + S::W <= room.low_end && room.high - S::W >= room.high_begin;
    if (fits && in == kAll) {
      const auto index = Shuffle::split(left);
      for (int d = 0; d <= from.dim; ++d) {
        const V moved = Shuffle::apply(index, S::load(from.column(d) + i));
        S::store(to.column(d) + room.low, moved);
        S::store(to.column(d) + room.high - S::W, moved);
      }
      room.low += below;
      room.high -= S::W - below;
      continue;
    }
    for (int l = 0; l < S::W && i + l < end; ++l) {
      const int64_t at = ((left >> l) & 1) ? room.low++ : --room.high;
      for (int d = 0; d <= from.dim; ++d)  // as integers: the last column holds rows
        __builtin_memcpy(to.column(d) + at, from.column(d) + i + l, sizeof(float));
    }
  }
}

static void subtree(const Columns& from, const Columns& to, int64_t begin, int64_t count,
                    float* free, const Leaves& leaves) {
  if (count <= kLeaf) return emit(from, begin, count, leaves);
  const int64_t left = left_leaves((count + kLeaf - 1) / kLeaf) * kLeaf;
  const Cut where = cut(from, begin, count, left, free);
  split(from, to, begin, begin + count, where,
        {begin, begin + left, begin + left, begin + count});
  subtree(to, from, begin, left, free, leaves);
  subtree(to, from, begin + left, count - left, free, leaves);
}

Tally tally(const float* column, int64_t count, float value) {
  return geo::tally(column, count, value, value);
}

void order(const Columns& from, const Columns& to, int64_t begin, int64_t count,
           const Leaves& leaves) {
  alignas(64) float free[kSubtree];
  subtree(from, to, begin, count, free, leaves);
}

}  // namespace GEO_ISA
}  // namespace geo
