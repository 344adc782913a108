#include "image/orientation.hpp"

#include <cstring>
#include <utility>

#include "image/tiff_directory.hpp"

namespace moa {
namespace {

std::optional<int> valid(int orientation) {
  if (orientation < 1 || orientation > 8) return std::nullopt;
  return orientation;
}

}  // namespace

std::optional<int> exif_orientation(std::span<const std::byte> exif) noexcept {
  constexpr std::string_view kPrefix("Exif\0\0", 6);
  while (exif.size() >= kPrefix.size() && std::memcmp(exif.data(), kPrefix.data(), kPrefix.size()) == 0) {
    exif = exif.subspan(kPrefix.size());  // some writers put it twice
  }
  const auto found = tiff_short(exif, tiff_tag::kOrientation);
  return found ? valid(*found) : std::nullopt;
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
    if (!rest.empty() && rest[0] >= '0' && rest[0] <= '9') {
      return valid(rest[0] - '0');
    }
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
