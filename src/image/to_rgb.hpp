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
  // 16-bit colours keep their high byte, and so does gray beside an alpha channel. Gray alone is a wide
  // integer to Pillow, which convert("RGB") clips at 255; with a transparent level named (PNG's tRNS) it
  // still is, though the codec sends an alpha channel.
  bool gray_is_wide = false;
};

// Converts `width_px` pixels from `from` to RGB at `to`. Alpha is composited on white with the rounding of
// Image.alpha_composite; CMYK is the naive (255 - C)·(255 - K)/255; numbers wider than a byte are clipped as
// above.
void row_to_rgb(const RowFormat& format, const std::uint8_t* from, std::int64_t width_px,
                std::uint8_t* to) noexcept;

// One channel over white.
std::uint8_t over_white(std::uint8_t value, std::uint8_t alpha) noexcept;

}  // namespace moa
