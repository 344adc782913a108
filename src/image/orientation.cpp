#include "image/orientation.hpp"

#include <cstring>
#include <utility>

namespace moa {
namespace {

constexpr std::uint16_t kOrientationTag = 0x0112;
constexpr std::uint16_t kShort = 3;
constexpr std::size_t kEntryBytes = 12;

// Numbers in the byte order that the block declares. Offsets are checked by the caller.
struct Reader {
  std::span<const std::byte> bytes;
  bool big_endian;

  std::uint32_t number(std::size_t at, std::size_t size) const {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < size; ++i) {
      value = value << 8 | std::to_integer<std::uint32_t>(bytes[big_endian ? at + i : at + size - 1 - i]);
    }
    return value;
  }
};

bool begins(std::span<const std::byte> bytes, std::string_view prefix) {
  return bytes.size() >= prefix.size() && std::memcmp(bytes.data(), prefix.data(), prefix.size()) == 0;
}

std::optional<int> valid(std::uint32_t orientation) {
  if (orientation < 1 || orientation > 8) return std::nullopt;
  return static_cast<int>(orientation);
}

}  // namespace

std::optional<int> exif_orientation(std::span<const std::byte> exif) noexcept {
  using namespace std::string_view_literals;
  while (begins(exif, "Exif\0\0"sv)) exif = exif.subspan(6);  // some writers put it twice
  const bool big_endian = begins(exif, "MM\0\x2a"sv);
  if (!big_endian && !begins(exif, "II\x2a\0"sv)) return std::nullopt;
  const Reader reader{exif, big_endian};
  if (exif.size() < 8) return std::nullopt;
  const std::size_t directory = reader.number(4, 4);
  if (directory > exif.size() || exif.size() - directory < 2) return std::nullopt;
  const std::size_t entries = reader.number(directory, 2);
  for (std::size_t i = 0; i < entries; ++i) {
    const std::size_t entry = directory + 2 + i * kEntryBytes;
    if (entry > exif.size() || exif.size() - entry < kEntryBytes) return std::nullopt;
    if (reader.number(entry, 2) != kOrientationTag) continue;
    if (reader.number(entry + 2, 2) != kShort || reader.number(entry + 4, 4) != 1) return std::nullopt;
    return valid(reader.number(entry + 8, 2));
  }
  return std::nullopt;
}

std::optional<int> xmp_orientation(std::string_view xmp) noexcept {
  constexpr std::string_view kName = "tiff:Orientation";
  for (std::size_t at = xmp.find(kName); at != std::string_view::npos; at = xmp.find(kName, at + 1)) {
    std::string_view rest = xmp.substr(at + kName.size());
    if (rest.starts_with("=\"")) {
      rest.remove_prefix(2);
    } else if (rest.starts_with(">")) {
      rest.remove_prefix(1);
    } else {
      continue;
    }
    if (!rest.empty() && rest[0] >= '0' && rest[0] <= '9')
      return valid(static_cast<std::uint32_t>(rest[0] - '0'));
  }
  return std::nullopt;
}

Picture upright(Picture picture, int orientation) {
  if (orientation < 2 || orientation > 8) return picture;
  const bool transposed = orientation >= 5;
  const bool from_right = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool from_bottom = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  Picture result{picture.width_px, picture.height_px, {}};
  if (transposed) std::swap(result.width_px, result.height_px);
  result.rgb.resize(picture.rgb.size());
  // The source of result pixel (x, y) is (x, y) or (y, x), counted from the edges that the orientation names.
  std::uint8_t* to = result.rgb.data();
  for (std::int64_t y = 0; y < result.height_px; ++y) {
    for (std::int64_t x = 0; x < result.width_px; ++x, to += 3) {
      std::int64_t from_x = transposed ? y : x;
      std::int64_t from_y = transposed ? x : y;
      if (from_right) from_x = picture.width_px - 1 - from_x;
      if (from_bottom) from_y = picture.height_px - 1 - from_y;
      std::memcpy(to, picture.rgb.data() + (from_y * picture.width_px + from_x) * 3, 3);
    }
  }
  return result;
}

}  // namespace moa
