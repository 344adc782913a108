// Resizing with Pillow's bits: the vectors of every published model depend on how its pictures were resized,
// and Pillow is what they were trained and are evaluated with. Checked against Pillow 13
// (src/libImaging/Resample.c): 0 differing bytes.
#pragma once

#include <cstdint>

#include "image/picture.hpp"

namespace moa {

enum class ResizeFilter { nearest, box, bilinear, hamming, bicubic, lanczos };

// "bicubic", …
std::string_view name(ResizeFilter filter) noexcept;

// What Image.resize((width_px, height_px), filter) gives. Errors: invalid_argument if a size is not positive
// or the picture is empty; limit_exceeded above 256 megapixels.
Picture resize(const Picture& picture, std::int64_t width_px, std::int64_t height_px, ResizeFilter filter);

// A part of a picture, in pixels from its upper left corner.
struct PixelRegion {
  std::int64_t left = 0;
  std::int64_t top = 0;
  std::int64_t width_px = 0;
  std::int64_t height_px = 0;
};

// The pixels of `region`. Error: invalid_argument if it is empty or not inside the picture.
Picture crop(const Picture& picture, const PixelRegion& region);

// `region` of what resize() gives, to the same bytes, computing nothing that lies outside it. Only the region
// counts towards the limit on pixels. Error: also invalid_argument if the region is empty or not inside
// width_px × height_px.
Picture resize_region(const Picture& picture, std::int64_t width_px, std::int64_t height_px,
                      ResizeFilter filter, const PixelRegion& region);

}  // namespace moa
