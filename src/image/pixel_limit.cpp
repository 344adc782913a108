#include "image/pixel_limit.hpp"

#include <algorithm>
#include <new>
#include <string>

#include "base/number_text.hpp"

namespace moa {
namespace {

[[noreturn]] void fail(ErrorCode code, PictureKind kind, std::int64_t width_px, std::int64_t height_px,
                       const std::string& reason) {
  throw Error(code, "cannot decode a " + std::string(name(kind)) + " picture of " + std::to_string(width_px) +
                        "x" + std::to_string(height_px) + " pixels: " + reason);
}

std::string limit_in_words(double max_megapixels) {
  return "the limit is " + shortest_digits(max_megapixels) + " megapixels";
}

}  // namespace

void check_declared_size(PictureKind kind, std::int64_t width_px, std::int64_t height_px,
                         const DecodeOptions& options) {
  if (width_px <= 0 || height_px <= 0)
    fail(ErrorCode::corrupt_data, kind, width_px, height_px, "it declares no pixels");
  constexpr double kMostMegapixels = 1e9;  // whatever is asked for, arithmetic on sizes must not overflow
  const double megapixels = static_cast<double>(width_px) * static_cast<double>(height_px) / 1e6;
  if (!(megapixels <= std::min(options.max_megapixels, kMostMegapixels))) {
    fail(ErrorCode::limit_exceeded, kind, width_px, height_px, limit_in_words(options.max_megapixels));
  }
}

bool is_of_pixel_limit(std::string_view message) {
  return message.find("pixels: the limit is ") != message.npos;
}

bool is_of_another_pixel_limit(std::string_view message, double max_megapixels) {
  return is_of_pixel_limit(message) && !message.ends_with(limit_in_words(max_megapixels));
}

Picture blank_picture(PictureKind kind, std::int64_t width_px, std::int64_t height_px,
                      const DecodeOptions& options) {
  check_declared_size(kind, width_px, height_px, options);
  Picture picture{width_px, height_px, {}};
  try {
    picture.rgb.resize(static_cast<std::size_t>(width_px) * static_cast<std::size_t>(height_px) * 3);
  } catch (const std::exception&) {  // bad_alloc, length_error
    fail(ErrorCode::limit_exceeded, kind, width_px, height_px, "there is no memory for it");
  }
  return picture;
}

}  // namespace moa
