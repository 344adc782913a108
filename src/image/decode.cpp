#include <algorithm>
#include <cstring>
#include <memory>
#include <string>

#include "base/component.hpp"
#include "image/bmp.hpp"
#include "image/codec.hpp"
#include "image/netpbm.hpp"
#include "image/orientation.hpp"
#include "image/picture.hpp"
#include "image/pixel_limit.hpp"
#include "image/tiff_directory.hpp"
#include "image/to_rgb.hpp"

namespace moa {
namespace {

class Codec {
 public:
  CodecOpen* open;
  CodecRead* read;
  CodecClose* close;

  // Each component is opened once, for its first picture. A failure is not remembered: the next call tries
  // again.
  static const Codec& of(PictureKind kind) {
    if (kind == PictureKind::avif) {
      static const Codec avif =
          open_component(kAvifComponent, {.own_symbols_first = true});  // for quiet_dav1d.cpp
      return avif;
    }
    if (kind == PictureKind::png) {
      static const Codec png = open_component(kPngComponent);
      return png;
    }
    static const Codec pictures = open_component(kPicturesComponent);
    return pictures;
  }

 private:
  static Codec open_component(const char* name, const ComponentOptions& options = {}) {
    const Component component = Component::open(name, options);
    return {component.function<CodecOpen>(kCodecOpen), component.function<CodecRead>(kCodecRead),
            component.function<CodecClose>(kCodecClose)};
  }
};

std::span<const std::byte> block(const void* data, std::size_t size) {
  return {static_cast<const std::byte*>(data), data == nullptr ? 0 : size};
}

int orientation_of(const CodecHeader& header) {
  if (header.orientation != 0) return header.orientation;
  if (const auto found = exif_orientation(block(header.exif, header.exif_bytes))) return *found;
  const auto xmp = block(header.xmp, header.xmp_bytes);
  return xmp_orientation({reinterpret_cast<const char*>(xmp.data()), xmp.size()}).value_or(1);
}

// What the codecs do not tell: TIFF's extra samples may be alpha or nothing; its YCbCr
// without JPEG comes unconverted; a gray PNG with one transparent level looks like one with alpha.
RowFormat row_format(PictureKind kind, std::span<const std::byte> bytes, const CodecHeader& header) {
  RowFormat format{header.samples, header.type, header.color};
  if (kind == PictureKind::png) {
    constexpr std::size_t kColorTypeAt = 25;
    format.gray_is_wide = bytes.size() > kColorTypeAt && bytes[kColorTypeAt] == std::byte{0};
  }
  if (kind != PictureKind::tiff) return format;
  constexpr int kPalette = 3;
  constexpr int kYCbCr = 6;
  constexpr int kJpeg = 7;
  const auto photometric = tiff_short(bytes, tiff_tag::kPhotometric);
  if (photometric == kPalette) {
    const unsigned bits = std::min<unsigned>(tiff_short(bytes, tiff_tag::kBitsPerSample).value_or(1), 16);
    if (!tiff_short(bytes, tiff_tag::kColorMap, (std::size_t{3} << bits) - 1)) {
      throw Error(ErrorCode::corrupt_data, "cannot decode a TIFF picture: it ends before its palette does");
    }
  }
  if (photometric == kYCbCr && tiff_short(bytes, tiff_tag::kCompression) != kJpeg) {
    throw Error(ErrorCode::unsupported, "cannot decode a TIFF picture: YCbCr without JPEG compression");
  }
  constexpr int kUnspecified = 0;
  const auto extra = tiff_short(bytes, tiff_tag::kExtraSamples);
  if (format.color == ColorModel::gray_alpha && extra == kUnspecified) format.color = ColorModel::gray;
  if (format.color == ColorModel::rgba && extra == kUnspecified) format.color = ColorModel::rgb;
  return format;
}

[[noreturn]] void fail(PictureKind kind, const CodecFailure& failure) {
  throw Error(static_cast<ErrorCode>(failure.code),
              "cannot decode a " + std::string(name(kind)) + " picture: " + failure.message);
}

Picture decode_by_component(PictureKind kind, std::span<const std::byte> bytes,
                            const DecodeOptions& options) {
  const Codec& codec = Codec::of(kind);
  CodecFailure failure{};
  CodecHeader header{};
  const std::unique_ptr<CodecPicture, CodecClose*> opened(
      codec.open(static_cast<std::int32_t>(kind), bytes.data(), bytes.size(), options.least_edge_px, &header,
                 &failure),
      codec.close);
  if (!opened) fail(kind, failure);

  check_declared_size(kind, header.declared_width_px, header.declared_height_px, options);
  const int orientation = orientation_of(header);
  const RowFormat layout = row_format(kind, bytes, header);
  Picture picture = blank_picture(kind, header.width_px, header.height_px, options);
  struct Target {
    Picture& picture;
    RowFormat format;
  } target{picture, layout};
  const CodecRows store = [](void* context, std::int64_t y, std::int64_t rows, const std::uint8_t* samples,
                             std::int64_t stride_bytes) {
    const auto& [into, format] = *static_cast<Target*>(context);
    for (std::int64_t row = 0; row < rows; ++row) {
      row_to_rgb(format, samples + row * stride_bytes, into.width_px,
                 into.rgb.data() + (y + row) * into.width_px * 3);
    }
  };
  if (codec.read(opened.get(), store, &target, &failure) != 0) fail(kind, failure);
  return upright(std::move(picture), orientation);
}

}  // namespace

Picture decode_picture(std::span<const std::byte> bytes, const DecodeOptions& options) {
  const std::optional<PictureKind> kind = sniff_picture(bytes);
  if (!kind) {
    throw Error(
        ErrorCode::unsupported,
        "cannot decode a picture: the content is none of JPEG, PNG, WebP, GIF, TIFF, HEIC, AVIF, BMP, PPM");
  }
  switch (*kind) {
    case PictureKind::bmp:
      return decode_bmp(bytes, options);
    case PictureKind::ppm:
      return decode_netpbm(bytes, options);
    default:
      return decode_by_component(*kind, bytes, options);
  }
}

}  // namespace moa
