#include "models/moa_mini.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

#include <moa/error.hpp>
#include <moa/model.hpp>

#include "backends/cpu/cpu_backend.hpp"
#include "backends/recording/recording.hpp"
#include "models/golden.hpp"

namespace moa {
namespace {

constexpr double kVectorTolerance = 1e-5;
constexpr double kHiddenTolerance = 1e-4;

const std::filesystem::path kModel = std::filesystem::path(MOA_SOURCE_DIR) / "models" / "moa-mini";
const std::filesystem::path kGolden = std::filesystem::path(MOA_TEST_DATA) / "golden" / "moa_mini";

std::vector<std::string> golden_texts() {
  std::ifstream file(kGolden / "texts.json");
  std::stringstream content;
  content << file.rdbuf();
  return Config::parse(content.str(), "texts.json").strings("texts", {});
}

// The network, given the reference's ids and pixels.
class MoaMiniGolden : public testing::Test {
 protected:
  // The reference's 8-bit pixels, normalised as preprocessor_config.json says.
  Tensor pixels(Interpreter& ops) const {
    std::vector<float> values = golden_.values("pixels");
    for (float& value : values) value = (value / 255.0F - 127.0F / 255.0F) / (128.0F / 255.0F);
    const Shape shape = golden_.expected.shape_of("pixels");
    return ops.pixels(values, shape[0], shape[1], shape[2], shape[3]);
  }
  Tokens first_text(Interpreter& ops) const {
    const auto length = static_cast<std::size_t>(golden_.lengths.front());
    return ops.tokens(std::span(golden_.ids).first(length), {}, Sequences({golden_.lengths.front()}));
  }
  const MoaMini& model() const { return dynamic_cast<const MoaMini&>(*golden_.model); }

  Golden golden_ = Golden::load(kModel, kGolden);
  CpuBackend backend_{CpuOptions{.threads = 2}};
};

TEST_F(MoaMiniGolden, TextLayersEqualTheReferences) {
  const Bert& bert = model().text_tower().bert;
  const auto ops = backend_.interpreter();
  const Tokens tokens = first_text(*ops);
  Bert one_layer = bert;
  one_layer.blocks.resize(1);
  expect_near(ops->read(one_layer.forward(*ops, tokens)), golden_.values("text_first_layer"),
              kHiddenTolerance, true);
  expect_near(ops->read(bert.forward(*ops, tokens)), golden_.values("text_last_layer"), kHiddenTolerance,
              true);
}

TEST_F(MoaMiniGolden, TextVectorsEqualTheReferences) {
  const auto ops = backend_.interpreter();
  const Rows rows = ops->l2_normalize(model().forward_text(*ops, golden_.tokens(*ops)), 0);
  expect_near(ops->read(rows), golden_.values("text_vectors"), kVectorTolerance);
}

TEST_F(MoaMiniGolden, PictureStagesEqualTheReferences) {
  const EfficientNetLite& net = model().vision_tower().classifier;
  const auto ops = backend_.interpreter();
  Tensor x = net.stem.forward(*ops, pixels(*ops));
  expect_near(ops->read(ops->mean_pixels(x)), golden_.values("stem_means"), kHiddenTolerance, true);
  for (const InvertedResidual& block : net.blocks) x = block.forward(*ops, x);
  expect_near(ops->read(ops->mean_pixels(x)), golden_.values("block_means"), kHiddenTolerance, true);
  expect_near(ops->read(net.logits(*ops, net.features(*ops, pixels(*ops)))), golden_.values("logits"),
              kHiddenTolerance, true);
}

TEST_F(MoaMiniGolden, PictureVectorsEqualTheReferences) {
  const auto ops = backend_.interpreter();
  const Rows rows = ops->l2_normalize(model().forward_image(*ops, pixels(*ops)), 0);
  expect_near(ops->read(rows), golden_.values("image_vectors"), kVectorTolerance);
}

TEST_F(MoaMiniGolden, APicturesVectorIsTheSameAloneBitForBit) {
  const auto ops = backend_.interpreter();
  const auto together = ops->read(model().forward_image(*ops, pixels(*ops)));
  const Shape shape = golden_.expected.shape_of("pixels");
  std::vector<float> values = golden_.values("pixels");
  for (float& value : values) value = (value / 255.0F - 127.0F / 255.0F) / (128.0F / 255.0F);
  const auto picture = static_cast<std::size_t>(shape[1] * shape[2] * shape[3]);
  const auto dim = static_cast<std::size_t>(model().dim());
  for (std::size_t item = 0; item * dim < together.size(); ++item) {
    const auto single = backend_.interpreter();
    const Tensor alone =
        single->pixels(std::span(values).subspan(item * picture, picture), 1, shape[1], shape[2], shape[3]);
    const auto vector = single->read(model().forward_image(*single, alone));
    EXPECT_TRUE(
        std::equal(vector.begin(), vector.end(), together.begin() + static_cast<std::ptrdiff_t>(item * dim)));
  }
}

TEST_F(MoaMiniGolden, RunsThroughAnInterpreterThatHasNoNumbers) {
  RecordingInterpreter recording;
  model().forward_text(recording, golden_.tokens(recording));
  model().forward_image(recording, pixels(recording));
  const auto count = [&](const std::string& operation) {
    return std::count_if(recording.calls().begin(), recording.calls().end(), [&](const std::string& call) {
      return call.find(" = " + operation + "(") != std::string::npos;
    });
  };
  EXPECT_EQ(count("attention"), 12);
  EXPECT_EQ(count("layer_norm"), 25);
  EXPECT_EQ(count("linear"), 12 * 4 + 2 + 2);
  EXPECT_EQ(count("convolution"), 1 + 2 + 15 * 3 + 1);
  EXPECT_EQ(count("softmax"), 1);
}

// From bytes to vectors, through the public interface.
class MoaMiniModel : public testing::Test {
 protected:
  std::vector<float> expected_row(const std::string& name, std::size_t row) const {
    const std::vector<float> values = golden_.values(name);
    const auto begin = values.begin() + static_cast<std::ptrdiff_t>(row * kDim);
    return {begin, begin + static_cast<std::ptrdiff_t>(kDim)};
  }

  static constexpr std::size_t kDim = 384;
  Golden golden_ = Golden::load(kModel, kGolden);
  Model model_ = Model::load(kModel.string(), {.threads = 2});
};

TEST_F(MoaMiniModel, TextsEqualTheReferencesWithThePromptThatTheModelNeeds) {
  const std::vector<std::string> texts = golden_texts();
  ASSERT_EQ(texts.size(), golden_.lengths.size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    SCOPED_TRACE(texts[i].substr(0, 60));
    expect_near(model_.embed_text(texts[i]), expected_row("text_vectors", i), kVectorTolerance);
  }
}

TEST_F(MoaMiniModel, PicturesEqualTheReferencesFromFileToVector) {
  const char* names[] = {"wide.png", "tall.png", "exact.png"};
  for (std::size_t i = 0; i < std::size(names); ++i) {
    SCOPED_TRACE(names[i]);
    expect_near(model_.embed_image(kGolden / names[i]), expected_row("image_vectors", i), kVectorTolerance);
  }
}

// Configurations, without weights: a tensor that is absent is zeros until `finish`.
ErrorCode code_of_building(const std::string& json) {
  Weights weights;
  try {
    build_moa_mini(Config::parse(json, "config.json"), weights);
    weights.finish("model.safetensors");
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode::internal;
}

std::string config_with(const std::string& top, const std::string& text, const std::string& vision) {
  return R"({"model_type": "moa_mini", "projection_dim": 8)" + top +
         R"(, "text_config": {"hidden_size": 8, "num_attention_heads": 2, "num_hidden_layers": 1)" + text +
         R"(}, "vision_config": {"head_channels": 4, "num_classes": 3, "blocks": [)" + vision + "]}}";
}

constexpr const char* kBlock = R"({"kernel_size": 3, "stride": 1, "expansion": 1, "channels": 8})";

TEST(MoaMiniConfig, MissingTensorsAreListedAndRefused) {
  EXPECT_EQ(code_of_building(config_with("", "", kBlock)), ErrorCode::shape_mismatch);
}

TEST(MoaMiniConfig, ATowerWithoutBlocksIsRefused) {
  EXPECT_EQ(code_of_building(config_with("", "", "")), ErrorCode::out_of_range);
}

TEST(MoaMiniConfig, ATemperatureThatIsNotPositiveIsRefused) {
  EXPECT_EQ(code_of_building(R"({"vision_config": {"temperature": 0, "blocks": [{"channels": 8}]}})"),
            ErrorCode::out_of_range);
}

TEST(MoaMiniConfig, AProjectionOfAnotherWidthThanTheTextsIsRefused) {
  EXPECT_EQ(code_of_building(R"({"projection_dim": 512, "vision_config": {"blocks": [{"channels": 8}]}})"),
            ErrorCode::shape_mismatch);
}

TEST(MoaMiniConfig, ALearnedPathFromFeaturesIsAddedToTheClasses) {
  Weights weights;
  const Config config =
      Config::parse(config_with(R"(, "feature_projection": true)", "", kBlock), "config.json");
  const auto model = build_moa_mini(config, weights);
  RecordingInterpreter recording;
  const std::vector<float> pixels(3 * 224 * 224);
  model->forward_image(recording, recording.pixels(pixels, 1, 3, 224, 224));
  const std::string& last = recording.calls().back();
  EXPECT_NE(last.find("feature_projection.weight [8, 4]"), std::string::npos) << last;
  EXPECT_NE(last.find("residual"), std::string::npos) << last;
}

}  // namespace
}  // namespace moa
