#include "train/augmentation.hpp"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "image/noise.hpp"

namespace moa::train {
namespace {

TEST(RandomCrop, KeepsAreaAndRatioInsideTheirBounds) {
  const AugmentationOptions options{.least_scale = 0.2, .most_scale = 0.6};
  double least = 1;
  double most = 0;
  for (std::uint64_t i = 0; i < 2000; ++i) {
    Random random({9, i});
    const PixelRegion region = random_crop(400, 300, options, random);
    ASSERT_GE(region.left, 0);
    ASSERT_GE(region.top, 0);
    ASSERT_LE(region.left + region.width_px, 400);
    ASSERT_LE(region.top + region.height_px, 300);
    const auto width = static_cast<double>(region.width_px);
    const auto height = static_cast<double>(region.height_px);
    least = std::min(least, width * height / 120'000);
    most = std::max(most, width * height / 120'000);
    EXPECT_GT(width / height, 0.74);
    EXPECT_LT(width / height, 1.35);
  }
  EXPECT_NEAR(least, 0.2, 0.01);
  EXPECT_NEAR(most, 0.6, 0.01);
}

TEST(RandomCrop, OfAPictureThatIsTooLongTakesTheMiddle) {
  const AugmentationOptions whole{.least_scale = 1, .most_scale = 1};
  Random random({1});
  const PixelRegion wide = random_crop(1000, 30, whole, random);
  EXPECT_EQ(wide.width_px, 40);
  EXPECT_EQ(wide.height_px, 30);
  EXPECT_EQ(wide.left, 480);
  const PixelRegion high = random_crop(30, 1000, whole, random);
  EXPECT_EQ(high.height_px, 40);
  EXPECT_EQ(random_crop(1, 1, {}, random).width_px, 1);
}

TEST(Augment, TheStreamDecidesAll) {
  const AugmentationOptions options{
      .flip_probability = 0.5, .brightness = 0.4, .contrast = 0.4, .saturation = 0.4, .hue = 0.1};
  const auto made = [&](std::uint64_t key) {
    Random random({key});
    return augment(noise(60, 40, 2), 24, 24, ResizeFilter::bicubic, options, random).rgb;
  };
  EXPECT_EQ(made(1), made(1));
  EXPECT_NE(made(1), made(2));
}

TEST(Augment, WithoutAnythingThePictureStays) {
  Random random({1});
  const Picture picture = noise(60, 40, 2);
  EXPECT_EQ(augment(picture, 24, 24, ResizeFilter::bicubic, {.random_resized_crop = false}, random).rgb,
            picture.rgb);
  Picture flipped = augment(picture, 24, 24, ResizeFilter::bicubic,
                            {.random_resized_crop = false, .flip_probability = 1}, random);
  EXPECT_NE(flipped.rgb, picture.rgb);
  EXPECT_TRUE(std::equal(flipped.rgb.begin(), flipped.rgb.begin() + 3, picture.rgb.begin() + 59 * 3));
}

}  // namespace
}  // namespace moa::train
