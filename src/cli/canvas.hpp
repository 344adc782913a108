// A picture to draw on: filled rectangles, other pictures, and lines of text.
#pragma once

#include <cstdint>
#include <string>

#include "image/picture.hpp"

namespace moa::cli {

struct Color {
  std::uint8_t red, green, blue;
};

// Text as coverage of pixels, [height_px, width_px], without blank columns on either side.
struct TextMask {
  std::int64_t width_px = 0;
  std::int64_t height_px = 0;
  std::int64_t ascent_px = 0;  // of those rows, how many stand above the line that letters stand on
  std::vector<std::uint8_t> coverage;
};

// Errors of all that draw text or write files: unsupported if the component moa-canvas is not there.

// One line of `text` in `font` ("sans bold 14"; a point is a pixel). What does not fit into `max_width_px`
// loses its middle.
TextMask draw_text(const std::string& text, const std::string& font, std::int64_t max_width_px);

// The picture as a PNG or JPEG file.
std::string to_png(const Picture& picture);
std::string to_jpeg(const Picture& picture);

// Everything that lies outside is cut off.
class Canvas {
 public:
  // Error: limit_exceeded above 100 megapixels.
  Canvas(std::int64_t width_px, std::int64_t height_px, Color background);

  void fill(std::int64_t left, std::int64_t top, std::int64_t width_px, std::int64_t height_px, Color color);
  void place(const Picture& picture, std::int64_t left, std::int64_t top);
  // `baseline`: where the letters' feet are, so that texts side by side stand on one line.
  void write(const TextMask& text, std::int64_t left, std::int64_t baseline, Color color);

  const Picture& picture() const { return picture_; }

 private:
  Picture picture_;
};

// The picture in the file, made to fit into a box without being enlarged. Errors: those of reading and
// decoding.
Picture thumbnail(const std::string& path, std::int64_t box_width_px, std::int64_t box_height_px);

}  // namespace moa::cli
