#include "image/patch_processor.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "image/resize.hpp"

namespace moa {
namespace {

// How many patches an edge has at a scale: what is begun counts, and there is at least one.
std::int64_t patches_at(double scale, std::int64_t edge_px, std::int64_t patch_px) {
  const double patches = std::ceil(static_cast<double>(edge_px) * scale / static_cast<double>(patch_px));
  return std::max<std::int64_t>(1, static_cast<std::int64_t>(patches));
}

struct Grid {
  std::int64_t height;
  std::int64_t width;
};

// The largest scale at which a picture has at most so many patches, by the reference's own bisection: it
// decides which of two neighbouring grids a picture gets.
Grid fitting_grid(const Picture& picture, std::int64_t patch_px, std::int64_t max_patches) {
  constexpr double kPrecision = 1e-5;
  double low = kPrecision / 10;
  double high = 100.0;
  const auto grid_at = [&](double scale) {
    return Grid{patches_at(scale, picture.height_px, patch_px),
                patches_at(scale, picture.width_px, patch_px)};
  };
  while (high - low >= kPrecision) {
    const double scale = (low + high) / 2;
    const Grid grid = grid_at(scale);
    const double patches = static_cast<double>(grid.height) * static_cast<double>(grid.width);
    (patches <= static_cast<double>(max_patches) ? low : high) = scale;
  }
  return grid_at(low);
}

}  // namespace

PatchProcessor::PatchProcessor(const PictureRecipe& recipe, std::int64_t patch_px, std::int64_t max_patches)
    : recipe_(recipe), patch_px_(patch_px), max_patches_(max_patches), values_(pixel_values(recipe)) {}

PatchedPicture PatchProcessor::preprocess(const Picture& picture) const {
  if (picture.width_px <= 0 || picture.height_px <= 0) {
    throw Error(ErrorCode::invalid_argument, "cannot preprocess a picture: it has no pixels");
  }
  const Grid grid = fitting_grid(picture, patch_px_, max_patches_);
  const std::int64_t width_px = grid.width * patch_px_;
  const Picture resized = resize(picture, width_px, grid.height * patch_px_, recipe_.filter);
  PatchedPicture patched{grid.height, grid.width, {}};
  patched.values.resize(resized.rgb.size());
  float* to = patched.values.data();
  for (std::int64_t patch = 0; patch < grid.height * grid.width; ++patch) {
    const std::int64_t top = patch / grid.width * patch_px_;
    const std::int64_t left = patch % grid.width * patch_px_;
    for (std::int64_t y = top; y < top + patch_px_; ++y) {
      const std::uint8_t* from = resized.rgb.data() + (y * width_px + left) * 3;
      for (std::int64_t i = 0; i < patch_px_; ++i, from += 3, to += 3) {
        for (std::size_t channel = 0; channel < 3; ++channel) to[channel] = values_[channel][from[channel]];
      }
    }
  }
  return patched;
}

std::string PatchProcessor::description() const {
  return "own shape in at most " + std::to_string(max_patches_) + " patches of " + std::to_string(patch_px_) +
         " px, " + std::string(name(recipe_.filter)) + ", " + describe_values(recipe_);
}

}  // namespace moa
