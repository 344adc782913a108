#include "image/resize.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <string>

#include "base/expect_error.hpp"
#include "base/hash.hpp"
#include "image/noise.hpp"
#include "image/weigh.hpp"

namespace moa {
namespace {

constexpr ResizeFilter kFilters[] = {ResizeFilter::nearest, ResizeFilter::box,     ResizeFilter::bilinear,
                                     ResizeFilter::hamming, ResizeFilter::bicubic, ResizeFilter::lanczos};

ResizeFilter filter_named(const std::string& wanted) {
  for (const ResizeFilter filter : kFilters) {
    if (name(filter) == wanted) return filter;
  }
  throw std::runtime_error("no filter " + wanted);
}

TEST(Resize, GivesPillowsBytes) {
  std::ifstream goldens(MOA_TEST_DATA "/image/golden/resize.txt");
  std::int64_t width_px = 0, height_px = 0, new_width_px = 0, new_height_px = 0;
  std::uint32_t seed = 0;
  std::string filter, hash;
  int lines = 0;
  while (goldens >> width_px >> height_px >> seed >> new_width_px >> new_height_px >> filter >> hash) {
    const Picture resized =
        resize(noise(width_px, height_px, seed), new_width_px, new_height_px, filter_named(filter));
    EXPECT_EQ(content_hash(std::as_bytes(std::span(resized.rgb))), hash)
        << width_px << 'x' << height_px << " to " << new_width_px << 'x' << new_height_px << ' ' << filter;
    ++lines;
  }
  EXPECT_GT(lines, 180);
}

TEST(Resize, ARegionIsCutFromTheWhole) {
  const Picture picture = noise(97, 61, 4);
  for (const ResizeFilter filter : kFilters) {
    for (const auto& [width_px, height_px] :
         {std::pair{40, 30}, {200, 150}, {97, 30}, {40, 61}, {97, 61}, {120, 20}}) {
      const Picture all = resize(picture, width_px, height_px, filter);
      const PixelRegion region{7, 3, width_px - 13, height_px - 8};
      const Picture part = resize_region(picture, width_px, height_px, filter, region);
      ASSERT_EQ(part.width_px, region.width_px);
      ASSERT_EQ(part.height_px, region.height_px);
      for (std::int64_t y = 0; y < part.height_px; ++y) {
        EXPECT_EQ(std::memcmp(part.rgb.data() + y * part.width_px * 3,
                              all.rgb.data() + ((region.top + y) * all.width_px + region.left) * 3,
                              static_cast<std::size_t>(part.width_px * 3)),
                  0)
            << name(filter) << ' ' << width_px << 'x' << height_px << " row " << y;
      }
    }
  }
}

TEST(Resize, TheFastLoopGivesWhatPlainArithmeticGives) {
  const Picture bytes = noise(64, 64, 1);
  std::int32_t weights[40];
  for (int t = 0; t < 40; ++t) weights[t] = (t * 7919 % 31 - 9) * (1 << 13);
  for (const int taps : {1, 2, 7, 40}) {
    std::uint8_t found[kWeighLanes];
    weigh_function()(bytes.rgb.data() + 5, 96, weights, taps, found);
    for (std::size_t i = 0; i < kWeighLanes; ++i) {
      std::int64_t sum = 1 << (kWeightBits - 1);
      for (int t = 0; t < taps; ++t) sum += std::int64_t{weights[t]} * bytes.rgb[5 + 96 * t + i];
      EXPECT_EQ(found[i], std::clamp(sum >> kWeightBits, std::int64_t{0}, std::int64_t{255}));
    }
  }
}

TEST(Resize, RefusesSizesThatAreNone) {
  const Picture picture = noise(4, 4, 0);
  MOA_EXPECT_ERROR(resize(picture, 0, 4, ResizeFilter::bicubic), invalid_argument);
  MOA_EXPECT_ERROR(resize(picture, 4, -1, ResizeFilter::bicubic), invalid_argument);
  MOA_EXPECT_ERROR(resize(Picture{}, 4, 4, ResizeFilter::bicubic), invalid_argument);
  MOA_EXPECT_ERROR(resize_region(picture, 8, 8, ResizeFilter::box, {4, 0, 5, 1}), invalid_argument);
  MOA_EXPECT_ERROR(resize_region(picture, 8, 8, ResizeFilter::box, {0, 0, 0, 1}), invalid_argument);
}

TEST(Resize, RefusesMoreThanALegalPicture) {
  const Picture picture = noise(4, 4, 0);
  MOA_EXPECT_ERROR(resize(picture, 100'000, 100'000, ResizeFilter::bicubic), limit_exceeded);
  MOA_EXPECT_ERROR(resize(picture, std::int64_t{1} << 40, 1, ResizeFilter::nearest), limit_exceeded);
}

}  // namespace
}  // namespace moa
