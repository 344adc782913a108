// EXIF orientation: where cameras say which way is up.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "image/picture.hpp"

namespace moa {

// The orientation (1 … 8) in an EXIF block: a TIFF header and its first directory. Nothing if there is none,
// or if the block is malformed: a picture is not worse for bad metadata. `exif` may begin with "Exif\0\0".
std::optional<int> exif_orientation(std::span<const std::byte> exif) noexcept;

// The orientation in an XMP packet (tiff:Orientation), which Pillow asks where EXIF says nothing.
std::optional<int> xmp_orientation(std::string_view xmp) noexcept;

// The picture turned upright, as PIL.ImageOps.exif_transpose does: 2 mirrored, 3 half turn, 4 upside down, 5
// transposed, 6 to be turned clockwise, 7 transversed, 8 to be turned counter-clockwise; anything else is
// returned as it is.
Picture upright(Picture picture, int orientation);

}  // namespace moa
