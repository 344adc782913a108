#include "image/to_rgb.hpp"

#include <cstring>

namespace moa {
namespace {

// round(a · b / 255) without a division.
std::uint8_t multiply_255(std::uint32_t a, std::uint32_t b) {
  const std::uint32_t t = a * b + 128;
  return static_cast<std::uint8_t>(((t >> 8) + t) >> 8);
}

template <typename Sample>
Sample sample_at(const std::uint8_t* from, std::int64_t index) {
  Sample sample;
  std::memcpy(&sample, from + index * static_cast<std::int64_t>(sizeof(Sample)), sizeof(Sample));
  return sample;
}

// A wide number clipped to a byte; fractions are cut off, NaN is 0.
template <typename Sample>
std::uint8_t clipped(Sample value) {
  if (!(value > 0)) return 0;
  return value >= 255 ? 255 : static_cast<std::uint8_t>(value);
}

std::uint8_t byte_of(std::uint8_t value) {
  return value;
}
std::uint8_t byte_of(std::uint16_t value) {
  return static_cast<std::uint8_t>(value >> 8);
}
template <typename Sample>
std::uint8_t byte_of(Sample value) {
  return clipped(value);
}

template <typename Sample>
void convert_row(const RowFormat& format, const std::uint8_t* from, std::int64_t width_px,
                 std::uint8_t* to) noexcept {
  for (std::int64_t x = 0; x < width_px; ++x, to += 3) {
    const auto at = [&, first = x * format.samples](int channel) {
      return sample_at<Sample>(from, first + channel);
    };
    switch (format.color) {
      case ColorModel::gray:
        to[0] = to[1] = to[2] = clipped(at(0));
        break;
      case ColorModel::gray_alpha:
        to[0] = to[1] = to[2] =
            over_white(format.gray_is_wide ? clipped(at(0)) : byte_of(at(0)), byte_of(at(1)));
        break;
      case ColorModel::rgb:
        for (int c = 0; c < 3; ++c) to[c] = byte_of(at(c));
        break;
      case ColorModel::rgba:
        for (int c = 0; c < 3; ++c) to[c] = over_white(byte_of(at(c)), byte_of(at(3)));
        break;
      case ColorModel::cmyk: {
        const int light = 255 - byte_of(at(3));
        for (int c = 0; c < 3; ++c)
          to[c] = static_cast<std::uint8_t>(light - multiply_255(byte_of(at(c)), light));
        break;
      }
    }
  }
}

}  // namespace

std::uint8_t over_white(std::uint8_t value, std::uint8_t alpha) noexcept {
  if (alpha == 0) return 255;
  // In units of 1/128, cut off at the end: Pillow's AlphaComposite.c over an opaque background.
  const std::uint32_t sum =
      128u * (value * static_cast<std::uint32_t>(alpha) + 255u * (255u - alpha)) + (128u << 7);
  return static_cast<std::uint8_t>((((sum >> 8) + sum) >> 8) >> 7);
}

void row_to_rgb(const RowFormat& format, const std::uint8_t* from, std::int64_t width_px,
                std::uint8_t* to) noexcept {
  if (format.type == SampleType::u8 && format.color == ColorModel::rgb && format.samples == 3) {
    std::memcpy(to, from, static_cast<std::size_t>(width_px) * 3);
    return;
  }
  switch (format.type) {
    case SampleType::u8:
      return convert_row<std::uint8_t>(format, from, width_px, to);
    case SampleType::u16:
      return convert_row<std::uint16_t>(format, from, width_px, to);
    case SampleType::i16:
      return convert_row<std::int16_t>(format, from, width_px, to);
    case SampleType::u32:  // sic: Pillow's integers are signed
    case SampleType::i32:
      return convert_row<std::int32_t>(format, from, width_px, to);
    case SampleType::f32:
      return convert_row<float>(format, from, width_px, to);
    case SampleType::f64:
      return convert_row<double>(format, from, width_px, to);
  }
}

}  // namespace moa
