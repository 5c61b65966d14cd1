// What a fuzz input says: sizes, pointers, points and ids that are hard on kernels.
//
// The first bytes choose structure (one choice a byte, so that a coverage-guided fuzzer can steer);
// the many numbers of a point set come from a generator seeded by the input.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

// A broken promise of the ABI: says which, and stops so that the input is kept.
#define GEO_REQUIRE(condition, ...)                                      \
  do {                                                                   \
    if (!(condition)) {                                                  \
      std::fprintf(stderr, "%s:%d: %s\n  ", __FILE__, __LINE__, #condition); \
      std::fprintf(stderr, __VA_ARGS__);                                 \
      std::fputc('\n', stderr);                                          \
      std::abort();                                                      \
    }                                                                    \
  } while (0)

namespace fuzz {

inline long long ll(int64_t number) { return number; }  // as printf wants it

// An array of exactly n elements, so that the sanitizer sees the first one too many; never NULL,
// which means "not given" in the ABI.
template <class T>
class Array {
 public:
  explicit Array(int64_t n, T value = T()) : data_(new T[n]), size_(n) {
    for (int64_t i = 0; i < n; ++i) data_[i] = value;
  }
  T* data() { return data_.get(); }
  const T* data() const { return data_.get(); }
  T& operator[](int64_t i) { return data_[i]; }
  const T& operator[](int64_t i) const { return data_[i]; }
  int64_t size() const { return size_; }

 private:
  std::unique_ptr<T[]> data_;
  int64_t size_;
};

template <class T>
bool same(const Array<T>& a, const Array<T>& b) {
  return a.size() == 0 || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
}

class Input {
 public:
  Input(const uint8_t* data, size_t size);
  uint8_t byte();                  // 0 once the input is used up
  bool flag() { return byte() & 1; }
  template <class T, size_t N>
  T of(const T (&choices)[N]) {
    return choices[byte() % N];
  }
  uint64_t random();               // of the generator
  int64_t below(int64_t n) { return static_cast<int64_t>(random() % static_cast<uint64_t>(n)); }
  double uniform();                // [0, 1)
  double gauss();                  // about normal

 private:
  const uint8_t* data_;
  size_t left_;
  uint64_t state_;
};

// Graphs of one or two sets: row pointers (B + 1), or one graph without.
struct Graphs {
  int64_t count;
  bool given;
  std::vector<int64_t> x, y;
  const int64_t* x_ptr() const { return given ? x.data() : nullptr; }
  const int64_t* y_ptr() const { return given ? y.data() : nullptr; }
  int64_t n() const { return x.back(); }
  int64_t m() const { return y.back(); }
};
Graphs graphs(Input& in, int dim);

int dimension(Input& in);
int threads(Input& in);

// Points (n, D): normal, on a lattice, far away, coincident, repeated, on a line, tiny, huge; a few
// of them not finite where the input says so. `scale` is the size of their differences.
template <class T>
Array<T> points(Input& in, int64_t n, int dim, double* scale);

// 0, far below, about or far above the scale, or such that its square overflows.
double radius(Input& in, double scale);

template <class T>
bool finite(const T* point, int dim);

// Rounded as the searches do: in the order of the dimensions, without fused multiply-add.
template <class T>
T distance2(const T* a, const T* b, int dim) {
  T total = T(0);
  for (int d = 0; d < dim; ++d) {
    const T delta = a[d] - b[d];
    total += delta * delta;
  }
  return total;
}

template <class T>
struct Abi;  // the functions of one precision, see abi.h

// One for each kernel; each runs both precisions.
void potential(Input& in);
void search(Input& in);
void suppress(Input& in);
void segment(Input& in);
void sampling(Input& in);
void grid(Input& in);
void profiles(Input& in);
void coupling(Input& in);
void slic(Input& in);
void image_regions(Input& in);
void felzenszwalb(Input& in);
void refused(Input& in);  // the same of arguments out of range

}  // namespace fuzz
