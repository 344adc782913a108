#include "train/augmentation.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "image/color_adjust.hpp"

namespace moa::train {
namespace {

void jitter(Picture& picture, const AugmentationOptions& options, Random& random) {
  std::array<int, 4> order = {0, 1, 2, 3};
  for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
  const auto factor = [&](double reach) {
    return static_cast<float>(random.uniform(std::max(0.0, 1 - reach), 1 + reach));
  };
  for (const int which : order) {
    if (which == 0 && options.brightness > 0) adjust_brightness(picture, factor(options.brightness));
    if (which == 1 && options.contrast > 0) adjust_contrast(picture, factor(options.contrast));
    if (which == 2 && options.saturation > 0) adjust_saturation(picture, factor(options.saturation));
    if (which == 3 && options.hue > 0) adjust_hue(picture, random.uniform(-options.hue, options.hue));
  }
}

}  // namespace

PixelRegion random_crop(std::int64_t width_px, std::int64_t height_px, const AugmentationOptions& options,
                        Random& random) {
  const auto width = static_cast<double>(width_px);
  const auto height = static_cast<double>(height_px);
  constexpr int kTries = 10;
  for (int i = 0; i < kTries; ++i) {
    const double area = width * height * random.uniform(options.least_scale, options.most_scale);
    const double ratio =
        std::exp(random.uniform(std::log(options.least_ratio), std::log(options.most_ratio)));
    // nearbyint rounds halves to even, as Python does.
    const auto crop_width = static_cast<std::int64_t>(std::nearbyint(std::sqrt(area * ratio)));
    const auto crop_height = static_cast<std::int64_t>(std::nearbyint(std::sqrt(area / ratio)));
    if (crop_width < 1 || crop_width > width_px || crop_height < 1 || crop_height > height_px) continue;
    const auto top = random.below(static_cast<std::uint64_t>(height_px - crop_height + 1));
    const auto left = random.below(static_cast<std::uint64_t>(width_px - crop_width + 1));
    return {static_cast<std::int64_t>(left), static_cast<std::int64_t>(top), crop_width, crop_height};
  }
  std::int64_t crop_width = width_px;
  std::int64_t crop_height = height_px;
  if (width / height < options.least_ratio) {
    crop_height = std::clamp(static_cast<std::int64_t>(std::nearbyint(width / options.least_ratio)),
                             std::int64_t{1}, height_px);
  } else if (width / height > options.most_ratio) {
    crop_width = std::clamp(static_cast<std::int64_t>(std::nearbyint(height * options.most_ratio)),
                            std::int64_t{1}, width_px);
  }
  return {(width_px - crop_width) / 2, (height_px - crop_height) / 2, crop_width, crop_height};
}

Picture augment(Picture picture, std::int64_t width_px, std::int64_t height_px, ResizeFilter filter,
                const AugmentationOptions& options, Random& random) {
  if (options.random_resized_crop) {
    const PixelRegion region = random_crop(picture.width_px, picture.height_px, options, random);
    picture = resize(crop(picture, region), width_px, height_px, filter);
  }
  if (random.uniform() < options.flip_probability) flip_left_right(picture);
  if (options.changes_colors() && random.uniform() < options.jitter_probability)
    jitter(picture, options, random);
  return picture;
}

}  // namespace moa::train
