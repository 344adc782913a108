#include "image/color_adjust.hpp"

#include <cmath>
#include <fstream>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

#include "base/expect_error.hpp"
#include "base/hash.hpp"
#include "image/noise.hpp"
#include "image/resize.hpp"

namespace moa {
namespace {

std::string hash_of(const Picture& picture) {
  return content_hash(std::as_bytes(std::span(picture.rgb)));
}

// Every colour once.
Picture all_colors() {
  Picture picture{4096, 4096, std::vector<std::uint8_t>(std::size_t{3} << 24)};
  for (std::uint32_t code = 0; code < 1U << 24; ++code) {
    for (int c = 0; c < 3; ++c)
      picture.rgb[3 * std::size_t{code} + c] = static_cast<std::uint8_t>(code >> (16 - 8 * c));
  }
  return picture;
}

Picture adjusted(const std::string& operation, std::istream& line) {
  double argument = 0;
  std::string seed;
  line >> argument >> seed;
  Picture picture =
      seed == "all" ? all_colors() : noise(61, 47, static_cast<std::uint32_t>(std::stoul(seed)));
  const auto factor = static_cast<float>(argument);
  if (operation == "brightness") adjust_brightness(picture, factor);
  if (operation == "contrast") adjust_contrast(picture, factor);
  if (operation == "saturation") adjust_saturation(picture, factor);
  if (operation == "hue") adjust_hue(picture, argument);
  if (operation == "flip") flip_left_right(picture);
  return picture;
}

Picture resized_crop(std::istream& line) {
  PixelRegion region;
  std::int64_t width_px = 0;
  std::int64_t height_px = 0;
  std::string filter;
  std::uint32_t seed = 0;
  line >> region.left >> region.top >> region.width_px >> region.height_px >> width_px >> height_px >>
      filter >> seed;
  return resize(crop(noise(201, 133, seed), region), width_px, height_px,
                filter == "bicubic" ? ResizeFilter::bicubic : ResizeFilter::bilinear);
}

TEST(ColorAdjust, GivesTorchvisionsBytes) {
  std::ifstream goldens(MOA_TEST_DATA "/image/golden/colors.txt");
  int lines = 0;
  for (std::string text; std::getline(goldens, text); ++lines) {
    std::istringstream line(text);
    std::string operation;
    std::string hash;
    line >> operation;
    const Picture picture = operation == "crop" ? resized_crop(line) : adjusted(operation, line);
    line >> hash;
    EXPECT_EQ(hash_of(picture), hash) << text;
  }
  EXPECT_GT(lines, 80);
}

TEST(ColorAdjust, RefusesFactorsThatAreNone) {
  Picture picture = noise(4, 4, 2);
  for (const float factor : {-0.1F, std::nanf(""), INFINITY}) {
    MOA_EXPECT_ERROR(adjust_brightness(picture, factor), invalid_argument);
    MOA_EXPECT_ERROR(adjust_contrast(picture, factor), invalid_argument);
    MOA_EXPECT_ERROR(adjust_saturation(picture, factor), invalid_argument);
  }
  for (const double turns : {-0.51, 0.51, std::nan("")})
    MOA_EXPECT_ERROR(adjust_hue(picture, turns), invalid_argument);
}

TEST(Crop, RefusesWhatLiesOutside) {
  const Picture picture = noise(10, 8, 2);
  for (const PixelRegion region :
       {PixelRegion{-1, 0, 2, 2}, {0, 0, 11, 2}, {9, 7, 1, 2}, {0, 0, 0, 1}, {1, 1, INT64_MAX, 1}}) {
    MOA_EXPECT_ERROR(crop(picture, region), invalid_argument);
  }
}

}  // namespace
}  // namespace moa
