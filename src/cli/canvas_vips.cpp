// The component moa-canvas: the only source file of the command that includes libvips.
#include <vips/vips.h>

#include <cstdio>
#include <memory>
#include <mutex>
#include <string>

#include <moa/error.hpp>

#include "cli/canvas_component.hpp"

namespace {

using moa::ErrorCode;
using moa::cli::CanvasBytesSink;
using moa::cli::CanvasFailure;
using moa::cli::CanvasFormat;
using moa::cli::CanvasMaskSink;

struct Unref {
  void operator()(VipsImage* image) const { g_object_unref(image); }
};
using Image = std::unique_ptr<VipsImage, Unref>;

struct Free {
  void operator()(void* memory) const { g_free(memory); }
};

int fail(CanvasFailure* failure, ErrorCode code, const char* attempted) {
  const char* reason = vips_error_buffer();
  failure->code = static_cast<std::int32_t>(code);
  std::snprintf(failure->message, sizeof failure->message, "cannot %s: %s", attempted, reason);
  vips_error_clear();
  return -1;
}

bool start() {
  static std::once_flag once;
  static bool started = false;
  std::call_once(once, [] { started = VIPS_INIT("moa") == 0; });
  return started;
}

}  // namespace

extern "C" __attribute__((visibility("default"))) int moa_canvas_text_1(const char* utf8, const char* font,
                                                                        CanvasMaskSink sink, void* context,
                                                                        CanvasFailure* failure) {
  if (!start()) return fail(failure, ErrorCode::internal, "start libvips");
  // vips_text reads its text as markup.
  const std::unique_ptr<char, Free> literal(g_markup_escape_text(utf8, -1));
  VipsImage* made = nullptr;
  if (vips_text(&made, literal.get(), "font", font, "dpi", 72, nullptr) != 0) {
    return fail(failure, ErrorCode::unsupported, "draw text");
  }
  const Image text(made);
  std::size_t size = 0;
  const std::unique_ptr<void, Free> coverage(vips_image_write_to_memory(text.get(), &size));
  const auto pixels = static_cast<std::size_t>(vips_image_get_width(text.get())) *
                      static_cast<std::size_t>(vips_image_get_height(text.get()));
  if (coverage == nullptr || size != pixels) return fail(failure, ErrorCode::internal, "draw text");
  sink(context, vips_image_get_width(text.get()), vips_image_get_height(text.get()),
       static_cast<const std::uint8_t*>(coverage.get()));
  return 0;
}

extern "C" __attribute__((visibility("default"))) int moa_canvas_write_1(
    std::int32_t format, std::int64_t width_px, std::int64_t height_px, const std::uint8_t* rgb,
    CanvasBytesSink sink, void* context, CanvasFailure* failure) {
  if (!start()) return fail(failure, ErrorCode::internal, "start libvips");
  const auto size = static_cast<std::size_t>(width_px * height_px * 3);
  VipsImage* plain = vips_image_new_from_memory(rgb, size, static_cast<int>(width_px),
                                                static_cast<int>(height_px), 3, VIPS_FORMAT_UCHAR);
  if (plain == nullptr) return fail(failure, ErrorCode::internal, "take the picture");
  const Image bare(plain);
  VipsImage* tagged = nullptr;
  if (vips_copy(bare.get(), &tagged, "interpretation", VIPS_INTERPRETATION_sRGB, nullptr) != 0) {
    return fail(failure, ErrorCode::internal, "take the picture");
  }
  const Image picture(tagged);
  void* bytes = nullptr;
  std::size_t written = 0;
  const int failed =
      format == static_cast<std::int32_t>(CanvasFormat::png)
          ? vips_pngsave_buffer(picture.get(), &bytes, &written, "compression", 6, nullptr)
          : vips_jpegsave_buffer(picture.get(), &bytes, &written, "Q", 85, "optimize_coding", TRUE, nullptr);
  const std::unique_ptr<void, Free> file(bytes);
  if (failed != 0) return fail(failure, ErrorCode::limit_exceeded, "write the picture");
  sink(context, file.get(), written);
  return 0;
}
