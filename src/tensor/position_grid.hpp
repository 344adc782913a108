// Position tables for pictures of another size than they were learned with.
#pragma once

#include <cstdint>
#include <vector>

namespace moa {

// In cells.
struct GridSize {
  std::int64_t height = 0;
  std::int64_t width = 0;
};

// `cells` [height, width, channels] of `from`, resized as Ops::add_position_grid says for pictures: bicubic,
// A = -0.75. Both sizes are at least 1 x 1.
std::vector<float> resized_bicubic(const std::vector<float>& cells, const GridSize& from,
                                   const GridSize& to_size);

}  // namespace moa
