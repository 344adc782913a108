// Image processors for towers that take pictures in their own shapes, cut into patches (SigLIP 2 NaFlex).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/config.hpp"
#include "image/picture.hpp"
#include "image/processor.hpp"

namespace moa {

// A picture cut into squares, in reading order; of each its pixels in reading order, channels innermost.
struct PatchedPicture {
  std::int64_t height_patches = 0;
  std::int64_t width_patches = 0;
  std::vector<float> values;
};

// Resizes a picture, in proportion but for what rounding to whole patches takes, to as many patches as fit
// into the limit; to the last bit what the PIL backend of transformers 5 gives. Immutable; safe from any
// thread.
class PatchProcessor {
 public:
  // From preprocessor_config.json of Siglip2ImageProcessor. Errors: unsupported (another class, a filter that
  // it does not know, do_resize false), out_of_range (a patch above 1024 pixels, more than 65536 patches, a
  // std of 0), corrupt_data.
  static PatchProcessor from_config(const Config& preprocessor_config);

  // Errors: invalid_argument if the picture is empty.
  PatchedPicture preprocess(const Picture& picture) const;

  std::int64_t patch_px() const noexcept { return patch_px_; }
  std::int64_t max_patches() const noexcept { return max_patches_; }
  // All that decides the numbers, on one line.
  std::string description() const;

 private:
  PatchProcessor(const PictureRecipe& recipe, std::int64_t patch_px, std::int64_t max_patches);

  PictureRecipe recipe_;  // its filter and what becomes of the bytes; sizes follow from each picture
  std::int64_t patch_px_;
  std::int64_t max_patches_;
  PixelValues values_;
};

}  // namespace moa
