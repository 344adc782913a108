// Image processors: what happens to a picture between the decoder and the vision tower, as
// preprocessor_config.json (transformers) or preprocess_cfg (open_clip) describes it.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/config.hpp"
#include "image/picture.hpp"
#include "image/resize.hpp"

namespace moa {

// Every step that moa's processors know, in the order in which they run.
struct PictureRecipe {
  // How the size to resize to follows from the picture's.
  enum class Fit {
    none,      // it is not resized
    exact,     // to width_px × height_px, whatever the shape was
    shortest,  // the shorter edge to shortest_px, the longer in proportion, cut off to whole pixels; not
               // above longest_px if that is set
    cover,     // the smallest that covers width_px × height_px in proportion, rounded to even
    contain,   // the largest that fits into width_px × height_px in proportion, rounded to even
  };
  // Which whole pixel the middle is, where it falls between two.
  enum class Middle {
    transformers,  // a crop rounds down; padding puts the odd row on top
    torchvision,   // a crop rounds to even; padding puts the odd row at the bottom
  };

  std::string type;            // the class that the configuration names, for people
  bool pad_to_square = false;  // before resizing, with square_fill on both sides (LLaVA 1.5)
  std::array<std::uint8_t, 3> square_fill{};
  Fit fit = Fit::none;
  std::int64_t width_px = 0;
  std::int64_t height_px = 0;
  std::int64_t shortest_px = 0;
  std::int64_t longest_px = 0;
  ResizeFilter filter = ResizeFilter::bicubic;
  bool crop =
      false;  // to crop_width_px × crop_height_px in the middle; what is smaller is padded with crop_fill
  std::int64_t crop_width_px = 0;
  std::int64_t crop_height_px = 0;
  std::uint8_t crop_fill = 0;
  Middle middle = Middle::transformers;
  bool rescale = true;
  double rescale_factor = 1.0 / 255.0;
  bool divide_by_255 = false;  // instead of multiplying, as torchvision's ToTensor does: the last bit differs
  bool rescale_offset = false;  // minus one after rescaling (EfficientNet)
  bool normalize = true;        // minus mean, over std
  bool divide_by_std = false;   // once more over std (EfficientNet's include_top)
  std::array<double, 3> mean{};
  std::array<double, 3> std{};
};

// What each byte of each channel becomes. Each step is rounded to single precision where the reference
// rounds.
using PixelValues = std::array<std::array<float, 256>, 3>;
PixelValues pixel_values(const PictureRecipe& recipe);
// The same in words: "x0.00392156862745098, mean …, std …".
std::string describe_values(const PictureRecipe& recipe);

// Turns pictures into the pixel values of one vision tower: float32 [3, height_px, width_px], to the last bit
// what the PIL backend of transformers 5 (or open_clip's transform) gives for the same RGB picture.
// Immutable; safe from any thread.
class ImageProcessor {
 public:
  // From preprocessor_config.json, as transformers 4 or 5 writes it. The class it names
  // (image_processor_type, or feature_extractor_type, or `fallback_type` if it names none) gives the
  // defaults: CLIP, Chinese-CLIP, SigLIP, ViT, DeiT, BLIP, Bit, EfficientNet, ConvNeXT, LLaVA. Errors:
  // unsupported (another class, a filter or a size that it does not know, pictures that would come out in
  // different sizes), out_of_range (an edge below 1 or above 4096, a std of 0), corrupt_data.
  static ImageProcessor from_config(const Config& preprocessor_config, std::string_view fallback_type = {});
  // From the preprocess_cfg of open_clip_config.json; where it has no size, the model's image size counts.
  // Errors: as above.
  static ImageProcessor from_open_clip(const Config& preprocess_cfg, std::int64_t image_size_px);

  // Error: invalid_argument if the recipe gives no fixed size.
  explicit ImageProcessor(PictureRecipe recipe);

  // Writes channels · height_px · width_px floats. Errors: invalid_argument if `chw` has another size or the
  // picture is empty; limit_exceeded if a step between would be too large.
  void preprocess(const Picture& picture, std::span<float> chw) const;

  std::int64_t channels() const noexcept { return 3; }
  std::int64_t height_px() const noexcept { return height_px_; }
  std::int64_t width_px() const noexcept { return width_px_; }
  const PictureRecipe& recipe() const noexcept { return recipe_; }
  // A picture whose edges are no shorter is not enlarged on its way; 0: the recipe does not resize, so that
  // its size counts.
  std::int64_t least_edge_px() const noexcept;
  // All that decides the numbers, on one line: "shortest edge to 224 bicubic, centre crop 224x224, …". Two
  // processors with equal descriptions give equal pixels.
  std::string description() const;

 private:
  PictureRecipe recipe_;
  std::int64_t width_px_ = 0;
  std::int64_t height_px_ = 0;
  PixelValues values_;
};

}  // namespace moa
