// Prepared pictures beside each other, as a graph takes them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "embed/engine.hpp"

namespace moa {

struct PictureBatch {
  std::vector<float> values;
  std::vector<std::int64_t> shape;  // [pictures, channels, height, width]; of patches [pictures, most, width]
  // Of patches, which are padded behind the picture that has the most: 1 for a patch and 0 for padding,
  // [pictures, most]; how many each picture has down and across, [pictures, 2].
  std::vector<std::int64_t> mask;
  std::vector<std::int64_t> grids;

  // One or more pictures, all of one size if `tower` takes no patches.
  static PictureBatch of(std::span<const PreparedImage> pictures, const ImageTowerFacts& tower);
};

}  // namespace moa
