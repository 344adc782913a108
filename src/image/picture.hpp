// image: pictures from bytes to the numbers that a vision tower takes: sniffing, decoding, Pillow-exact
// resizing, and the processors that preprocessor_config.json describes. It knows no model and opens no file:
// it is given bytes. This header: a picture, and how one is decoded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include <moa/error.hpp>

namespace moa {

enum class PictureKind { jpeg, png, webp, gif, tiff, heif, avif, bmp, ppm };

// "JPEG", "PNG", …
std::string_view name(PictureKind kind) noexcept;

// How many bytes sniff_picture looks at; fewer may be given.
inline constexpr std::size_t kSniffBytes = 64;

// The kind of picture that begins so, by its content alone; nothing for any other file. It promises a
// plausible beginning, not a sound picture.
std::optional<PictureKind> sniff_picture(std::span<const std::byte> first_bytes) noexcept;

// An RGB picture, 8 bits a channel, upright.
struct Picture {
  std::int64_t width_px = 0;
  std::int64_t height_px = 0;
  std::vector<std::uint8_t> rgb;  // [height_px, width_px, 3], row by row
};

struct DecodeOptions {
  // A picture that declares more pixels than this many millions is refused before anything is allocated for
  // them.
  double max_megapixels = 256;
  // Above 0: the picture may come out smaller than it is, where that is faster (JPEG: by 2, 4 or 8), as long
  // as neither edge is below this many pixels.
  std::int64_t least_edge_px = 0;
};

// The picture in `bytes` (a whole file: JPEG, PNG, WebP, GIF, TIFF, HEIC, AVIF, BMP, PPM/PGM/PBM; of an
// animation or a multi-page file the first), with its EXIF orientation applied. Transparency is composited on
// white, every other mode becomes RGB as Pillow's convert("RGB") does it (transformers 5 works so); colour
// profiles are ignored, as there. Safe to call from any number of threads. The first call for a compressed
// kind opens the component moa-pictures, for PNG moa-png, for AVIF moa-avif. Errors: unsupported (no kind
// that moa reads, or a variant that it does not), corrupt_data (broken or truncated, or a broken checksum),
// limit_exceeded (too many pixels, or no memory for them).
Picture decode_picture(std::span<const std::byte> bytes, const DecodeOptions& options = {});

}  // namespace moa
