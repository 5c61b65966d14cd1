#include "cpu/regions.h"

#include <cstddef>
#include <limits>

#include "cpu/union_find.h"

namespace geo {
namespace {

struct Regions {
  const float* image;
  int64_t height, width;
  int channels;
  std::vector<int32_t>& label;
  std::vector<int64_t> size;  // (R)
  std::vector<double> sum;    // (R, channels)

  // body(pixel, pixel) for every pair side by side, then every pair one above the other, of a pixel
  template <class F>
  void pairs(F body) const {
    for (int64_t y = 0; y < height; ++y)
      for (int64_t x = 0; x < width; ++x) {
        const int64_t at = y * width + x;
        if (x + 1 < width) body(at, at + 1);
        if (y + 1 < height) body(at, at + width);
      }
  }

  int64_t split() {
    DisjointSets sets(height * width);
    pairs([&](int64_t a, int64_t b) {
      if (label[a] == label[b]) sets.join(static_cast<int32_t>(a), static_cast<int32_t>(b));
    });
    const int64_t count = sets.number();
    label.swap(sets.parent);
    size.assign(count, 0);
    sum.assign(count * channels, 0.0);
    for (std::size_t i = 0; i < label.size(); ++i) {
      ++size[label[i]];
      for (int c = 0; c < channels; ++c) sum[label[i] * channels + c] += image[i * channels + c];
    }
    return count;
  }

  double difference(int32_t a, int32_t b) const {
    double total = 0;
    for (int c = 0; c < channels; ++c) {
      const double d = sum[a * channels + c] / static_cast<double>(size[a]) -
                       sum[b * channels + c] / static_cast<double>(size[b]);
      total += d * d;
    }
    return total;
  }

  // Joins every small region to a neighbour; returns the number of regions afterwards.
  int64_t absorb(int64_t min_size) {
    const int64_t count = static_cast<int64_t>(size.size());
    std::vector<int32_t> choice(count, -1);
    std::vector<double> best(count, std::numeric_limits<double>::infinity());
    const auto offer = [&](int32_t small, int32_t other) {
      if (size[small] >= min_size || choice[small] == other) return;
      const double d = difference(small, other);
      if (d < best[small] || (d == best[small] && other < choice[small])) {
        best[small] = d;
        choice[small] = other;
      }
    };
    pairs([&](int64_t p, int64_t q) {
      const int32_t a = label[p], b = label[q];
      if (a == b) return;
      offer(a, b);
      offer(b, a);
    });
    DisjointSets sets(count);
    for (int64_t i = 0; i < count; ++i)
      if (choice[i] >= 0) sets.join(static_cast<int32_t>(i), choice[i]);
    const int64_t fewer = sets.number();
    for (int32_t& l : label) l = sets.parent[l];
    std::vector<int64_t> sizes(fewer, 0);
    std::vector<double> sums(fewer * channels, 0.0);
    for (int64_t i = 0; i < count; ++i) {
      sizes[sets.parent[i]] += size[i];
      for (int c = 0; c < channels; ++c)
        sums[sets.parent[i] * channels + c] += sum[i * channels + c];
    }
    size.swap(sizes);
    sum.swap(sums);
    return fewer;
  }
};

}  // namespace

int64_t connect(const float* image, int64_t height, int64_t width, int channels, int64_t min_size,
                std::vector<int32_t>& label) {
  Regions regions{image, height, width, channels, label, {}, {}};
  int64_t count = regions.split();
  while (count > 1) {
    bool small = false;
    for (const int64_t size : regions.size) small = small || size < min_size;
    if (!small) break;
    const int64_t before = count;
    count = regions.absorb(min_size);
    if (count == before) break;  // colours that are not numbers are near to nothing
  }
  return count;
}

}  // namespace geo
