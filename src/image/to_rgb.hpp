// From what a file stores to RGB, as Pillow's convert("RGB") and transformers 5 do it.
#pragma once

#include <cstdint>
#include <span>

#include "image/codec.hpp"

namespace moa {

// How the samples of a row become bytes.
struct RowFormat {
  std::int32_t samples;  // a pixel
  SampleType type;
  ColorModel color;
  // 16-bit values: Pillow keeps the high byte of colours and of gray with alpha, but reads gray alone as a
  // wide integer, which convert("RGB") clips at 255.
};

// Converts `width_px` pixels from `from` to RGB at `to`. Alpha is composited on white with the rounding of
// Image.alpha_composite; CMYK is the naive (255 - C)·(255 - K)/255; numbers wider than a byte are clipped as
// above.
void row_to_rgb(const RowFormat& format, const std::uint8_t* from, std::int64_t width_px,
                std::uint8_t* to) noexcept;

// One channel over white.
std::uint8_t over_white(std::uint8_t value, std::uint8_t alpha) noexcept;

}  // namespace moa
