// The door to the component moa-canvas, in plain C: drawing text (libvips' Pango) and writing PNG and JPEG.
// It is opened when a sheet or page is asked for, and only then. Nothing is thrown through it, and nothing
// allocated on one side is freed on the other: bytes are handed to a sink.
#pragma once

#include <cstddef>
#include <cstdint>

namespace moa::cli {

struct CanvasFailure {
  std::int32_t code;  // a moa::ErrorCode
  char message[512];
};

enum class CanvasFormat : std::int32_t { png, jpeg };

// Must not throw.
using CanvasMaskSink = void (*)(void* context, std::int64_t width_px, std::int64_t height_px,
                                const std::uint8_t* coverage);
using CanvasBytesSink = void (*)(void* context, const void* bytes, std::size_t size);

extern "C" {
// One line of text, not markup, as coverage (0 … 255) of every pixel. `font` is Pango's description, "sans
// bold 14"; a point is a pixel. Returns 0, or -1 with `failure` filled.
using CanvasText = int(const char* utf8, const char* font, CanvasMaskSink sink, void* context,
                       CanvasFailure* failure);
// A picture [height_px, width_px, 3] as a file.
using CanvasWrite = int(std::int32_t format, std::int64_t width_px, std::int64_t height_px,
                        const std::uint8_t* rgb, CanvasBytesSink sink, void* context, CanvasFailure* failure);
}

inline constexpr const char* kCanvasComponent = "moa-canvas";
inline constexpr const char* kCanvasText = "moa_canvas_text_1";  // the number changes with this file
inline constexpr const char* kCanvasWrite = "moa_canvas_write_1";

}  // namespace moa::cli
