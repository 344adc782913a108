// Exports, run by ONNX Runtime behind moa's own commands; where MOA_ONNXRUNTIME names it.
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <moa/model.hpp>
#include <moa/onnx.hpp>

#include "backends/onnxruntime/runtime.hpp"

namespace moa {
namespace {

namespace fs = std::filesystem;

class OnnxEngines : public testing::Test {
 protected:
  void SetUp() override {
    try {
      OnnxRuntime::open();
    } catch (const Error& error) {
      GTEST_SKIP() << error.what();
    }
    fs::create_directories(root_);
  }
  void TearDown() override { fs::remove_all(root_); }

  static std::string golden(const std::string& folder) {
    return (fs::path(MOA_TEST_DATA) / "golden" / folder).string();
  }
  std::string exported(const std::string& model, const OnnxExportOptions& options = {}) {
    const fs::path place = root_ / std::to_string(count_++);
    export_onnx(model, place, options);
    return place.string();
  }
  static Model run(const std::string& folder) { return Model::load(folder, {.engine = "onnxruntime"}); }
  static float difference(const Vectors& a, const Vectors& b) {
    float largest = a.values().size() == b.values().size() ? 0.0F : INFINITY;
    for (std::size_t i = 0; i < a.values().size() && i < b.values().size(); ++i) {
      largest = std::max(largest, std::abs(a.values()[i] - b.values()[i]));
    }
    return largest;
  }

  const std::vector<std::string> texts_ = {"a", "a photo of a dog", "", "two words"};
  const std::vector<std::string> pictures_ = {(fs::path(MOA_SOURCE_DIR) / "demo/astronaut.jpg").string(),
                                              golden("moa_mini/tall.png"), golden("moa_mini/wide.png")};
  fs::path root_ = fs::temp_directory_path() / ("moa-onnx-engine-" + std::to_string(::getpid()));
  int count_ = 0;
};

TEST_F(OnnxEngines, GiveTheVectorsOfTheModel) {
  for (const char* folder : {"clip/odd_sizes", "open_clip/siglip_base", "openai_clip/vit/model.pt",
                             "altclip/odd_sizes", "siglip/native_sizes"}) {
    SCOPED_TRACE(folder);
    const Model own = Model::load(golden(folder));
    const Model other = run(exported(golden(folder)));
    EXPECT_LE(difference(own.embed_texts(texts_), other.embed_texts(texts_)), 1e-5F);
    EXPECT_LE(difference(own.embed_images(pictures_), other.embed_images(pictures_)), 1e-5F);
    EXPECT_LE(difference(own.embed_texts(texts_, {.raw = true}), other.embed_texts(texts_, {.raw = true})),
              1e-4F);
  }
}

TEST_F(OnnxEngines, AreNeverMixedWithTheModelItself) {
  const std::string folder = exported(golden("clip/odd_sizes"));
  const Model other = run(folder);
  EXPECT_NE(other.identity(), Model::load(golden("clip/odd_sizes")).identity());
  EXPECT_TRUE(other.identity().ends_with("-onnxruntime"));
  EXPECT_EQ(other.identity(), model_identity(folder, {.engine = "onnxruntime"}));
}

// As optimum leaves a model: one graph of both towers, and nothing of moa's beside it.
TEST_F(OnnxEngines, TakeOneGraphOfBothTowersAndItsScale) {
  for (const char* name : {"clip/odd_sizes", "siglip/odd_sizes"}) {
    SCOPED_TRACE(name);
    const fs::path folder = exported(golden(name));
    for (const char* file : {"moa_export.json", "onnx/text_model.onnx", "onnx/vision_model.onnx"}) {
      fs::remove(folder / file);
    }
    const Model own = Model::load(golden(name));
    const Model other = run(folder.string());
    EXPECT_LE(difference(own.embed_texts(texts_), other.embed_texts(texts_)), 1e-5F);
    const std::vector<Input> images = {Input::file(pictures_.front())};
    const MatchResult expected = own.match(images, texts_);
    const MatchResult found = other.match(images, texts_);
    for (std::size_t i = 0; i < texts_.size(); ++i) {
      EXPECT_NEAR(found.score[0][i], expected.score[0][i], 1e-4F);
    }
    EXPECT_THROW(other.embed_text("a", {.raw = true}), Error);
  }
}

TEST_F(OnnxEngines, ReadPairsAsTheModelDoes) {
  const Model own = Model::load(golden("blip/odd_sizes"));
  const Model other = run(exported(golden("blip/odd_sizes")));
  ASSERT_TRUE(other.matches_pairs());
  std::vector<Input> images;
  for (const std::string& picture : pictures_) images.push_back(Input::file(picture));
  const MatchResult expected = own.match(images, texts_);
  const MatchResult found = other.match(images, texts_);
  for (std::size_t image = 0; image < images.size(); ++image) {
    for (std::size_t text = 0; text < texts_.size(); ++text) {
      EXPECT_NEAR(found.score[image][text], expected.score[image][text], 1e-5F);
      EXPECT_NEAR(found.cosine[image][text], expected.cosine[image][text], 1e-5F);
    }
  }
}

TEST_F(OnnxEngines, SmallerGraphsSayWhatTheyAre) {
  const Model model =
      run(exported(golden("clip/odd_sizes"), {.precision = OnnxExportOptions::Precision::int8}));
  EXPECT_EQ(model.dtype(), "int8");
  EXPECT_TRUE(model.identity().ends_with("-onnxruntime-int8"));
  EXPECT_EQ(model.embed_text("a").size(), static_cast<std::size_t>(model.dim()));
}

TEST_F(OnnxEngines, CalibratedGraphsStayNearTheModel) {
  OnnxExportOptions options{.precision = OnnxExportOptions::Precision::int8};
  options.calibration_pictures = {Input::file(pictures_.front())};
  options.calibration_texts = texts_;
  const Model model = run(exported(golden("clip/odd_sizes"), options));
  const Model own = Model::load(golden("clip/odd_sizes"));
  const Vectors expected = own.embed_texts(texts_);
  const Vectors found = model.embed_texts(texts_);
  for (std::size_t i = 0; i < texts_.size(); ++i) {
    float cosine = 0;
    for (std::size_t at = 0; at < expected.row(i).size(); ++at)
      cosine += expected.row(i)[at] * found.row(i)[at];
    EXPECT_GT(cosine, 0.99F) << texts_[i];
    EXPECT_LT(cosine, 0.9999999F) << "nothing was rounded";
  }
}

TEST_F(OnnxEngines, CalibrationWantsSomethingForEveryTower) {
  OnnxExportOptions options{.precision = OnnxExportOptions::Precision::int8};
  options.calibration_texts = texts_;
  try {
    exported(golden("clip/odd_sizes"), options);
    ADD_FAILURE() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
  }
}

}  // namespace
}  // namespace moa
