// Random changes of a picture that leave its meaning: what a model sees of it in training.
#pragma once

#include <cstdint>

#include "image/picture.hpp"
#include "image/resize.hpp"
#include "train/random.hpp"

namespace moa::train {

// The names and defaults of torchvision's transforms; those of the crop are open_clip's.
struct AugmentationOptions {
  // Without it the picture is preprocessed as for embedding.
  bool random_resized_crop = true;
  double least_scale = 0.9;  // of the picture's area that the crop covers
  double most_scale = 1.0;
  double least_ratio = 3.0 / 4.0;  // of the crop's width to its height
  double most_ratio = 4.0 / 3.0;
  double flip_probability = 0;  // left and right
  // A factor is drawn from 1 - x (not below 0) to 1 + x; hue: turns from -x to x, at most 0.5.
  double brightness = 0;
  double contrast = 0;
  double saturation = 0;
  double hue = 0;
  double jitter_probability = 1;  // of the four above, in an order that is drawn

  bool changes_nothing() const {
    return !random_resized_crop && flip_probability == 0 && !(changes_colors() && jitter_probability > 0);
  }
  bool changes_colors() const { return brightness > 0 || contrast > 0 || saturation > 0 || hue > 0; }
};

// The part that RandomResizedCrop.get_params() would choose with these numbers: ten tries for an area and a
// ratio, then the middle of what is nearest to the ratios.
PixelRegion random_crop(std::int64_t width_px, std::int64_t height_px, const AugmentationOptions& options,
                        Random& random);

// The picture, cropped and resized to width_px × height_px if the options say so, flipped and with other
// colours: crop, flip, colours, in this order. `random` decides all of it.
Picture augment(Picture picture, std::int64_t width_px, std::int64_t height_px, ResizeFilter filter,
                const AugmentationOptions& options, Random& random);

}  // namespace moa::train
