#include "image/processor.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <thread>

#include "base/expect_error.hpp"
#include "base/hash.hpp"
#include "image/noise.hpp"
#include "image/patch_processor.hpp"

namespace moa {
namespace {

Config json(const std::string& text) {
  return Config::parse(text, "preprocessor_config.json");
}

std::vector<float> pixels(const ImageProcessor& processor, const Picture& picture) {
  std::vector<float> values(
      static_cast<std::size_t>(processor.channels() * processor.height_px() * processor.width_px()));
  processor.preprocess(picture, values);
  return values;
}

// The size of the grid before the values of its patches.
std::vector<float> patches(const PatchProcessor& processor, const Picture& picture) {
  const PatchedPicture patched = processor.preprocess(picture);
  std::vector<float> values = {static_cast<float>(patched.height_patches),
                               static_cast<float>(patched.width_patches)};
  values.insert(values.end(), patched.values.begin(), patched.values.end());
  return values;
}

std::vector<float> pixels_by(const std::string& source, const Config& config, const Picture& picture) {
  if (source == "patches") return patches(PatchProcessor::from_config(config), picture);
  return pixels(
      source == "open_clip" ? ImageProcessor::from_open_clip(config, 0) : ImageProcessor::from_config(config),
      picture);
}

TEST(ImageProcessor, GivesTheReferencesPixels) {
  std::ifstream goldens(MOA_TEST_DATA "/image/golden/processors.txt");
  int lines = 0;
  for (std::string source, config, picture, hash; std::getline(goldens, source, '\t'); ++lines) {
    std::getline(goldens, config, '\t');
    std::getline(goldens, picture, '\t');
    std::getline(goldens, hash);
    std::int64_t width_px = 0, height_px = 0;
    std::uint32_t seed = 0;
    std::istringstream(picture) >> width_px >> height_px >> seed;
    const std::vector<float> values = pixels_by(source, json(config), noise(width_px, height_px, seed));
    EXPECT_EQ(content_hash(std::as_bytes(std::span(values))), hash) << config << ' ' << picture;
  }
  EXPECT_GT(lines, 450);
}

TEST(ImageProcessor, TakesTheModelsSizeWhereOpenClipNamesNone) {
  const ImageProcessor processor = ImageProcessor::from_open_clip(json("{}"), 336);
  EXPECT_EQ(processor.width_px(), 336);
  EXPECT_EQ(processor.height_px(), 336);
}

TEST(ImageProcessor, TakesTheFallbackClassWhereNoneIsNamed) {
  EXPECT_EQ(ImageProcessor::from_config(json("{}"), "BlipImageProcessor").width_px(), 384);
  MOA_EXPECT_ERROR(ImageProcessor::from_config(json("{}")), unsupported);
}

TEST(ImageProcessor, ChannelsCanBeOneNumber) {
  const ImageProcessor processor = ImageProcessor::from_config(
      json(R"({"image_processor_type":"ViTImageProcessor","image_mean":0.25,"image_std":2})"));
  EXPECT_EQ(processor.recipe().mean, (std::array{0.25, 0.25, 0.25}));
  EXPECT_EQ(processor.recipe().std, (std::array{2.0, 2.0, 2.0}));
}

TEST(ImageProcessor, DescribesWhatDecidesThePixels) {
  const auto describe = [](const std::string& text) {
    return ImageProcessor::from_config(json(text)).description();
  };
  const std::string clip = describe(R"({"image_processor_type":"CLIPImageProcessor"})");
  EXPECT_EQ(clip, describe(R"({"feature_extractor_type":"CLIPFeatureExtractor","size":224})"));
  EXPECT_NE(clip, describe(R"({"image_processor_type":"CLIPImageProcessor","resample":2})"));
  EXPECT_NE(clip, describe(R"({"image_processor_type":"CLIPImageProcessor","image_mean":[0,0,0]})"));
}

TEST(ImageProcessor, RefusesWhatItDoesNotKnow) {
  const auto build = [](const std::string& text) { return ImageProcessor::from_config(json(text)); };
  MOA_EXPECT_ERROR(build(R"({"image_processor_type":"Siglip2ImageProcessor"})"), unsupported);
  MOA_EXPECT_ERROR(build(R"({"image_processor_type":"CLIPImageProcessor","resample":9})"), unsupported);
  MOA_EXPECT_ERROR(build(R"({"image_processor_type":"CLIPImageProcessor","do_center_crop":false})"),
                   unsupported);
  MOA_EXPECT_ERROR(build(R"({"image_processor_type":"CLIPImageProcessor","size":{"longest_edge":9}})"),
                   unsupported);
  MOA_EXPECT_ERROR(
      build(
          R"({"image_processor_type":"CLIPImageProcessor","do_pad":true,"pad_size":{"height":9,"width":9}})"),
      unsupported);
  EXPECT_EQ(
      build(R"({"image_processor_type":"BlipImageProcessor","do_pad":true,"size_divisor":32})").description(),
      build(R"({"image_processor_type":"BlipImageProcessor"})").description());
  MOA_EXPECT_ERROR(build(R"({"image_processor_type":"CLIPImageProcessor","image_mean":[1,2]})"), unsupported);
  MOA_EXPECT_ERROR(ImageProcessor::from_open_clip(json(R"({"interpolation":"nearest"})"), 224), unsupported);
  MOA_EXPECT_ERROR(ImageProcessor::from_open_clip(json(R"({"resize_mode":"tile"})"), 224), unsupported);
}

TEST(PatchProcessor, RefusesWhatItDoesNotKnow) {
  const auto build = [](const std::string& text) { return PatchProcessor::from_config(json(text)); };
  MOA_EXPECT_ERROR(build(R"({"do_resize":false})"), unsupported);
  MOA_EXPECT_ERROR(build(R"({"resample":9})"), unsupported);
  MOA_EXPECT_ERROR(build(R"({"patch_size":0})"), out_of_range);
  MOA_EXPECT_ERROR(build(R"({"max_num_patches":1000000})"), out_of_range);
  MOA_EXPECT_ERROR(build("{}").preprocess(Picture{}), invalid_argument);
  MOA_EXPECT_ERROR(build(R"({"image_processor_type":"SiglipImageProcessor"})"), unsupported);
  EXPECT_EQ(build(R"({"image_processor_type":"Siglip2ImageProcessorFast"})").patch_px(), 16);
}

TEST(PatchProcessor, AStripHasAsManyPatchesAsFit) {
  const PatchedPicture strip = PatchProcessor::from_config(json(R"({"patch_size":4,"max_num_patches":9})"))
                                   .preprocess(noise(3000, 1, 1));
  EXPECT_EQ(strip.height_patches, 1);
  EXPECT_EQ(strip.width_patches, 9);
  EXPECT_EQ(strip.values.size(), 9U * 4 * 4 * 3);
}

TEST(ImageProcessor, RefusesImpossibleNumbers) {
  const auto build = [](const std::string& text) { return ImageProcessor::from_config(json(text)); };
  MOA_EXPECT_ERROR(build(R"({"image_processor_type":"CLIPImageProcessor","size":0})"), out_of_range);
  MOA_EXPECT_ERROR(build(R"({"image_processor_type":"CLIPImageProcessor","crop_size":4097})"), out_of_range);
  MOA_EXPECT_ERROR(build(R"({"image_processor_type":"CLIPImageProcessor","size":{"shortest_edge":99999}})"),
                   out_of_range);
  MOA_EXPECT_ERROR(build(R"({"image_processor_type":"CLIPImageProcessor","image_std":[1,0,1]})"),
                   out_of_range);
  MOA_EXPECT_ERROR(
      build(R"({"image_processor_type":"ConvNextImageProcessor","size":{"shortest_edge":224},"crop_pct":0})"),
      out_of_range);
  MOA_EXPECT_ERROR(ImageProcessor::from_open_clip(json("{}"), 0), out_of_range);
  MOA_EXPECT_ERROR(build(R"({"image_processor_type":"CLIPImageProcessor","size":"large"})"), corrupt_data);
}

TEST(ImageProcessor, RefusesTheWrongAmountOfRoom) {
  const ImageProcessor processor = ImageProcessor::from_open_clip(json("{}"), 32);
  std::vector<float> room(3 * 32 * 32 - 1);
  MOA_EXPECT_ERROR(processor.preprocess(noise(4, 4, 0), room), invalid_argument);
  std::vector<float> enough(3 * 32 * 32);
  MOA_EXPECT_ERROR(processor.preprocess(Picture{}, enough), invalid_argument);
}

TEST(ImageProcessor, StripsOfOnePixelComeThrough) {
  for (const auto* text :
       {R"({"size":64,"resize_mode":"longest"})", R"({"size":64})", R"({"size":[30,64]})"}) {
    const ImageProcessor processor = ImageProcessor::from_open_clip(json(text), 0);
    pixels(processor, noise(5000, 1, 2));
    pixels(processor, noise(1, 5000, 2));
  }
}

TEST(ImageProcessor, ThreadsGetTheSamePixels) {
  const ImageProcessor processor = ImageProcessor::from_open_clip(json("{}"), 48);
  const Picture picture = noise(333, 222, 6);
  const std::vector<float> expected = pixels(processor, picture);
  std::vector<std::vector<float>> found(4);
  std::vector<std::thread> threads;
  for (auto& values : found) threads.emplace_back([&] { values = pixels(processor, picture); });
  for (std::thread& thread : threads) thread.join();
  for (const auto& values : found) EXPECT_EQ(values, expected);
}

}  // namespace
}  // namespace moa
