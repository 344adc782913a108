// The door between moa and its components moa-pictures, moa-png and moa-avif, in plain C so that they may be
// built apart: nothing thrown, nothing allocated on one side and freed on the other. A component turns a
// compressed file into rows of samples and says what they mean; turning them into RGB is moa's affair
// (to_rgb.hpp).
#pragma once

#include <cstddef>
#include <cstdint>

namespace moa {

// How one value of one channel is stored, in the machine's byte order.
enum class SampleType : std::int32_t { u8, u16, i16, u32, i32, f32, f64 };
// What the channels mean. `palette`-coloured pictures arrive as rgb or rgba.
enum class ColorModel : std::int32_t { gray, gray_alpha, rgb, rgba, cmyk };

constexpr std::size_t sample_bytes(SampleType type) {
  switch (type) {
    case SampleType::u8:
      return 1;
    case SampleType::u16:
    case SampleType::i16:
      return 2;
    case SampleType::u32:
    case SampleType::i32:
    case SampleType::f32:
      return 4;
    case SampleType::f64:
      return 8;
  }
  return 0;
}

// What a file declares before any of its pixels is read.
struct CodecHeader {
  std::int64_t width_px;  // of the rows that reading gives
  std::int64_t height_px;
  std::int64_t declared_width_px;  // more, where a smaller picture was asked for
  std::int64_t declared_height_px;
  std::int32_t samples;  // a pixel; at least as many as `color` needs, the rest has no meaning
  SampleType type;
  ColorModel color;
  std::int32_t orientation;  // 1 … 8 where the container itself says so, otherwise 0
  const void* exif;  // the EXIF block, without its "Exif\0\0", and the XMP packet; owned by the picture that
                     // was opened
  std::size_t exif_bytes;
  const void* xmp;
  std::size_t xmp_bytes;
};

struct CodecFailure {
  std::int32_t code;  // a moa::ErrorCode
  char message[512];
};

struct CodecPicture;

// Called with `rows` rows from row `y` on, each `stride_bytes` after the other. Must not throw.
using CodecRows = void (*)(void* context, std::int64_t y, std::int64_t rows, const std::uint8_t* samples,
                           std::int64_t stride_bytes);

extern "C" {
// Reads the header. `kind` is a moa::PictureKind; `bytes` must outlive the picture. With `least_edge_px`
// above 0 a component may shrink what it reads by 2, 4 or 8, as long as neither edge comes below that.
// Returns null and fills `failure` if it fails.
using CodecOpen = CodecPicture*(std::int32_t kind, const void* bytes, std::size_t size,
                                std::int64_t least_edge_px, CodecHeader* header, CodecFailure* failure);
// Decodes the picture from top to bottom. Returns 0, or -1 with `failure` filled. May be called once.
using CodecRead = int(CodecPicture* picture, CodecRows rows, void* context, CodecFailure* failure);
using CodecClose = void(CodecPicture* picture);
}

inline constexpr const char* kPicturesComponent = "moa-pictures";
inline constexpr const char* kPngComponent = "moa-png";
inline constexpr const char* kAvifComponent = "moa-avif";
inline constexpr const char* kCodecOpen = "moa_codec_open_2";  // the number changes with this file
inline constexpr const char* kCodecRead = "moa_codec_read_2";
inline constexpr const char* kCodecClose = "moa_codec_close_2";

}  // namespace moa
