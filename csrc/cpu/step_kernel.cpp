#include "cpu/step_kernel.h"

namespace geo {
namespace {

template <int C>
void steps_of(const Steps& task) {
  const float* __restrict__ a = task.a;
  const float* __restrict__ b = task.b;
  float* __restrict__ out = task.out;
  const int64_t stride = task.stride;
  for (int64_t i = 0; i < task.n; ++i) {
    const float first = a[i] - b[i];
    float d = first * first;
    for (int c = 1; c < C; ++c) {
      const float delta = a[c * stride + i] - b[c * stride + i];
      d += delta * delta;
    }
    out[i] = __builtin_sqrtf(d);
  }
}

}  // namespace

namespace GEO_ISA {

void steps(const Steps& task) {
  switch (task.channels) {
    case 1: return steps_of<1>(task);
    case 2: return steps_of<2>(task);
    case 3: return steps_of<3>(task);
    default: return steps_of<4>(task);
  }
}

}  // namespace GEO_ISA
}  // namespace geo
