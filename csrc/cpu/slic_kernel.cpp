#include "cpu/slic_kernel.h"

#include "cpu/simd.h"

namespace geo {
namespace {

template <int C>
void offer_of(const Offer& task) {
  using S = Simd<float>;
  using V = typename S::V;
  V of[C + 2];
  for (int c = 0; c < C + 2; ++c) of[c] = S::set(task.center[c]);
  const V scale = S::set(task.scale), number = S::set(task.number);
  const float* value = task.value;
  for (int64_t i = 0; i < task.n; i += S::W) {
    const V dx = S::load(value + C * task.n + i) - of[C];
    const V dy = S::load(value + (C + 1) * task.n + i) - of[C + 1];
    V d = (dx * dx + dy * dy) * scale;
    for (int c = 0; c < C; ++c) {
      const V delta = S::load(value + c * task.n + i) - of[c];
      d = d + delta * delta;
    }
    const V best = S::load(task.best + i);
    const auto nearer = S::less(d, best);
    S::store(task.best + i, S::where(nearer, d, best));
    S::store(task.slot + i, S::where(nearer, number, S::load(task.slot + i)));
  }
}

}  // namespace

namespace GEO_ISA {

void offer(const Offer& task) {
  switch (task.channels) {
    case 1: return offer_of<1>(task);
    case 2: return offer_of<2>(task);
    case 3: return offer_of<3>(task);
    default: return offer_of<4>(task);
  }
}

}  // namespace GEO_ISA
}  // namespace geo
