#include "input.h"

#include <cmath>
#include <limits>

namespace fuzz {

Input::Input(const uint8_t* data, size_t size) : data_(data), left_(size), state_(size) {
  for (size_t i = 0; i < size; ++i) state_ = (state_ ^ data[i]) * 0x100000001b3u;
}

uint8_t Input::byte() {
  if (left_ == 0) return 0;
  --left_;
  return *data_++;
}

uint64_t Input::random() {  // splitmix64
  uint64_t z = state_ += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

double Input::uniform() { return static_cast<double>(random() >> 11) * 0x1p-53; }

double Input::gauss() { return 2.0 * (uniform() + uniform() + uniform() - 1.5); }

int dimension(Input& in) {
  static const int table[] = {1, 2, 3, 3, 4, 5, 7, 8, 8, 9, 12, 16, 17, 20, 33, 64};
  return in.of(table);
}

int threads(Input& in) { return 1 + in.byte() % 3; }

namespace {

// Mostly a few rows, sometimes enough for several levels of a tree, rarely enough for threads.
int64_t rows(Input& in, int dim) {
  const int b = in.byte();
  if (b < 200) return b % 50;
  if (b < 248) return 16 * (b - 199) / (dim > 8 ? 4 : 1);
  if (b < 255 || dim > 4) return 1200 / (dim > 8 ? 4 : 1) + in.byte();
  return 17000 + in.byte();
}

}  // namespace

Graphs graphs(Input& in, int dim) {
  static const int counts[] = {1, 1, 1, 2, 3, 5, 9, 0};
  Graphs g;
  g.count = in.of(counts);
  g.given = g.count != 1 || in.flag();
  g.x.push_back(0);
  g.y.push_back(0);
  for (int64_t b = 0; b < g.count; ++b) {
    g.x.push_back(g.x.back() + rows(in, dim));
    g.y.push_back(g.y.back() + rows(in, dim));
  }
  return g;
}

template <class T>
Array<T> points(Input& in, int64_t n, int dim, double* scale) {
  enum { normal, lattice, far, farther, coincident, repeated, line, tiny, huge, kinds };
  const int kind = in.byte() % kinds, spoiled = in.byte();
  *scale = kind == tiny ? (sizeof(T) == 4 ? 1e-38 : 1e-300)
         : kind == huge ? (sizeof(T) == 4 ? 1e30 : 1e200) : kind == farther ? 16.0 : 1.0;
  Array<T> out(n * dim);
  for (int64_t i = 0; i < n; ++i) {
    const int64_t source = kind == coincident ? 0 : kind == repeated && i ? in.below(i) : i;
    for (int d = 0; d < dim; ++d) {
      double value = 2 * in.gauss();
      if (kind == lattice || kind == far || kind == farther) value = std::round(value);
      if (kind == far) value += 1e6;
      if (kind == line && d > 0) value = 3;
      value *= *scale;
      if (kind == farther) value += 1e8;
      out[i * dim + d] = static_cast<T>(value);
      if (source < i && !(kind == repeated && in.below(4) == 0))
        out[i * dim + d] = out[source * dim + d];
    }
  }
  using Limits = std::numeric_limits<T>;
  const T far_out = Limits::max() / 4;  // differences of two such are finite, their squares are not
  const T special[] = {Limits::quiet_NaN(), Limits::infinity(), -Limits::infinity(), T(-0.0),
                       Limits::denorm_min(), far_out, -far_out, T(1e30)};
  if (n * dim > 0 && spoiled > 160)
    for (int i = 0; i < (spoiled & 7); ++i) out[in.below(n * dim)] = special[in.below(8)];
  return out;
}
template Array<float> points(Input&, int64_t, int, double*);
template Array<double> points(Input&, int64_t, int, double*);

double radius(Input& in, double scale) {
  static const double table[] = {0.0, 1e-6, 0.3, 1.0, 1.0, 1.5, 2.0, 3.0, 5.0, 1e3};
  const int b = in.byte();
  if (b == 255) return 1e25;  // its square is infinite in float32
  return table[b % 10] * scale;
}

template <class T>
bool finite(const T* point, int dim) {
  for (int d = 0; d < dim; ++d)
    if (!std::isfinite(point[d])) return false;
  return true;
}
template bool finite(const float*, int);
template bool finite(const double*, int);

}  // namespace fuzz
