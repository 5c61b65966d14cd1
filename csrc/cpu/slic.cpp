// Superpixels: pixels start in the cells of a grid, and each may only join the centres of its own
// cell and of the eight around it. A cell keeps its sums for those nine apart, and a centre adds up
// what the nine cells around it hold, in a fixed order: no locks, and no number of threads changes
// a bit.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "api.h"
#include "cpu/regions.h"
#include "cpu/slic_kernel.h"
#include "cpu/team.h"

namespace geo {
namespace {

constexpr int kSlots = 9;  // a cell and those around it, row by row; 4 is itself

int64_t rounded(double v, int64_t most) {
  return std::max<int64_t>(1, std::min(most, static_cast<int64_t>(std::floor(v + 0.5))));
}

template <int C>
struct Superpixels {
  static constexpr int kValues = C + 2;  // the channels, x, y
  static constexpr int kSums = C + 3;    // of those, and of 1

  int64_t height, width, rows, columns;  // rows, columns: of cells
  float scale;                           // (compactness / step)^2
  int threads;
  std::vector<int64_t> start;  // (cells + 1): of the pixels of a cell, padded
  std::vector<float> values;   // from kValues start[cell] on: (kValues, padded pixels of the cell)
  std::vector<float> center;   // (cells, kValues)
  std::vector<double> sums;    // (cells, kSlots, kSums)

  Superpixels(const float* image, int64_t height, int64_t width, int64_t segments,
              double compactness, int threads)
      : height(height), width(width), threads(threads) {
    const double wanted = static_cast<double>(segments), h = static_cast<double>(height),
                 w = static_cast<double>(width);
    rows = rounded(std::sqrt(wanted * h / w), height);
    columns = rounded(wanted / static_cast<double>(rows), width);
    const double relative = compactness / std::sqrt(h * w / wanted);
    scale = static_cast<float>(relative * relative);
    start.assign(1, 0);
    for (int64_t row = 0; row < rows; ++row)
      for (int64_t column = 0; column < columns; ++column) {
        const int64_t area = (top(row + 1) - top(row)) * (left(column + 1) - left(column));
        start.push_back(start.back() + (area + kSlicPad - 1) / kSlicPad * kSlicPad);
      }
    values.assign(kValues * start.back(), 0.0f);
    each_pixel([&](int64_t cell, int64_t i, int64_t y, int64_t x) {
      const float at[2] = {static_cast<float>(x), static_cast<float>(y)};
      const int64_t stride = start[cell + 1] - start[cell];
      float* own = &values[kValues * start[cell] + i];
      for (int c = 0; c < C; ++c) own[c * stride] = image[(y * width + x) * C + c];
      for (int c = 0; c < 2; ++c) own[(C + c) * stride] = at[c];
    });
    center.resize(rows * columns * kValues);
    sums.resize(rows * columns * kSlots * kSums);
  }

  int64_t top(int64_t row) const { return row * height / rows; }
  int64_t left(int64_t column) const { return column * width / columns; }

  // body(cell, number in the cell, y, x)
  template <class F>
  void each_pixel(F body) const {
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t row = 0; row < rows; ++row)
      for (int64_t column = 0; column < columns; ++column) {
        int64_t i = 0;
        for (int64_t y = top(row); y < top(row + 1); ++y)
          for (int64_t x = left(column); x < left(column + 1); ++x)
            body(row * columns + column, i++, y, x);
      }
  }

  // The slot of the nearest centre for all pixels of a cell.
  void nearest(int64_t row, int64_t column, std::vector<float>& best, float* slot) const {
    const int64_t cell = row * columns + column, n = start[cell + 1] - start[cell];
    best.assign(n, std::numeric_limits<float>::infinity());
    for (int j = 0; j < kSlots; ++j) {
      const int64_t r = row + j / 3 - 1, k = column + j % 3 - 1;
      if (r < 0 || r >= rows || k < 0 || k >= columns) continue;
      const float* of = &center[(r * columns + k) * kValues];
      const Offer task{&values[kValues * start[cell]], n, C, of, scale, static_cast<float>(j),
                       best.data(), slot};
      GEO_RUN(offer, task);
    }
  }

  // Sums the pixels of a cell up by slot.
  void add_up(int64_t cell, int64_t area, const float* slot) {
    double* own = &sums[cell * kSlots * kSums];
    std::fill_n(own, kSlots * kSums, 0.0);
    const int64_t n = start[cell + 1] - start[cell];
    const float* value = &values[kValues * start[cell]];
    for (int64_t i = 0; i < area; ++i) {
      double* sum = own + static_cast<int>(slot[i]) * kSums;
      for (int c = 0; c < kValues; ++c) sum[c] += value[c * n + i];
      sum[kValues] += 1.0;
    }
  }

  // A centre that lost all its pixels stays where it was.
  void recenter(int64_t row, int64_t column) {
    double total[kSums] = {};
    for (int j = 0; j < kSlots; ++j) {
      const int64_t r = row + j / 3 - 1, k = column + j % 3 - 1;
      if (r < 0 || r >= rows || k < 0 || k >= columns) continue;
      const double* part = &sums[((r * columns + k) * kSlots + 8 - j) * kSums];
      for (int s = 0; s < kSums; ++s) total[s] += part[s];
    }
    float* of = &center[(row * columns + column) * kValues];
    if (total[kValues] > 0)
      for (int s = 0; s < kValues; ++s) of[s] = static_cast<float>(total[s] / total[kValues]);
  }

  void run(int iterations, std::vector<int32_t>& label) {
    std::vector<float> slot(start.back(), 4.0f);  // at first pixels belong to their cell
    for (int pass = 0; pass <= iterations; ++pass) {
      in_rows([&](int64_t row, std::vector<float>& best) {
        for (int64_t column = 0; column < columns; ++column) {
          const int64_t cell = row * columns + column;
          if (pass > 0) nearest(row, column, best, &slot[start[cell]]);
          const int64_t area = (top(row + 1) - top(row)) * (left(column + 1) - left(column));
          add_up(cell, area, &slot[start[cell]]);
        }
      });
      for (int64_t row = 0; row < rows; ++row)
        for (int64_t column = 0; column < columns; ++column) recenter(row, column);
    }
    each_pixel([&](int64_t cell, int64_t i, int64_t y, int64_t x) {
      const int j = static_cast<int>(slot[start[cell] + i]);
      label[y * width + x] = static_cast<int32_t>(cell + (j / 3 - 1) * columns + j % 3 - 1);
    });
  }

  // body(row of cells, scratch); running out of memory gets out.
  template <class F>
  void in_rows(F body) {
    deal_out(rows, threads, [&](int64_t row) {
      std::vector<float> best;
      body(row, best);
    });
  }
};

template <int C>
void segment(const float* image, int64_t height, int64_t width, int64_t segments,
             double compactness, int iterations, int64_t min_size, int threads, int64_t* label,
             int64_t* count) {
  const int64_t pixels = height * width;
  std::vector<int32_t> found(pixels);
  Superpixels<C> superpixels(image, height, width, segments, compactness,
                             pixels < (1 << 14) ? 1 : threads);
  superpixels.run(iterations, found);
  *count = connect(image, height, width, C, min_size, found);
  std::copy(found.begin(), found.end(), label);
}

}  // namespace
}  // namespace geo

extern "C" int32_t geo_slic(const float* image, int64_t height, int64_t width, int32_t channels,
                            int64_t segments, double compactness, int32_t iterations,
                            int64_t min_size, int32_t threads, int64_t* label, int64_t* count) {
  constexpr int64_t most = std::numeric_limits<int32_t>::max();
  if (height < 0 || width < 0 || (width > 0 && height > most / width) || channels < 1 ||
      channels > 4 || segments < 1 || !(compactness >= 0 && compactness <= 1e6) ||
      iterations < 0 || threads < 1)
    return GEO_BAD_ARGUMENT;
  *count = 0;
  if (height == 0 || width == 0) return GEO_OK;
  const auto run = channels == 1   ? geo::segment<1>
                   : channels == 2 ? geo::segment<2>
                   : channels == 3 ? geo::segment<3>
                                   : geo::segment<4>;
  return geo::guarded([&]() -> int32_t {
    run(image, height, width, segments, compactness, iterations, min_size, threads, label, count);
    return GEO_OK;
  });
}
