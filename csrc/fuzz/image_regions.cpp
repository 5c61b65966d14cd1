// Segments of an image against sums pixel by pixel: masses, means, and every pair that touches.
#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "input.h"

#include <geoinfluencer/api.h>

namespace fuzz {
namespace {

struct Touch {
  double length = 0, total = 0;
};

bool near(double a, double b) { return std::fabs(a - b) <= 1e-5 * (1 + std::fabs(b)); }

}  // namespace

void image_regions(Input& in) {
  static const int64_t sizes[] = {0, 1, 2, 9, 40};
  static const int64_t numbers[] = {1, 2, 7, 300};
  const int64_t height = in.of(sizes), width = in.of(sizes), pixels = height * width;
  const int64_t segments = pixels ? in.of(numbers) : in.byte() % 3;
  const int channels = 1 + static_cast<int>(in.below(4));
  const bool outside = in.byte() % 8 == 0 && pixels > 0;
  Array<int64_t> label(pixels);
  Array<float> image(pixels * channels);
  for (int64_t i = 0; i < pixels; ++i) label[i] = in.below(segments);
  for (int64_t i = 0; i < image.size(); ++i) image[i] = static_cast<float>(30 * in.gauss());
  if (outside) label[in.below(pixels)] = in.flag() ? -1 : segments;

  const int64_t room = std::min(2 * pixels, segments * (segments - 1) / 2);
  Array<double> mass(segments), center(2 * segments), mean(channels * segments),
      deviation(channels * segments), gradient(segments), length(room), strength(room);
  Array<int64_t> low(room), high(room);
  int64_t pairs = -7;
  const int32_t code = geo_image_regions(
      label.data(), image.data(), height, width, channels, segments, mass.data(), center.data(),
      mean.data(), deviation.data(), gradient.data(), low.data(), high.data(), length.data(),
      strength.data(), &pairs);
  GEO_REQUIRE(code == (outside ? GEO_ID_RANGE : GEO_OK), "image_regions: code %d", code);
  if (outside) return;

  std::map<std::pair<int64_t, int64_t>, Touch> touches;
  std::vector<double> count(segments, 0.0), red(segments, 0.0), steps(segments, 0.0);
  for (int64_t i = 0; i < pixels; ++i) {
    const int64_t y = i / width, x = i % width;
    const int64_t beside[] = {x > 0 ? i - 1 : -1, x + 1 < width ? i + 1 : -1,
                              y > 0 ? i - width : -1, y + 1 < height ? i + width : -1};
    double slope = 0, neighbours = 0;
    for (const int64_t j : beside) {
      if (j < 0) continue;
      double squared = 0;
      for (int c = 0; c < channels; ++c) {
        const double d = double(image[i * channels + c]) - image[j * channels + c];
        squared += d * d;
      }
      slope += std::sqrt(squared);
      ++neighbours;
      if (j > i && label[i] != label[j]) {
        Touch& touch = touches[std::minmax({label[i], label[j]})];
        ++touch.length;
        touch.total += std::sqrt(squared);
      }
    }
    count[label[i]] += 1;
    red[label[i]] += image[i * channels];
    steps[label[i]] += neighbours > 0 ? slope / neighbours : 0;
  }
  for (int64_t k = 0; k < segments; ++k) {
    const double n = std::max(count[k], 1.0);
    GEO_REQUIRE(mass[k] == count[k], "image_regions: segment %lld has %g pixels", ll(k), mass[k]);
    GEO_REQUIRE(near(mean[k * channels], red[k] / n), "image_regions: mean of %lld", ll(k));
    GEO_REQUIRE(near(gradient[k], steps[k] / n), "image_regions: gradient of %lld", ll(k));
  }
  GEO_REQUIRE(pairs == static_cast<int64_t>(touches.size()), "image_regions: %lld pairs", ll(pairs));
  int64_t at = 0;
  for (const auto& [pair, touch] : touches) {
    GEO_REQUIRE(low[at] == pair.first && high[at] == pair.second, "image_regions: pair %lld",
                ll(at));
    GEO_REQUIRE(length[at] == touch.length && near(strength[at], touch.total / touch.length),
                "image_regions: border %lld", ll(at));
    ++at;
  }
}

}  // namespace fuzz
