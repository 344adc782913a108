// The component moa-png: PNG pictures by libpng, through the door of codec.hpp. (libvips, which uses libpng
// too, keeps to itself what libpng says of checksums; and it takes 40 ms to start.)
#include <png.h>

#include <csetjmp>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <string_view>

#include "image/codec.hpp"
#include "image/codec_failure.hpp"

namespace moa {

// libpng leaves a function that fails by longjmp, over whatever lies between: so all that must be cleaned up
// stands here, and the functions that call it hold nothing of their own.
struct CodecPicture {
  const std::uint8_t* bytes = nullptr;
  std::size_t size = 0;
  std::size_t at = 0;
  png_structp png = nullptr;
  png_infop info = nullptr;
  std::unique_ptr<std::uint8_t[]> samples;
  bool is_cut_short = false;
  bool stream_sum_is_broken = false;
  char message[256] = {};

  CodecPicture() = default;
  CodecPicture(const CodecPicture&) = delete;
  CodecPicture& operator=(const CodecPicture&) = delete;
  ~CodecPicture() { png_destroy_read_struct(&png, &info, nullptr); }
};

namespace {

CodecPicture& picture_of(png_structp png) {
  return *static_cast<CodecPicture*>(png_get_error_ptr(png));
}

[[noreturn]] void on_error(png_structp png, png_const_charp message) {
  CodecPicture& picture = picture_of(png);
  std::strncpy(picture.message, message, sizeof picture.message - 1);
  png_longjmp(png, 1);
}

// Most of what libpng warns of, readers take no notice of. But it calls a compressed stream's broken Adler-32
// a warning too, when every pixel has been read; these are zlib's words for it.
void on_warning(png_structp png, png_const_charp message) {
  if (std::string_view(message).ends_with("incorrect data check")) {
    picture_of(png).stream_sum_is_broken = true;
  }
}

void read_bytes(png_structp png, png_bytep into, std::size_t size) {
  auto& picture = *static_cast<CodecPicture*>(png_get_io_ptr(png));
  if (size > picture.size - picture.at) {
    picture.is_cut_short = true;
    png_error(png, "it ends early");
  }
  std::memcpy(into, picture.bytes + picture.at, size);
  picture.at += size;
}

// The header, which is all that stands before the pixels. False: libpng failed.
bool read_header(CodecPicture& picture) {
  if (setjmp(png_jmpbuf(picture.png)) != 0) return false;
  png_set_read_fn(picture.png, &picture, read_bytes);
  png_set_crc_action(picture.png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
  // How large a picture may be is the caller's affair.
  png_set_user_limits(picture.png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
  png_read_info(picture.png, picture.info);
  return true;
}

void describe(const CodecPicture& picture, CodecHeader& header) {
  const int color_type = png_get_color_type(picture.png, picture.info);
  const bool is_rgb = (color_type & PNG_COLOR_MASK_COLOR) != 0;  // a palette's too
  const bool has_alpha = (color_type & PNG_COLOR_MASK_ALPHA) != 0 ||
                         png_get_valid(picture.png, picture.info, PNG_INFO_tRNS) != 0;
  header = {};
  header.width_px = header.declared_width_px = png_get_image_width(picture.png, picture.info);
  header.height_px = header.declared_height_px = png_get_image_height(picture.png, picture.info);
  header.samples = (is_rgb ? 3 : 1) + (has_alpha ? 1 : 0);
  header.type = png_get_bit_depth(picture.png, picture.info) == 16 ? SampleType::u16 : SampleType::u8;
  if (is_rgb) {
    header.color = has_alpha ? ColorModel::rgba : ColorModel::rgb;
  } else {
    header.color = has_alpha ? ColorModel::gray_alpha : ColorModel::gray;
  }

  png_bytep exif = nullptr;
  png_uint_32 exif_bytes = 0;
  if (png_get_eXIf_1(picture.png, picture.info, &exif_bytes, &exif) != 0) {
    header.exif = exif;
    header.exif_bytes = exif_bytes;
  }
  png_textp texts = nullptr;
  int count = 0;
  png_get_text(picture.png, picture.info, &texts, &count);
  for (int i = 0; i < count; ++i) {
    if (std::string_view(texts[i].key) != "XML:com.adobe.xmp" || texts[i].text == nullptr) continue;
    header.xmp = texts[i].text;
    header.xmp_bytes = std::strlen(texts[i].text);
  }
}

enum class Reading { done, failed, out_of_memory };

// From the header to the last pixel.
Reading read_pixels(CodecPicture& picture, CodecRows rows, void* context) {
  png_structp png = picture.png;
  if (setjmp(png_jmpbuf(png)) != 0) return Reading::failed;
  png_set_palette_to_rgb(png);
  png_set_expand_gray_1_2_4_to_8(png);
  png_set_tRNS_to_alpha(png);
  png_set_swap(png);  // to the machine's byte order
  const int passes = png_set_interlace_handling(png);
  png_read_update_info(png, picture.info);

  // An interlaced picture is not complete before its last pass.
  const std::size_t height_px = png_get_image_height(png, picture.info);
  const std::size_t row_bytes = png_get_rowbytes(png, picture.info);
  const std::size_t rows_held = passes > 1 ? height_px : 1;
  if (row_bytes > SIZE_MAX / rows_held) return Reading::out_of_memory;
  picture.samples.reset(new (std::nothrow) std::uint8_t[rows_held * row_bytes]);
  if (!picture.samples) return Reading::out_of_memory;
  const auto stride_bytes = static_cast<std::int64_t>(row_bytes);
  for (int pass = 0; pass < passes; ++pass) {
    for (std::size_t y = 0; y < height_px; ++y) {
      std::uint8_t* row = picture.samples.get() + (passes > 1 ? y * row_bytes : 0);
      png_read_row(png, row, nullptr);
      if (passes == 1) rows(context, static_cast<std::int64_t>(y), 1, row, stride_bytes);
    }
  }
  if (passes > 1) {
    rows(context, 0, static_cast<std::int64_t>(height_px), picture.samples.get(), stride_bytes);
  }
  return Reading::done;
}

// What stands behind the pixels counts for its checksums alone; that it is missing does not matter.
bool rest_is_sound(CodecPicture& picture) {
  if (setjmp(png_jmpbuf(picture.png)) != 0) return picture.is_cut_short;
  png_read_end(picture.png, nullptr);
  return true;
}

}  // namespace

extern "C" {

MOA_API CodecPicture* moa_codec_open_2(std::int32_t, const void* bytes, std::size_t size, std::int64_t,
                                       CodecHeader* header, CodecFailure* failure) {
  std::unique_ptr<CodecPicture> picture(new (std::nothrow) CodecPicture);
  if (picture) {
    picture->bytes = static_cast<const std::uint8_t*>(bytes);
    picture->size = size;
    picture->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, picture.get(), on_error, on_warning);
    picture->info = picture->png == nullptr ? nullptr : png_create_info_struct(picture->png);
  }
  if (!picture || picture->info == nullptr) {
    fill(failure, ErrorCode::limit_exceeded, "no memory for a decoder");
    return nullptr;
  }
  if (!read_header(*picture)) {
    fill(failure, ErrorCode::corrupt_data, picture->message);
    return nullptr;
  }
  describe(*picture, *header);
  return picture.release();
}

MOA_API int moa_codec_read_2(CodecPicture* picture, CodecRows rows, void* context, CodecFailure* failure) {
  const Reading reading = read_pixels(*picture, rows, context);
  if (reading == Reading::out_of_memory) {
    fill(failure, ErrorCode::limit_exceeded, "no memory for its rows");
  } else if (reading == Reading::failed || !rest_is_sound(*picture)) {
    fill(failure, ErrorCode::corrupt_data, picture->message);
  } else if (picture->stream_sum_is_broken) {
    fill(failure, ErrorCode::corrupt_data, "the checksum of its compressed pixels is broken");
  } else {
    return 0;
  }
  return -1;
}

MOA_API void moa_codec_close_2(CodecPicture* picture) {
  delete picture;
}

}  // extern "C"

}  // namespace moa
