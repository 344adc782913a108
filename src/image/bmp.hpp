// Windows bitmaps, by a small reader of our own: libvips would read them through ImageMagick.
#pragma once

#include <cstddef>
#include <span>

#include "image/picture.hpp"

namespace moa {

// `bytes` begin with "BM". 1, 4, 8, 16, 24 and 32 bits a pixel; plain, RLE4, RLE8, and the bit-field layouts
// that Pillow knows; from OS/2's 12-byte header to V5; either way up. The fourth byte of 32 bits is alpha
// only where the bit fields say so. Errors: corrupt_data; unsupported for other layouts (embedded JPEG or
// PNG, other masks); limit_exceeded.
Picture decode_bmp(std::span<const std::byte> bytes, const DecodeOptions& options);

}  // namespace moa
