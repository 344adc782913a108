// Every golden checkpoint's export in ONNX Runtime beside moa in f32, where MOA_ONNXRUNTIME names it: 1, 3
// and 32 items at once, texts of every length from two ids to the limit, pictures in the sizes that their
// towers take.
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <moa/error.hpp>
#include <moa/onnx.hpp>

#include "backends/onnxruntime/runtime.hpp"
#include "embed/loaded_model.hpp"
#include "export/golden_checkpoints.hpp"

namespace moa {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kBatches[] = {1, 3, 32};
constexpr float kTolerance = 1e-5F;

// Between what the tokenizer begins and ends a text with stands any id of the vocabulary.
PreparedText text_of(const LoadedModel& model, std::int64_t length, std::mt19937& random) {
  const TextTowerFacts& tower = *model.facts().text();
  const std::vector<std::int32_t> frame = model.prepare_text("a", std::nullopt).ids;
  std::uniform_int_distribution<std::int32_t> any(0, static_cast<std::int32_t>(tower.vocabulary - 1));
  PreparedText text;
  for (std::int64_t i = 0; i < length; ++i) text.ids.push_back(any(random));
  text.ids.front() = frame.front();
  text.ids.back() = frame.back();
  if (tower.padding) text.ids.resize(static_cast<std::size_t>(tower.padding->tokens), frame.back());
  return text;
}

PreparedImage picture_of(const ImageTowerFacts& tower, std::mt19937& random) {
  PreparedImage picture;
  picture.height_px = tower.height_px;
  picture.width_px = tower.width_px;
  if (tower.takes_patches()) {
    std::uniform_int_distribution<std::int64_t> edge(1, 12);
    picture.grid = {edge(random), edge(random)};
  }
  const std::int64_t area = tower.takes_patches() ? picture.grid.patches() * tower.patch_px * tower.patch_px
                                                  : picture.height_px * picture.width_px;
  std::normal_distribution<float> value;
  for (std::int64_t i = 0; i < tower.channels * area; ++i) picture.values.push_back(value(random));
  return picture;
}

float difference(const std::vector<float>& a, const std::vector<float>& b) {
  float largest = a.size() == b.size() ? 0.0F : INFINITY;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    const float apart = std::abs(a[i] - b[i]);
    largest = std::isnan(apart) ? INFINITY : std::max(largest, apart);
  }
  return largest;
}

TEST(OnnxExports, AgreeWithTheModelAtEveryLengthAndInEveryBatch) {
  try {
    OnnxRuntime::open();
  } catch (const Error& error) {
    GTEST_SKIP() << error.what();
  }
  const fs::path root = fs::temp_directory_path() / ("moa-onnx-lengths-" + std::to_string(::getpid()));
  fs::create_directories(root);
  float largest = 0;
  for (const std::string& folder : golden_checkpoints()) {
    SCOPED_TRACE(folder);
    export_onnx(folder, root / "out");
    const auto own = LoadedModel::load(folder, {});
    const auto other = LoadedModel::load((root / "out").string(), {.engine = "onnxruntime"});
    std::mt19937 random(7);
    float of_texts = 0;
    float of_pictures = 0;
    std::int64_t most = 0;
    for (const std::size_t batch : kBatches) {
      if (const TextTowerFacts* tower = own->facts().text()) {
        most = tower->context_tokens;
        for (std::int64_t length = 2; length <= most; ++length) {
          std::vector<PreparedText> texts;
          for (std::size_t i = 0; i < batch; ++i) texts.push_back(text_of(*own, length, random));
          of_texts = std::max(of_texts, difference(own->engine().embed_texts(texts, false),
                                                   other->engine().embed_texts(texts, false)));
        }
      }
      if (other->facts().image() == nullptr) continue;
      std::vector<PreparedImage> pictures;
      for (std::size_t i = 0; i < batch; ++i) pictures.push_back(picture_of(*other->facts().image(), random));
      of_pictures = std::max(of_pictures, difference(own->engine().embed_images(pictures, false),
                                                     other->engine().embed_images(pictures, false)));
    }
    EXPECT_LE(of_texts, kTolerance);
    EXPECT_LE(of_pictures, kTolerance);
    std::printf("%s: texts of 2 to %lld ids %.1e, pictures %.1e\n", folder.c_str(),
                static_cast<long long>(most), static_cast<double>(of_texts),
                static_cast<double>(of_pictures));
    largest = std::max({largest, of_texts, of_pictures});
    fs::remove_all(root / "out");
  }
  fs::remove_all(root);
  std::printf("largest difference of a component: %.1e\n", static_cast<double>(largest));
}

}  // namespace
}  // namespace moa
