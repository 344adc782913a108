#include "embed/picture_batch.hpp"

#include <algorithm>

namespace moa {

PictureBatch PictureBatch::of(std::span<const PreparedImage> pictures, const ImageTowerFacts& tower) {
  PictureBatch batch;
  const auto count = static_cast<std::int64_t>(pictures.size());
  if (!tower.takes_patches()) {
    batch.shape = {count, tower.channels, pictures.front().height_px, pictures.front().width_px};
    for (const PreparedImage& picture : pictures) {
      batch.values.insert(batch.values.end(), picture.values.begin(), picture.values.end());
    }
    return batch;
  }
  const std::int64_t width = tower.channels * tower.patch_px * tower.patch_px;
  std::int64_t most = 0;
  for (const PreparedImage& picture : pictures) most = std::max(most, picture.grid.patches());
  batch.shape = {count, most, width};
  batch.values.resize(static_cast<std::size_t>(count * most * width));
  float* to = batch.values.data();
  for (const PreparedImage& picture : pictures) {
    std::copy(picture.values.begin(), picture.values.end(), to);
    to += most * width;
    for (std::int64_t i = 0; i < most; ++i) batch.mask.push_back(i < picture.grid.patches() ? 1 : 0);
    batch.grids.insert(batch.grids.end(), {picture.grid.height, picture.grid.width});
  }
  return batch;
}

}  // namespace moa
