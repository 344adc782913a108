// The component moa-pictures: compressed pictures by libvips, through the door of codec.hpp. Only the loader
// that the caller names is run: libvips is never asked to guess, and its loaders that are not hardened
// against hostile files stay blocked.
#include <vips/vips.h>

#include <algorithm>
#include <memory>
#include <string>

#include "image/codec.hpp"
#include "image/codec_failure.hpp"
#include "image/picture.hpp"

namespace moa {

struct CodecPicture {
  VipsImage* image;
  PictureKind kind;
};

namespace {

// Rows are fetched in strips: of a few megabytes, and no taller than this, for libvips keeps the rows of a
// strip in a list that it searches from the front. A multiple of 16, as a JPEG's blocks are.
constexpr std::int64_t kStripBytes = 4 << 20;
constexpr std::int64_t kStripRows = 128;

const char* loader(PictureKind kind) {
  switch (kind) {
    case PictureKind::jpeg:
      return "jpegload_buffer";
    case PictureKind::webp:
      return "webpload_buffer";
    case PictureKind::gif:
      return "gifload_buffer";
    case PictureKind::tiff:
      return "tiffload_buffer";
    case PictureKind::heif:
      return "heifload_buffer";
    case PictureKind::avif:
    case PictureKind::png:
    case PictureKind::bmp:
    case PictureKind::ppm:
      break;
  }
  return nullptr;
}

void ignore_log(const gchar*, GLogLevelFlags, const gchar*, gpointer) {}

// Starts libvips once: no threads of its own, nothing kept between calls, nothing printed.
bool started() {
  static const bool done = [] {
    g_log_set_handler("VIPS", static_cast<GLogLevelFlags>(G_LOG_LEVEL_MASK | G_LOG_FLAG_RECURSION),
                      ignore_log, nullptr);
    if (vips_init("moa") != 0) return false;
    vips_block_untrusted_set(TRUE);
    vips_concurrency_set(1);
    vips_cache_set_max(0);
    vips_cache_set_max_mem(0);
    vips_cache_set_max_files(0);
    return true;
  }();
  return done;
}

// What libvips has to say, on one line. Its error text is shared by all threads; taking it also empties it.
std::string take_vips_error() {
  const std::unique_ptr<char, decltype(&g_free)> text(vips_error_buffer_copy(), g_free);
  std::string message = text ? text.get() : "";
  while (!message.empty() && message.back() == '\n') message.pop_back();
  std::replace(message.begin(), message.end(), '\n', ';');
  return message.empty() ? "its structure is broken" : message;
}

void fill_from_vips(CodecFailure* failure) {
  const std::string reason = take_vips_error();
  const auto says = [&](const char* words) { return reason.find(words) != std::string::npos; };
  // A sound file whose coding these libraries do not know (lossless JPEG, a HEIF codec that is not
  // installed).
  if (says("Unsupported JPEG process") || says("Unsupported feature") || says("Unsupported codec")) {
    return fill(failure, ErrorCode::unsupported, reason);
  }
  if (says("Security limit exceeded"))
    return fill(failure, ErrorCode::limit_exceeded, reason);  // libheif's own
  fill(failure, ErrorCode::corrupt_data, reason);
}

bool sample_type(VipsBandFormat format, SampleType& type) {
  switch (format) {
    case VIPS_FORMAT_UCHAR:
      type = SampleType::u8;
      return true;
    case VIPS_FORMAT_USHORT:
      type = SampleType::u16;
      return true;
    case VIPS_FORMAT_SHORT:
      type = SampleType::i16;
      return true;
    case VIPS_FORMAT_UINT:
      type = SampleType::u32;
      return true;
    case VIPS_FORMAT_INT:
      type = SampleType::i32;
      return true;
    case VIPS_FORMAT_FLOAT:
      type = SampleType::f32;
      return true;
    case VIPS_FORMAT_DOUBLE:
      type = SampleType::f64;
      return true;
    default:
      return false;
  }
}

bool color_model(const VipsImage* image, ColorModel& color) {
  const int bands = vips_image_get_bands(image);
  switch (vips_image_get_interpretation(image)) {
    case VIPS_INTERPRETATION_CMYK:
      color = ColorModel::cmyk;
      return bands >= 4;
    case VIPS_INTERPRETATION_LAB:
    case VIPS_INTERPRETATION_LABQ:
    case VIPS_INTERPRETATION_LABS:
    case VIPS_INTERPRETATION_XYZ:
    case VIPS_INTERPRETATION_YXY:
      return false;
    default:
      break;
  }
  switch (bands) {
    case 1:
      color = ColorModel::gray;
      return true;
    case 2:
      color = ColorModel::gray_alpha;
      return true;
    case 3:
      color = ColorModel::rgb;
      return true;
    default:
      color = ColorModel::rgba;
      return bands >= 4;
  }
}

void attach_blob(const VipsImage* image, const char* field, const void*& data, std::size_t& size) {
  data = nullptr;
  size = 0;
  if (vips_image_get_typeof(image, field) != VIPS_TYPE_BLOB) return;
  if (vips_image_get_blob(image, field, &data, &size) != 0) {
    vips_error_clear();
    data = nullptr;
    size = 0;
  }
}

VipsImage* load(PictureKind kind, const void* bytes, std::size_t size, int shrink) {
  VipsOperation* operation = vips_operation_new(loader(kind));
  if (operation == nullptr) return nullptr;
  VipsBlob* blob = vips_blob_new(nullptr, bytes, size);
  g_object_set(operation, "buffer", blob, "access", VIPS_ACCESS_SEQUENTIAL, "fail_on", VIPS_FAIL_ON_ERROR,
               nullptr);
  if (shrink > 1) g_object_set(operation, "shrink", shrink, nullptr);
  vips_area_unref(VIPS_AREA(blob));
  VipsImage* image = nullptr;
  if (vips_cache_operation_buildp(&operation) == 0) g_object_get(operation, "out", &image, nullptr);
  vips_object_unref_outputs(VIPS_OBJECT(operation));
  g_object_unref(operation);
  return image;
}

// How much smaller libjpeg may make a picture while it decodes: fewer coefficients are transformed, which is
// faster.
int jpeg_shrink(const VipsImage* image, std::int64_t least_edge_px) {
  const std::int64_t edge_px = std::min(vips_image_get_width(image), vips_image_get_height(image));
  for (const int shrink : {8, 4, 2}) {
    if (edge_px >= shrink * least_edge_px) return shrink;
  }
  return 1;
}

}  // namespace

extern "C" {

MOA_API CodecPicture* moa_codec_open_2(std::int32_t kind_number, const void* bytes, std::size_t size,
                                       std::int64_t least_edge_px, CodecHeader* header,
                                       CodecFailure* failure) {
  const auto kind = static_cast<PictureKind>(kind_number);
  if (!started()) {
    fill(failure, ErrorCode::unsupported, "libvips does not start: " + take_vips_error());
    return nullptr;
  }
  if (loader(kind) == nullptr || vips_type_find("VipsOperation", loader(kind)) == 0) {
    fill(failure, ErrorCode::unsupported, "this libvips has no loader for it");
    return nullptr;
  }
  vips_error_clear();  // what earlier pictures left there, if nobody took it
  *header = {};
  VipsImage* image = load(kind, bytes, size, 1);
  if (image != nullptr) {
    header->declared_width_px = vips_image_get_width(image);
    header->declared_height_px = vips_image_get_height(image);
    const int shrink = kind == PictureKind::jpeg && least_edge_px > 0 ? jpeg_shrink(image, least_edge_px) : 1;
    if (shrink > 1) {
      g_object_unref(image);
      image = load(kind, bytes, size, shrink);
    }
  }
  if (image == nullptr) {
    fill_from_vips(failure);
    return nullptr;
  }
  header->width_px = vips_image_get_width(image);
  header->height_px = vips_image_get_height(image);
  header->samples = vips_image_get_bands(image);
  if (!sample_type(vips_image_get_format(image), header->type) || !color_model(image, header->color)) {
    fill(failure, ErrorCode::unsupported,
         std::string("colours of the kind ") +
             vips_enum_nick(VIPS_TYPE_INTERPRETATION, vips_image_get_interpretation(image)) + " with " +
             std::to_string(header->samples) + " channels of " +
             vips_enum_nick(VIPS_TYPE_BAND_FORMAT, vips_image_get_format(image)));
    g_object_unref(image);
    return nullptr;
  }
  // libheif has turned the picture already.
  if (kind == PictureKind::tiff) header->orientation = vips_image_get_orientation(image);
  if (kind != PictureKind::heif) {
    attach_blob(image, VIPS_META_EXIF_NAME, header->exif, header->exif_bytes);
    attach_blob(image, VIPS_META_XMP_NAME, header->xmp, header->xmp_bytes);
  }
  return new CodecPicture{image, kind};
}

MOA_API int moa_codec_read_2(CodecPicture* picture, CodecRows rows, void* context, CodecFailure* failure) {
  VipsImage* image = picture->image;
  const std::int64_t height_px = vips_image_get_height(image);
  const auto row_bytes = static_cast<std::int64_t>(VIPS_IMAGE_SIZEOF_LINE(image));
  const std::int64_t strip_rows = std::clamp(kStripBytes / row_bytes, std::int64_t{1}, kStripRows);
  const std::unique_ptr<VipsRegion, decltype(&g_object_unref)> region(vips_region_new(image), g_object_unref);
  for (std::int64_t y = 0; y < height_px; y += strip_rows) {
    const VipsRect area{0, static_cast<int>(y), vips_image_get_width(image),
                        static_cast<int>(std::min(strip_rows, height_px - y))};
    if (vips_region_prepare(region.get(), &area) != 0) {
      fill_from_vips(failure);
      return -1;
    }
    rows(context, y, area.height, VIPS_REGION_ADDR(region.get(), 0, area.top),
         static_cast<std::int64_t>(VIPS_REGION_LSKIP(region.get())));
  }
  return 0;
}

MOA_API void moa_codec_close_2(CodecPicture* picture) {
  g_object_unref(picture->image);
  delete picture;
}

}  // extern "C"

}  // namespace moa
