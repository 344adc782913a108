#include "cli/canvas.hpp"

#include <algorithm>
#include <cmath>

#include "base/component.hpp"
#include "base/file.hpp"
#include "cli/canvas_component.hpp"
#include "cli/display.hpp"
#include "image/resize.hpp"

namespace moa::cli {
namespace {

constexpr std::uint64_t kMaxPictureFileBytes = std::uint64_t{2} << 30;

[[noreturn]] void rethrow(const CanvasFailure& failure) {
  throw Error(static_cast<ErrorCode>(failure.code), failure.message);
}

// What is drawn is cut to its ink, which does not tell where the line is, and fonts that stand in for missing
// letters move it. So an H is drawn before the text, read and taken away: its feet stand on the line.
constexpr std::string_view kBeforeText = "H ";

TextMask without_letter_before(const TextMask& drawn) {
  const auto coverage = [&](std::int64_t x, std::int64_t y) {
    return drawn.coverage[static_cast<std::size_t>(y * drawn.width_px + x)];
  };
  const auto is_blank = [&](std::int64_t x) {
    for (std::int64_t y = 0; y < drawn.height_px; ++y) {
      if (coverage(x, y) != 0) return false;
    }
    return true;
  };
  TextMask text;
  text.height_px = drawn.height_px;
  constexpr int kInk = 128;
  std::int64_t left = 0;
  for (; left < drawn.width_px && !is_blank(left); ++left) {
    for (std::int64_t y = text.ascent_px; y < drawn.height_px; ++y) {
      if (coverage(left, y) >= kInk) text.ascent_px = y + 1;
    }
  }
  while (left < drawn.width_px && is_blank(left)) ++left;
  text.width_px = drawn.width_px - left;
  for (std::int64_t y = 0; y < drawn.height_px; ++y) {
    const auto row = drawn.coverage.begin() + y * drawn.width_px;
    text.coverage.insert(text.coverage.end(), row + left, row + drawn.width_px);
  }
  return text;
}

TextMask draw_whole(const std::string& text, const std::string& font) {
  TextMask mask;
  if (text.empty()) return mask;
  const auto take = [](void* context, std::int64_t width_px, std::int64_t height_px,
                       const std::uint8_t* coverage) {
    *static_cast<TextMask*>(context) = {width_px, height_px, 0, {coverage, coverage + width_px * height_px}};
  };
  CanvasFailure failure{};
  auto* draw = Component::open(kCanvasComponent).function<CanvasText>(kCanvasText);
  const std::string after_letter = std::string(kBeforeText) + text;
  if (draw(after_letter.c_str(), font.c_str(), take, &mask, &failure) != 0) rethrow(failure);
  return without_letter_before(mask);
}

std::string to_file(const Picture& picture, CanvasFormat format) {
  std::string file;
  const auto take = [](void* context, const void* bytes, std::size_t size) {
    static_cast<std::string*>(context)->assign(static_cast<const char*>(bytes), size);
  };
  CanvasFailure failure{};
  auto* write = Component::open(kCanvasComponent).function<CanvasWrite>(kCanvasWrite);
  if (write(static_cast<std::int32_t>(format), picture.width_px, picture.height_px, picture.rgb.data(), take,
            &file, &failure) != 0) {
    rethrow(failure);
  }
  return file;
}

}  // namespace

TextMask draw_text(const std::string& text, const std::string& font, std::int64_t max_width_px) {
  std::string shown = displayable(text);
  TextMask mask = draw_whole(shown, font);
  // Each round cuts at least one column; the first guess from the measured width is nearly always enough.
  for (std::size_t columns = display_width(shown); mask.width_px > max_width_px && columns > 1;) {
    columns = std::min(columns - 1, columns * static_cast<std::size_t>(max_width_px) /
                                        static_cast<std::size_t>(mask.width_px));
    mask = draw_whole(cut_middle(shown, std::max<std::size_t>(columns, 1)), font);
  }
  return mask;
}

std::string to_png(const Picture& picture) {
  return to_file(picture, CanvasFormat::png);
}
std::string to_jpeg(const Picture& picture) {
  return to_file(picture, CanvasFormat::jpeg);
}

Canvas::Canvas(std::int64_t width_px, std::int64_t height_px, Color background) {
  constexpr std::int64_t kMaxPixels = 100'000'000;
  if (width_px <= 0 || height_px <= 0 || width_px > kMaxPixels / height_px) {
    throw Error(ErrorCode::limit_exceeded, "cannot draw a sheet of " + std::to_string(width_px) + " by " +
                                               std::to_string(height_px) +
                                               " pixels: expected at most 100 megapixels");
  }
  picture_.width_px = width_px;
  picture_.height_px = height_px;
  picture_.rgb.resize(static_cast<std::size_t>(width_px * height_px * 3));
  fill(0, 0, width_px, height_px, background);
}

void Canvas::fill(std::int64_t left, std::int64_t top, std::int64_t width_px, std::int64_t height_px,
                  Color color) {
  const std::int64_t right = std::min(left + width_px, picture_.width_px);
  const std::int64_t bottom = std::min(top + height_px, picture_.height_px);
  for (std::int64_t y = std::max<std::int64_t>(top, 0); y < bottom; ++y) {
    for (std::int64_t x = std::max<std::int64_t>(left, 0); x < right; ++x) {
      std::uint8_t* pixel = &picture_.rgb[static_cast<std::size_t>((y * picture_.width_px + x) * 3)];
      pixel[0] = color.red;
      pixel[1] = color.green;
      pixel[2] = color.blue;
    }
  }
}

void Canvas::place(const Picture& picture, std::int64_t left, std::int64_t top) {
  const std::int64_t first = std::max<std::int64_t>(0, -left);
  const std::int64_t last = std::min(picture.width_px, picture_.width_px - left);
  for (std::int64_t y = std::max<std::int64_t>(0, -top);
       y < std::min(picture.height_px, picture_.height_px - top); ++y) {
    if (first >= last) return;
    const auto* from = &picture.rgb[static_cast<std::size_t>((y * picture.width_px + first) * 3)];
    std::copy(from, from + (last - first) * 3,
              &picture_.rgb[static_cast<std::size_t>(((y + top) * picture_.width_px + left + first) * 3)]);
  }
}

void Canvas::write(const TextMask& text, std::int64_t left, std::int64_t baseline, Color color) {
  const std::int64_t top = baseline - text.ascent_px;
  const std::uint8_t ink[3] = {color.red, color.green, color.blue};
  for (std::int64_t y = 0; y < text.height_px; ++y) {
    for (std::int64_t x = 0; x < text.width_px; ++x) {
      const std::int64_t to_x = left + x;
      const std::int64_t to_y = top + y;
      if (to_x < 0 || to_y < 0 || to_x >= picture_.width_px || to_y >= picture_.height_px) continue;
      const int alpha = text.coverage[static_cast<std::size_t>(y * text.width_px + x)];
      std::uint8_t* pixel = &picture_.rgb[static_cast<std::size_t>((to_y * picture_.width_px + to_x) * 3)];
      for (int channel = 0; channel < 3; ++channel) {
        pixel[channel] =
            static_cast<std::uint8_t>((pixel[channel] * (255 - alpha) + ink[channel] * alpha + 127) / 255);
      }
    }
  }
}

Picture thumbnail(const std::string& path, std::int64_t box_width_px, std::int64_t box_height_px) {
  const std::string content = read_file(path, kMaxPictureFileBytes);
  Picture picture = decode_picture(as_bytes(content));
  const double shrink =
      std::min({1.0, static_cast<double>(box_width_px) / static_cast<double>(picture.width_px),
                static_cast<double>(box_height_px) / static_cast<double>(picture.height_px)});
  if (shrink == 1.0) return picture;
  const auto shrunk = [&](std::int64_t size) {
    return std::max<std::int64_t>(1, std::llround(static_cast<double>(size) * shrink));
  };
  return resize(picture, shrunk(picture.width_px), shrunk(picture.height_px), ResizeFilter::lanczos);
}

}  // namespace moa::cli
