#include "image/color_adjust.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>

#include <moa/error.hpp>

namespace moa {
namespace {

using Byte = std::uint8_t;

// Pillow's convert("L"): ITU-R 601-2 in 16 bits.
Byte lightness(const Byte* rgb) {
  return static_cast<Byte>((rgb[0] * 19595U + rgb[1] * 38470U + rgb[2] * 7471U + 0x8000U) >> 16);
}

// Image.blend: from `from` (factor 0) over `to` (factor 1) and beyond. In single precision and cut off.
Byte blend(Byte from, Byte to, float factor) {
  const float value = static_cast<float>(from) + factor * static_cast<float>(int{to} - int{from});
  if (value <= 0) return 0;
  return value >= 255 ? 255 : static_cast<Byte>(value);
}

void check(float factor) {
  if (std::isfinite(factor) && factor >= 0) return;
  throw Error(ErrorCode::invalid_argument,
              "cannot change a picture's colours by " + std::to_string(factor) + ", expected 0 or more");
}

// Blends every pixel with what `base(pixel)` gives.
template <typename Base>
void blend_with(Picture& picture, float factor, Base base) {
  for (std::size_t i = 0; i < picture.rgb.size(); i += 3) {
    Byte* pixel = picture.rgb.data() + i;
    const Byte from = base(pixel);
    for (int c = 0; c < 3; ++c) pixel[c] = blend(from, pixel[c], factor);
  }
}

struct Hsv {
  Byte hue, saturation, value;
};

// As Pillow's convert("HSV"), whose numbers are single where it says float, and double where a constant is.
Hsv to_hsv(const Byte* rgb) {
  const Byte most = std::max({rgb[0], rgb[1], rgb[2]});
  const Byte least = std::min({rgb[0], rgb[1], rgb[2]});
  if (most == least) return {0, 0, most};
  const auto range = static_cast<float>(most - least);
  const float red = static_cast<float>(most - rgb[0]) / range;
  const float green = static_cast<float>(most - rgb[1]) / range;
  const float blue = static_cast<float>(most - rgb[2]) / range;
  float sixths = 0;
  if (rgb[0] == most) {
    sixths = blue - green;
  } else if (rgb[1] == most) {
    sixths = static_cast<float>(2.0 + red - blue);
  } else {
    sixths = static_cast<float>(4.0 + green - red);
  }
  const auto hue = static_cast<float>(std::fmod(sixths / 6.0 + 1.0, 1.0));
  const float saturation = range / static_cast<float>(most);
  return {static_cast<Byte>(static_cast<int>(hue * 255.0)),
          static_cast<Byte>(static_cast<int>(saturation * 255.0)), most};
}

// As Pillow's convert("RGB") of it.
void to_rgb(const Hsv& hsv, Byte* rgb) {
  const Byte v = hsv.value;
  const auto store = [&](Byte r, Byte g, Byte b) {
    rgb[0] = r;
    rgb[1] = g;
    rgb[2] = b;
  };
  if (hsv.saturation == 0) return store(v, v, v);
  const double sixths = static_cast<float>(hsv.hue) * 6.0 / 255.0;
  const int sector = static_cast<int>(std::floor(sixths));
  const auto rest = static_cast<float>(sixths - static_cast<float>(sector));
  const auto saturation = static_cast<float>(static_cast<float>(hsv.saturation) / 255.0);
  const auto part = [&](double share) {
    const double value = std::round(static_cast<float>(v) * (1.0 - share));
    return static_cast<Byte>(std::clamp(value, 0.0, 255.0));
  };
  const Byte p = part(saturation);
  const Byte q = part(static_cast<double>(saturation * rest));
  const Byte t = part(saturation * (1.0 - rest));
  switch (sector % 6) {
    case 0:
      return store(v, t, p);
    case 1:
      return store(q, v, p);
    case 2:
      return store(p, v, t);
    case 3:
      return store(p, q, v);
    case 4:
      return store(t, p, v);
    default:
      return store(v, p, q);
  }
}

}  // namespace

void adjust_brightness(Picture& picture, float factor) {
  check(factor);
  blend_with(picture, factor, [](const Byte*) { return Byte{0}; });
}

void adjust_contrast(Picture& picture, float factor) {
  check(factor);
  double sum = 0;
  for (std::size_t i = 0; i < picture.rgb.size(); i += 3) sum += lightness(picture.rgb.data() + i);
  const double pixels = static_cast<double>(picture.rgb.size()) / 3;
  const auto mean = static_cast<Byte>(pixels > 0 ? sum / pixels + 0.5 : 0);
  blend_with(picture, factor, [mean](const Byte*) { return mean; });
}

void adjust_saturation(Picture& picture, float factor) {
  check(factor);
  blend_with(picture, factor, lightness);
}

void adjust_hue(Picture& picture, double turns) {
  if (!(turns >= -0.5 && turns <= 0.5)) {
    throw Error(ErrorCode::invalid_argument,
                "cannot turn a picture's hue by " + std::to_string(turns) + " turns, expected -0.5 to 0.5");
  }
  const auto shift = static_cast<Byte>(static_cast<int>(turns * 255));
  for (std::size_t i = 0; i < picture.rgb.size(); i += 3) {
    Hsv hsv = to_hsv(picture.rgb.data() + i);
    hsv.hue = static_cast<Byte>(hsv.hue + shift);
    to_rgb(hsv, picture.rgb.data() + i);
  }
}

void flip_left_right(Picture& picture) {
  const auto width = static_cast<std::size_t>(picture.width_px);
  for (std::size_t y = 0; y < static_cast<std::size_t>(picture.height_px); ++y) {
    Byte* row = picture.rgb.data() + y * width * 3;
    for (std::size_t left = 0, right = width; left + 1 < right; ++left) {
      --right;
      std::swap_ranges(row + left * 3, row + left * 3 + 3, row + right * 3);
    }
  }
}

}  // namespace moa
