#include "embed/exported_model.hpp"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>
#include <moa/error.hpp>

namespace moa {
namespace {

namespace fs = std::filesystem;

ExportedFacts some_facts() {
  ExportedFacts::Values values;
  values.architecture = "siglip";
  values.layout = CheckpointLayout::open_clip;
  values.dim = 768;
  values.normalize_eps = 1e-12;
  values.score_rule = {ScoreRule::Kind::sigmoid, 117.33, -12.93};
  values.text = TextTowerFacts{};
  values.text->context_tokens = 64;
  values.text->vocabulary = 32000;
  values.text->padding = TextPadding{64, 1};
  values.text->lowercases = true;
  values.image = ImageTowerFacts{};
  values.image->height_px = 224;
  values.image->width_px = 196;
  return ExportedFacts(values);
}

ErrorCode code_of(const std::string& json) {
  try {
    ExportedFacts::parse(Config::parse(json, "moa_export.json"));
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode::internal;
}

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  const std::size_t at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return text.replace(at, what.size(), by);
}

TEST(ExportedFacts, AreReadAsTheyWereWritten) {
  const ExportedFacts written = some_facts();
  const ExportedFacts read = ExportedFacts::parse(Config::parse(written.json(), "moa_export.json"));
  EXPECT_EQ(read.json(), written.json());
  EXPECT_EQ(read.score_rule().scale, 117.33);
  EXPECT_EQ(read.values().layout, CheckpointLayout::open_clip);
  EXPECT_EQ(read.text()->padding->id, 1);
  EXPECT_EQ(read.image()->width_px, 196);
  EXPECT_EQ(read.with_towers(true, false).image(), nullptr);
}

TEST(ExportedFacts, RefuseWhatNoExportHas) {
  const std::string sound = some_facts().json();
  EXPECT_EQ(code_of(replaced(sound, "\"format\": 1", "\"format\": 2")), ErrorCode::unsupported);
  EXPECT_EQ(code_of("{}"), ErrorCode::unsupported);
  EXPECT_EQ(code_of(replaced(sound, "open_clip", "elsewhere")), ErrorCode::corrupt_data);
  EXPECT_EQ(code_of(replaced(sound, "sigmoid", "argmax")), ErrorCode::corrupt_data);
  EXPECT_EQ(code_of(replaced(sound, "\"dim\": 768", "\"dim\": -1")), ErrorCode::out_of_range);
  EXPECT_EQ(code_of(replaced(sound, "\"height_px\": 224", "\"height_px\": 1000000")),
            ErrorCode::out_of_range);
  EXPECT_EQ(code_of(replaced(sound, "\"padded_to\": 64", "\"padded_to\": 1e9")), ErrorCode::out_of_range);
}

class ExportedModels : public testing::Test {
 protected:
  void SetUp() override { fs::create_directories(root_ / "onnx"); }
  void TearDown() override { fs::remove_all(root_); }
  void write(const fs::path& name, const std::string& content) const {
    std::ofstream(root_ / name, std::ios::binary) << content;
  }
  ErrorCode code_of(std::string_view dtype) const {
    try {
      ExportedModel::open(root_, dtype);
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::internal;
  }

  fs::path root_ = fs::temp_directory_path() / ("moa-exported-" + std::to_string(::getpid()));
};

TEST_F(ExportedModels, TakeTheWidestGraphsThatAreThere) {
  write("moa_export.json", some_facts().json());
  write("onnx/text_model_quantized.onnx", "");
  EXPECT_EQ(ExportedModel::open(root_, "auto").graphs.dtype, "int8");
  write("onnx/text_model.onnx", "");
  write("onnx/text_model.onnx_data", "");
  const ExportedModel model = ExportedModel::open(root_, "auto");
  EXPECT_EQ(model.graphs.text, root_ / "onnx/text_model.onnx");
  EXPECT_TRUE(model.graphs.image.empty());
  EXPECT_EQ(model.directory.weight_files().size(), 2U);  // the graph, and what lies beside it
  EXPECT_EQ(model.directory.identity_files().size(), 3U);
  EXPECT_EQ(ExportedModel::open(root_, "int8").graphs.dtype, "int8");
}

TEST_F(ExportedModels, AreNotFoundWithoutGraphs) {
  write("moa_export.json", some_facts().json());
  EXPECT_EQ(code_of("auto"), ErrorCode::not_found);
  write("onnx/text_model.onnx", "");
  EXPECT_EQ(code_of("int8"), ErrorCode::not_found);
  EXPECT_EQ(code_of("bf16"), ErrorCode::unsupported);
}

TEST_F(ExportedModels, OfOthersAreKnownByTheirConfiguration) {
  write("config.json",
        R"({"model_type":"clip","projection_dim":16,"text_config":{"max_position_embeddings":20,
    "vocab_size":99},"vision_config":{"image_size":32,"patch_size":16}})");
  write("model.onnx", "");
  const ExportedModel model = ExportedModel::open(root_, "auto");
  EXPECT_EQ(model.facts.dim(), 16);
  EXPECT_EQ(model.facts.text()->context_tokens, 20);
  EXPECT_EQ(model.facts.image()->height_px, 32);
  EXPECT_FALSE(model.facts.values().knows_scale);
  write("config.json", R"({"model_type":"parrot"})");
  EXPECT_EQ(code_of("auto"), ErrorCode::unsupported);
}

}  // namespace
}  // namespace moa
