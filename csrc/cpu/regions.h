// Connected regions of an image of labels.
#pragma once

#include <cstdint>
#include <vector>

namespace geo {

// Splits labels (H, W) into connected regions (4 neighbours), numbered by their first pixel, and
// joins each region of fewer than min_size pixels to the neighbour of the nearest mean colour (the
// first of equal ones) until none is left. image (H, W, channels). Returns the number of regions.
int64_t connect(const float* image, int64_t height, int64_t width, int channels, int64_t min_size,
                std::vector<int32_t>& label);

}  // namespace geo
