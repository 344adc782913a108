#include "image/avif_to_rgb.hpp"

#include <cstring>
#include <memory>

namespace moa {
namespace {

using FramePointer = std::unique_ptr<avifImage, decltype(&avifImageDestroy)>;

// Whether libyuv knows the matrix; libavif computes with the others itself, at any depth.
bool is_matrix_of_libyuv(const avifImage& frame) {
  switch (frame.matrixCoefficients) {
    case AVIF_MATRIX_COEFFICIENTS_UNSPECIFIED:
    case AVIF_MATRIX_COEFFICIENTS_BT709:
    case AVIF_MATRIX_COEFFICIENTS_BT470BG:
    case AVIF_MATRIX_COEFFICIENTS_BT601:
    case AVIF_MATRIX_COEFFICIENTS_BT2020_NCL:
      return true;
    case AVIF_MATRIX_COEFFICIENTS_CHROMA_DERIVED_NCL:
      break;
    default:
      return false;
  }
  switch (frame.colorPrimaries) {
    case AVIF_COLOR_PRIMARIES_UNSPECIFIED:
    case AVIF_COLOR_PRIMARIES_BT709:
    case AVIF_COLOR_PRIMARIES_BT470BG:
    case AVIF_COLOR_PRIMARIES_BT601:
    case AVIF_COLOR_PRIMARIES_BT2020:
      return true;
    default:
      return false;
  }
}

// Whether libavif 1.4 goes by way of 8 bits: libyuv takes deeper samples to RGBA only, of 10 bits with colour
// and of 12 in 4:2:0.
bool is_cut_to_8_bits(const avifImage& frame) {
  if (frame.depth <= 8 || !is_matrix_of_libyuv(frame)) return false;
  const bool is_gray = frame.yuvFormat == AVIF_PIXEL_FORMAT_YUV400;
  if (frame.alphaPlane == nullptr) return !is_gray;
  if (frame.depth == 10) return is_gray;
  return frame.yuvFormat != AVIF_PIXEL_FORMAT_YUV420;
}

void cut_plane(const std::uint8_t* from, std::size_t from_bytes, std::uint8_t* to, std::size_t to_bytes,
               std::uint32_t width_px, std::uint32_t height_px, std::uint32_t lost_bits) {
  for (std::uint32_t y = 0; y < height_px; ++y) {
    for (std::uint32_t x = 0; x < width_px; ++x) {
      std::uint16_t sample = 0;
      std::memcpy(&sample, from + y * from_bytes + x * sizeof sample, sizeof sample);
      to[y * to_bytes + x] = static_cast<std::uint8_t>(sample >> lost_bits);
    }
  }
}

// Null if there is no memory for it.
FramePointer cut_to_8_bits(const avifImage& frame) {
  FramePointer cut(avifImageCreate(frame.width, frame.height, 8, frame.yuvFormat), avifImageDestroy);
  if (!cut) return cut;
  cut->yuvRange = frame.yuvRange;
  cut->yuvChromaSamplePosition = frame.yuvChromaSamplePosition;
  cut->colorPrimaries = frame.colorPrimaries;
  cut->transferCharacteristics = frame.transferCharacteristics;
  cut->matrixCoefficients = frame.matrixCoefficients;
  cut->alphaPremultiplied = frame.alphaPremultiplied;
  const bool has_alpha = frame.alphaPlane != nullptr;
  const avifPlanesFlags planes = AVIF_PLANES_YUV | (has_alpha ? AVIF_PLANES_A : 0);
  if (avifImageAllocatePlanes(cut.get(), planes) != AVIF_RESULT_OK) return {nullptr, avifImageDestroy};

  avifPixelFormatInfo format;
  avifGetPixelFormatInfo(frame.yuvFormat, &format);
  const std::uint32_t lost_bits = frame.depth - 8;
  for (int plane = 0; plane < AVIF_PLANE_COUNT_YUV; ++plane) {
    if (frame.yuvPlanes[plane] == nullptr) continue;  // 4:0:0 has no chroma
    const int shift_x = plane == AVIF_CHAN_Y ? 0 : format.chromaShiftX;
    const int shift_y = plane == AVIF_CHAN_Y ? 0 : format.chromaShiftY;
    cut_plane(frame.yuvPlanes[plane], frame.yuvRowBytes[plane], cut->yuvPlanes[plane],
              cut->yuvRowBytes[plane], (frame.width + shift_x) >> shift_x,
              (frame.height + shift_y) >> shift_y, lost_bits);
  }
  if (has_alpha) {
    cut_plane(frame.alphaPlane, frame.alphaRowBytes, cut->alphaPlane, cut->alphaRowBytes, frame.width,
              frame.height, lost_bits);
  }
  return cut;
}

}  // namespace

avifResult avif_to_rgb(const avifImage& frame, avifRGBImage& rgb) {
  FramePointer cut(nullptr, avifImageDestroy);
  if (is_cut_to_8_bits(frame)) {
    cut = cut_to_8_bits(frame);
    if (!cut) return AVIF_RESULT_OUT_OF_MEMORY;
  }
  const avifImage& source = cut ? *cut : frame;
  avifRGBImageSetDefaults(&rgb, &source);
  rgb.depth = 8;
  rgb.format = source.alphaPlane == nullptr ? AVIF_RGB_FORMAT_RGB : AVIF_RGB_FORMAT_RGBA;
  avifRGBImageAllocatePixels(&rgb);
  if (rgb.pixels == nullptr) return AVIF_RESULT_OUT_OF_MEMORY;
  return avifImageYUVToRGB(&source, &rgb);
}

}  // namespace moa
