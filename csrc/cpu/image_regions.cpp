// What the segments of an image are like, and which of them touch: one pass over the pixels, row by
// row. The sums of a run of one label in a row are made in registers; the pairs of pixels that lie
// across a border are kept, and counted out by the smaller of their labels.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "api.h"
#include "cpu/step_kernel.h"
#include "cpu/team.h"

namespace geo {
namespace {

struct Crossing {
  int32_t low, high;
  float step;
};

struct Border {
  int32_t high;
  double length, total;
};

template <int C>
struct Segment {
  double mass = 0, x = 0, y = 0, gradient = 0;
  double sum[C] = {}, square[C] = {};  // of the colours; of their differences to `first`, squared
  float first[C] = {};                 // colour of the first pixel: one colour has no spread at all
};

template <int C>
struct Picture {
  const int64_t* label;
  const float* image;
  int64_t height, width, segments;
  std::vector<Segment<C>> found;
  std::vector<Crossing> crossings;

  // Returns whether all labels are in range.
  bool read() {
    found.resize(segments);
    std::vector<float> upper(C * width), lower(C * width), right(width + 1, 0.0f), above(width, 0.0f),
        below(width), gradient(width);
    split(0, lower);
    for (int64_t y = 0; y < height; ++y) {
      upper.swap(lower);
      right[0] = right[width] = 0.0f;  // right[x]: from pixel x - 1 to x
      step(upper.data() + 1, upper.data(), width - 1, &right[1]);
      if (y + 1 < height) {
        split(y + 1, lower);
        step(lower.data(), upper.data(), width, below.data());
      } else {
        std::fill(below.begin(), below.end(), 0.0f);
      }
      const int rows = (y > 0) + (y + 1 < height);
      for (int64_t x = 0; x < width; ++x) {
        const int neighbours = rows + (x > 0) + (x + 1 < width);
        gradient[x] = (right[x + 1] + right[x] + below[x] + above[x]) /
                      static_cast<float>(neighbours > 0 ? neighbours : 1);
      }
      if (!add_up(y, upper.data(), gradient.data(), right.data(), below.data())) return false;
      above.swap(below);
    }
    return true;
  }

  void split(int64_t y, std::vector<float>& row) const {
    const float* from = image + y * width * C;
    for (int64_t x = 0; x < width; ++x)
      for (int c = 0; c < C; ++c) row[c * width + x] = from[x * C + c];
  }

  void step(const float* a, const float* b, int64_t n, float* out) const {
    const Steps task{a, b, width, n, C, out};
    GEO_RUN(steps, task);
  }

  bool add_up(int64_t y, const float* row, const float* gradient, const float* right,
              const float* below) {
    const int64_t* own = label + y * width;
    for (int64_t x = 0; x < width;) {
      const int64_t l = own[x], start = x;
      if (l < 0 || l >= segments) return false;
      Segment<C>& segment = found[l];
      if (segment.mass == 0)
        for (int c = 0; c < C; ++c) segment.first[c] = row[c * width + x];
      double slope = 0, sum[C] = {}, square[C] = {};
      for (; x < width && own[x] == l; ++x) {
        slope += gradient[x];
        for (int c = 0; c < C; ++c) {
          const double value = row[c * width + x], delta = value - segment.first[c];
          sum[c] += value;
          square[c] += delta * delta;
        }
      }
      const double n = static_cast<double>(x - start);
      segment.mass += n;
      segment.x += n * static_cast<double>(start + x - 1) / 2;
      segment.y += n * static_cast<double>(y);
      segment.gradient += slope;
      for (int c = 0; c < C; ++c) {
        segment.sum[c] += sum[c];
        segment.square[c] += square[c];
      }
      if (x < width) cross(l, own[x], right[x]);
    }
    if (y + 1 < height)
      for (int64_t x = 0; x < width; ++x)
        if (own[x] != own[x + width]) cross(own[x], own[x + width], below[x]);
    return true;
  }

  void cross(int64_t a, int64_t b, float step) {
    crossings.push_back({static_cast<int32_t>(std::min(a, b)), static_cast<int32_t>(std::max(a, b)),
                         step});
  }

  void describe(double* mass, double* center, double* mean, double* deviation,
                double* gradient) const {
    for (int64_t k = 0; k < segments; ++k) {
      const Segment<C>& segment = found[k];
      const double n = std::max(segment.mass, 1.0);
      mass[k] = segment.mass;
      center[2 * k] = segment.x / n;
      center[2 * k + 1] = segment.y / n;
      gradient[k] = segment.gradient / n;
      for (int c = 0; c < C; ++c) {
        const double here = segment.sum[c] / n, shift = here - segment.first[c];
        const double variance = segment.square[c] / n - shift * shift;
        mean[k * C + c] = here;
        deviation[k * C + c] = variance < 0 ? 0.0 : std::sqrt(variance);
      }
    }
  }

  int64_t borders(int64_t* low, int64_t* high, double* length, double* strength) const {
    std::vector<int64_t> start(segments + 1, 0);
    for (const Crossing& crossing : crossings) ++start[crossing.low + 1];
    for (int64_t k = 0; k < segments; ++k) start[k + 1] += start[k];
    std::vector<int64_t> next(start.begin(), start.end() - 1);
    std::vector<Crossing> sorted(crossings.size());
    for (const Crossing& crossing : crossings) sorted[next[crossing.low]++] = crossing;
    std::vector<size_t> place(segments, 0);  // in `own`, if that is its segment
    std::vector<Border> own;
    int64_t count = 0;
    for (int64_t k = 0; k < segments; ++k) {
      own.clear();
      for (int64_t i = start[k]; i < start[k + 1]; ++i) {
        const Crossing& crossing = sorted[i];
        size_t& at = place[crossing.high];
        if (at >= own.size() || own[at].high != crossing.high) {
          at = own.size();
          own.push_back({crossing.high, 0.0, 0.0});
        }
        own[at].length += 1;
        own[at].total += crossing.step;
      }
      std::sort(own.begin(), own.end(),
                [](const Border& a, const Border& b) { return a.high < b.high; });
      for (const Border& border : own) {
        low[count] = k;
        high[count] = border.high;
        length[count] = border.length;
        strength[count++] = border.total / border.length;
      }
    }
    return count;
  }
};

}  // namespace
}  // namespace geo

extern "C" int32_t geo_image_regions(const int64_t* label, const float* image, int64_t height,
                                     int64_t width, int32_t channels, int64_t segments,
                                     double* mass, double* center, double* mean, double* deviation,
                                     double* gradient, int64_t* low, int64_t* high, double* length,
                                     double* strength, int64_t* pairs) {
  constexpr int64_t most = std::numeric_limits<int32_t>::max();
  if (height < 0 || width < 0 || (width > 0 && height > most / width) || channels < 1 ||
      channels > 4 || segments < 0 || segments > most)
    return GEO_BAD_ARGUMENT;
  const auto run = [&](auto picture) -> int32_t {
    *pairs = 0;
    if (height > 0 && width > 0 && !picture.read()) return GEO_ID_RANGE;
    picture.found.resize(segments);
    picture.describe(mass, center, mean, deviation, gradient);
    *pairs = picture.borders(low, high, length, strength);
    return GEO_OK;
  };
  return geo::guarded([&]() -> int32_t {
    switch (channels) {
      case 1: return run(geo::Picture<1>{label, image, height, width, segments, {}, {}});
      case 2: return run(geo::Picture<2>{label, image, height, width, segments, {}, {}});
      case 3: return run(geo::Picture<3>{label, image, height, width, segments, {}, {}});
      default: return run(geo::Picture<4>{label, image, height, width, segments, {}, {}});
    }
  });
}
