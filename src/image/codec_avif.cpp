// The component moa-avif: AVIF pictures by libavif, as Pillow decodes them, through the door of codec.hpp.
// (libvips would go through libheif, which repeats chroma where libavif interpolates.)
#include <avif/avif.h>

#include <memory>
#include <string>
#include <string_view>

#include "image/avif_to_rgb.hpp"
#include "image/codec.hpp"
#include "image/codec_failure.hpp"

namespace moa {

struct CodecPicture {
  std::unique_ptr<avifDecoder, decltype(&avifDecoderDestroy)> decoder;
};

namespace {

void fill_from_avif(CodecFailure* failure, const avifDecoder& decoder, avifResult result) {
  const std::string_view details(decoder.diag.error);
  std::string reason = avifResultToString(result);
  if (!details.empty()) reason.append(": ").append(details);
  switch (result) {
    case AVIF_RESULT_NO_CODEC_AVAILABLE:
    case AVIF_RESULT_NOT_IMPLEMENTED:
    case AVIF_RESULT_REFORMAT_FAILED:  // a matrix that libavif does not know
    case AVIF_RESULT_UNSUPPORTED_DEPTH:
      return fill(failure, ErrorCode::unsupported, reason);
    case AVIF_RESULT_OUT_OF_MEMORY:
      return fill(failure, ErrorCode::limit_exceeded, reason);
    default:
      break;
  }
  // libavif's own limits, of 268 megapixels and 32768 pixels an edge, have no code of their own.
  const bool is_too_large = details.find("too large") != details.npos;
  fill(failure, is_too_large ? ErrorCode::limit_exceeded : ErrorCode::corrupt_data, reason);
}

// EXIF's number for what the container says: `irot` turns anti-clockwise by quarters, then `imir` exchanges
// top and bottom (0) or left and right (1). What EXIF itself says does not count, in Pillow neither.
std::int32_t orientation_of(const avifImage& image) {
  constexpr std::int32_t kTurned[4] = {1, 8, 3, 6};
  constexpr std::int32_t kMirrored[4][2] = {{4, 2}, {5, 7}, {2, 4}, {7, 5}};
  const int turns = (image.transformFlags & AVIF_TRANSFORM_IROT) != 0 ? image.irot.angle & 3 : 0;
  if ((image.transformFlags & AVIF_TRANSFORM_IMIR) == 0) return kTurned[turns];
  return kMirrored[turns][image.imir.mode & 1];
}

}  // namespace

extern "C" {

MOA_API CodecPicture* moa_codec_open_2(std::int32_t, const void* bytes, std::size_t size, std::int64_t,
                                       CodecHeader* header, CodecFailure* failure) {
  std::unique_ptr<avifDecoder, decltype(&avifDecoderDestroy)> decoder(avifDecoderCreate(),
                                                                      avifDecoderDestroy);
  if (!decoder) {
    fill(failure, ErrorCode::limit_exceeded, "no memory for a decoder");
    return nullptr;
  }
  // As Pillow has it: files of old encoders, which say less than they should, are read.
  decoder->strictFlags &= ~(AVIF_STRICT_CLAP_VALID | AVIF_STRICT_PIXI_REQUIRED);
  decoder->codecChoice = AVIF_CODEC_CHOICE_DAV1D;
  decoder->maxThreads = 1;  // pictures are decoded side by side
  decoder->ignoreExif = AVIF_TRUE;
  decoder->ignoreXMP = AVIF_TRUE;
  avifResult result = avifDecoderSetIOMemory(decoder.get(), static_cast<const std::uint8_t*>(bytes), size);
  if (result == AVIF_RESULT_OK) result = avifDecoderParse(decoder.get());
  if (result != AVIF_RESULT_OK) {
    fill_from_avif(failure, *decoder, result);
    return nullptr;
  }
  const avifImage& image = *decoder->image;
  *header = {};
  header->width_px = image.width;
  header->height_px = image.height;
  header->declared_width_px = image.width;
  header->declared_height_px = image.height;
  header->type = SampleType::u8;
  header->samples = decoder->alphaPresent ? 4 : 3;
  header->color = decoder->alphaPresent ? ColorModel::rgba : ColorModel::rgb;
  header->orientation = orientation_of(image);
  return new CodecPicture{std::move(decoder)};
}

MOA_API int moa_codec_read_2(CodecPicture* picture, CodecRows rows, void* context, CodecFailure* failure) {
  avifDecoder& decoder = *picture->decoder;
  const avifImage& image = *decoder.image;
  const std::uint32_t width_px = image.width;
  const std::uint32_t height_px = image.height;
  const bool has_alpha = decoder.alphaPresent != AVIF_FALSE;
  avifRGBImage rgb{};
  // What was declared has passed the caller's limit; a frame inside that is larger must not be allocated
  // either.
  decoder.imageSizeLimit = width_px * height_px;
  avifResult result = avifDecoderNextImage(&decoder);
  const bool is_as_declared =
      image.width == width_px && image.height == height_px && (image.alphaPlane != nullptr) == has_alpha;
  if (result == AVIF_RESULT_OK && !is_as_declared) result = AVIF_RESULT_ISPE_SIZE_MISMATCH;
  if (result == AVIF_RESULT_OK) result = avif_to_rgb(image, rgb);
  if (result == AVIF_RESULT_OK) rows(context, 0, height_px, rgb.pixels, rgb.rowBytes);
  avifRGBImageFreePixels(&rgb);
  if (result == AVIF_RESULT_OK) return 0;
  fill_from_avif(failure, decoder, result);
  return -1;
}

MOA_API void moa_codec_close_2(CodecPicture* picture) {
  delete picture;
}

}  // extern "C"

}  // namespace moa
