// Compiled once per instruction set, see isa.h.
#include "cpu/box_kernel.h"

#include "cpu/boxes.h"

namespace geo {
namespace {

// The smallest of 16 numbers and the largest of 16 others.
template <class T>
inline void reach(const T* lows, const T* highs, T& low, T& high) {
  using S = Simd<T>;
  auto a = S::load(lows), b = S::load(highs);
  for (int s = S::W; s < kLeaf; s += S::W) {
    a = S::min(a, S::load(lows + s));
    b = S::max(b, S::load(highs + s));
  }
  low = S::min_lane(a);
  high = S::max_lane(b);
}

template <class T>
void bound_children(const T* child, int dim, bool leaves, int64_t begin, int64_t end, T* group) {
  const T inf = static_cast<T>(__builtin_inff());
  const int64_t row = static_cast<int64_t>(dim) * kLeaf, size = leaves ? row : 2 * row;
  for (int64_t g = begin / kLeaf; g * kLeaf < end; ++g) {
    T* to = group + g * 2 * row;
    const int64_t first = g * kLeaf;
    for (int slot = 0; slot < kLeaf; ++slot) {
      const T* from = child + (first + slot) * size;
      if (first + slot >= end) {
        for (int d = 0; d < dim; ++d) {
          to[d * kLeaf + slot] = inf;
          to[row + d * kLeaf + slot] = -inf;
        }
        continue;
      }
      for (int d = 0; d < dim; ++d)
        reach(from + d * kLeaf, from + d * kLeaf + (leaves ? 0 : row), to[d * kLeaf + slot],
              to[row + d * kLeaf + slot]);
    }
  }
}

template <class T>
int64_t count_others(const T* leaves, const int64_t* id, int64_t count, int dim, const T* box,
                     T radius, int64_t own) {
  T group[2 * kMaxDim * kLeaf];  // of which the box is number 0
  for (int d = 0; d < 2 * dim; ++d) group[d * kLeaf] = box[d];
  int64_t found = 0;
  for (int64_t leaf = 0; leaf < count; ++leaf) {
    const T* points = leaves + leaf * dim * kLeaf;
    for (uint32_t near = points_within<0>(points, group, 0, dim, radius * radius); near;
         near &= near - 1)
      found += id[leaf * kLeaf + __builtin_ctz(near)] != own;
  }
  return found;
}

}  // namespace

namespace GEO_ISA {

void bound(const float* child, int dim, bool leaves, int64_t begin, int64_t end, float* group) {
  bound_children(child, dim, leaves, begin, end, group);
}
void bound(const double* child, int dim, bool leaves, int64_t begin, int64_t end, double* group) {
  bound_children(child, dim, leaves, begin, end, group);
}


int64_t others_near(const float* leaves, const int64_t* id, int64_t count, int dim,
                    const float* box, float radius, int64_t own) {
  return count_others(leaves, id, count, dim, box, radius, own);
}
int64_t others_near(const double* leaves, const int64_t* id, int64_t count, int dim,
                    const double* box, double radius, int64_t own) {
  return count_others(leaves, id, count, dim, box, radius, own);
}

}  // namespace GEO_ISA
}  // namespace geo
