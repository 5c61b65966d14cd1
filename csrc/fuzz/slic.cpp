// Superpixels: segments are connected, large enough, numbered by their first pixel, and the same
// for any number of threads.
#include <algorithm>
#include <cmath>

#include "input.h"

#include <geoinfluencer/api.h>

namespace fuzz {
namespace {

// Pixels of the 4-connected part of equal labels that holds `from`; marks them.
int64_t fill(const Array<int64_t>& label, int64_t height, int64_t width, int64_t from,
             std::vector<bool>& seen) {
  std::vector<int64_t> todo{from};
  seen[from] = true;
  int64_t area = 0;
  while (!todo.empty()) {
    const int64_t at = todo.back(), y = at / width, x = at % width;
    todo.pop_back();
    ++area;
    const int64_t next[] = {y > 0 ? at - width : -1, y + 1 < height ? at + width : -1,
                            x > 0 ? at - 1 : -1, x + 1 < width ? at + 1 : -1};
    for (const int64_t other : next)
      if (other >= 0 && !seen[other] && label[other] == label[from]) {
        seen[other] = true;
        todo.push_back(other);
      }
  }
  return area;
}

}  // namespace

void slic(Input& in) {
  static const double compactness[] = {0.0, 1.0, 10.0, 1e6};
  static const int64_t sizes[] = {0, 1, 2, 9, 40, 200};
  const int64_t height = in.of(sizes), width = in.of(sizes);
  const int channels = 1 + static_cast<int>(in.below(4));
  const int64_t pixels = height * width, wanted = 1 + in.below(2 * pixels + 2);
  const int64_t min_size = in.flag() ? in.below(pixels + 2) : in.below(5);
  const double weight = in.of(compactness);
  const int iterations = in.byte() % 4;
  const bool flat = in.flag(), broken = in.byte() % 8 == 0;
  Array<float> image(pixels * channels);
  for (int64_t i = 0; i < image.size(); ++i)
    image[i] = static_cast<float>(flat ? in.below(3) : 30 * in.gauss());
  if (broken && image.size()) image[in.below(image.size())] = in.flag() ? NAN : INFINITY;

  Array<int64_t> label(pixels, -7), again(pixels, -7);
  int64_t count = -7, count_again = -7;
  const int32_t code = geo_slic(image.data(), height, width, channels, wanted, weight, iterations,
                                min_size, 1, label.data(), &count);
  GEO_REQUIRE(code == GEO_OK, "slic: code %d", code);
  geo_slic(image.data(), height, width, channels, wanted, weight, iterations, min_size, 3,
           again.data(), &count_again);
  GEO_REQUIRE(count == count_again && same(label, again), "slic: differs with threads");
  std::vector<bool> seen(pixels, false);
  int64_t found = 0;
  for (int64_t i = 0; i < pixels; ++i) {
    if (seen[i]) continue;
    GEO_REQUIRE(label[i] == found, "slic: pixel %lld begins segment %lld, is in %lld", ll(i),
                ll(found), ll(label[i]));
    const int64_t area = fill(label, height, width, i, seen);
    GEO_REQUIRE(broken || area >= std::min(min_size, pixels), "slic: segment %lld has %lld pixels",
                ll(found), ll(area));
    ++found;
  }
  GEO_REQUIRE(found == count, "slic: %lld segments, count %lld", ll(found), ll(count));
}

}  // namespace fuzz
