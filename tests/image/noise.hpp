// Deterministic pictures, the same as tests/parity/pillow_noise.py makes.
#pragma once

#include <cstdint>

#include "image/picture.hpp"

namespace moa {

// RGB noise; an odd seed gives only 0 and 255, where filters overshoot most.
inline Picture noise(std::int64_t width_px, std::int64_t height_px, std::uint32_t seed) {
  Picture picture{width_px, height_px,
                  std::vector<std::uint8_t>(static_cast<std::size_t>(width_px * height_px * 3))};
  for (std::size_t i = 0; i < picture.rgb.size(); ++i) {
    std::uint32_t x = static_cast<std::uint32_t>(i) + seed * 0x9E3779B9u;
    x *= 2654435761u;
    x ^= x >> 15;
    x *= 2246822519u;
    x ^= x >> 13;
    const auto value = static_cast<std::uint8_t>(x & 255);
    picture.rgb[i] = seed % 2 == 0 ? value : value > 127 ? 255 : 0;
  }
  return picture;
}

}  // namespace moa
