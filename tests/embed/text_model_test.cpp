// Models of texts alone, from texts to vectors, on golden checkpoints of sentence-transformers.
#include <moa/model.hpp>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/config.hpp"
#include "base/file.hpp"
#include "base/temporary_directory.hpp"
#include "checkpoint/safetensors.hpp"

namespace moa {
namespace {

using testing::TemporaryDirectory;
namespace fs = std::filesystem;

const fs::path kGolden = fs::path(MOA_TEST_DATA) / "golden" / "sentence_transformers";

std::vector<float> expected(const fs::path& checkpoint, const std::string& name) {
  const SafetensorsFile file = SafetensorsFile::open(checkpoint / "expected.safetensors");
  for (const StoredTensor& tensor : file.tensors()) {
    if (tensor.name == name) return file.parameter(tensor, name).read();
  }
  return {};
}

std::vector<std::string> golden_texts(const fs::path& checkpoint) {
  const std::string list = read_file(checkpoint / "texts.json", 1 << 20);
  return Config::parse("{\"texts\":" + list + "}", "texts.json").strings("texts", {});
}

void expect_rows_near(const Vectors& found, const std::vector<float>& wanted) {
  ASSERT_EQ(found.values().size(), wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i)
    ASSERT_NEAR(found.values()[i], wanted[i], 1e-5 * std::max(1.0F, std::abs(wanted[i])))
        << "component " << i;
}

class TextModelOnGolden : public ::testing::TestWithParam<const char*> {
 protected:
  fs::path checkpoint_ = kGolden / GetParam();
  Model model_ = Model::load(checkpoint_.string(), {.threads = 2});
};

TEST_P(TextModelOnGolden, TextsBecomeTheReferencesVectors) {
  const std::vector<std::string> texts = golden_texts(checkpoint_);
  expect_rows_near(model_.embed_texts(texts), expected(checkpoint_, "text_vectors"));
}

TEST_P(TextModelOnGolden, RawVectorsAreWhatTheModulesLeave) {
  const std::vector<std::string> texts = golden_texts(checkpoint_);
  expect_rows_near(model_.embed_texts(texts, {.raw = true}), expected(checkpoint_, "raw_text_vectors"));
}

TEST_P(TextModelOnGolden, InfoDescribesIt) {
  const ModelInfo info = model_.info();
  EXPECT_EQ(info.architecture, "sentence_transformers");
  EXPECT_EQ(info.layout, "sentence_transformers");
  ASSERT_EQ(info.towers.size(), 1U);
  EXPECT_EQ(info.modalities, std::vector<Modality>{Modality::text});
}

INSTANTIATE_TEST_SUITE_P(Checkpoints, TextModelOnGolden,
                         ::testing::Values("bert_mean_normalize", "mpnet_mean", "mpnet_cls",
                                           "distilbert_mean_dense", "roberta_max_dense",
                                           "xlm_roberta_prompts", "xlm_roberta_weightedmean_norm",
                                           "bert_lasttoken", "bert_sqrt_len"),
                         [](const auto& checkpoint) { return std::string(checkpoint.param); });

TEST(TextModel, APromptOfTheConfigurationIsPutBeforeTexts) {
  const fs::path checkpoint = kGolden / "xlm_roberta_prompts";
  const Model model = Model::load(checkpoint.string());
  expect_rows_near(model.embed_texts(golden_texts(checkpoint), {.prompt = "passage"}),
                   expected(checkpoint, "passage_vectors"));
}

TEST(TextModel, APictureIsThatItemsUnsupported) {
  const Model model = Model::load((kGolden / "bert_mean_normalize").string());
  EXPECT_FALSE(model.embeds(Modality::image));
  const fs::path picture = kGolden.parent_path() / "clip" / "odd_sizes" / "picture0.png";
  const std::vector<Input> inputs = {Input::file(picture), Input::text("a photo")};
  std::vector<Embedded> results;
  model.embed(inputs, {}, [&](Embedded result) { results.push_back(std::move(result)); });
  ASSERT_TRUE(results[0].error.has_value());
  EXPECT_EQ(results[0].error->code(), ErrorCode::unsupported);
  EXPECT_FALSE(results[1].error.has_value());
}

// A copy of a golden checkpoint in which one file says something else.
ErrorCode code_of_loading(const std::string& golden, const std::string& file, const std::string& content) {
  const TemporaryDirectory copy;
  fs::copy(kGolden / golden, copy.path(), fs::copy_options::recursive);
  write_file_atomically(copy.path() / file, content);
  try {
    Model::load(copy.path().string());
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode::internal;
}

TEST(TextModel, ModulesAndOptionsThatAreNotKnownAreUnsupported) {
  const auto modules = [](const std::string& second) {
    return R"([{"type": "a.Transformer", "path": ""}, {"type": ")" + second + R"(", "path": "9_Other"},)" +
           R"({"type": "a.Pooling", "path": "1_Pooling"}])";
  };
  EXPECT_EQ(code_of_loading("bert_lasttoken", "modules.json", modules("a.LSTM")), ErrorCode::unsupported);
  EXPECT_EQ(code_of_loading("bert_lasttoken", "1_Pooling/config.json", R"({"pooling_mode": ["cls", "max"]})"),
            ErrorCode::unsupported);
  EXPECT_EQ(code_of_loading("bert_lasttoken", "1_Pooling/config.json", R"({"pooling_mode": "median"})"),
            ErrorCode::unsupported);
  EXPECT_EQ(
      code_of_loading(
          "distilbert_mean_dense", "2_Dense/config.json",
          R"({"in_features": 20, "out_features": 13, "bias": false, "activation_function": "os.system"})"),
      ErrorCode::unsupported);
  EXPECT_EQ(code_of_loading("bert_lasttoken", "config.json", R"({"model_type": "t5"})"),
            ErrorCode::unsupported);
}

TEST(TextModel, AModuleWithoutItsConfigurationIsNotFound) {
  for (const auto& [golden, folder] :
       {std::pair("bert_lasttoken", "1_Pooling"), std::pair("distilbert_mean_dense", "2_Dense")}) {
    const TemporaryDirectory copy;
    fs::copy(kGolden / golden, copy.path(), fs::copy_options::recursive);
    fs::remove(copy.path() / folder / "config.json");
    try {
      Model::load(copy.path().string());
      ADD_FAILURE() << folder;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::not_found);
    }
  }
}

TEST(TextModel, ArgumentsForTheTokenizerThatTheCallHasAreUnsupported) {
  EXPECT_EQ(code_of_loading("bert_lasttoken", "sentence_bert_config.json",
                            R"({"max_seq_length": 16, "tokenizer_args": {"do_lower_case": false}})"),
            ErrorCode::unsupported);
}

TEST(TextModel, ADenseOfAnotherWidthIsAShapeMismatch) {
  EXPECT_EQ(code_of_loading("distilbert_mean_dense", "2_Dense/config.json",
                            R"({"in_features": 21, "out_features": 13, "bias": false})"),
            ErrorCode::shape_mismatch);
  EXPECT_EQ(code_of_loading("distilbert_mean_dense", "2_Dense/config.json",
                            R"({"in_features": 20, "out_features": 14, "bias": false})"),
            ErrorCode::shape_mismatch);
}

TEST(TextModel, AFolderOutsideTheModelIsCorruptData) {
  for (const char* folder : {"..", "../x", "/etc", "a/b", ".hidden"}) {
    EXPECT_EQ(code_of_loading("bert_lasttoken", "modules.json",
                              R"([{"type": "a.Transformer", "path": ""}, {"type": "a.Pooling", "path": ")" +
                                  std::string(folder) + R"("}])"),
              ErrorCode::corrupt_data)
        << folder;
  }
  EXPECT_EQ(code_of_loading("bert_lasttoken", "modules.json", "[]"), ErrorCode::corrupt_data);
  EXPECT_EQ(code_of_loading("bert_lasttoken", "modules.json", "{}"), ErrorCode::corrupt_data);
  EXPECT_EQ(code_of_loading("bert_lasttoken", "modules.json", R"([], "config.json": {})"),
            ErrorCode::corrupt_data);
}

TEST(TextModel, ItsIdentityIsThatOfEveryModule) {
  const fs::path checkpoint = kGolden / "distilbert_mean_dense";
  const TemporaryDirectory copy;
  fs::copy(checkpoint, copy.path(), fs::copy_options::recursive);
  const std::string identity = model_identity(checkpoint.string());
  EXPECT_EQ(model_identity(copy.path().string()), identity);
  write_file_atomically(copy.path() / "1_Pooling/config.json", R"({"pooling_mode": "cls"})");
  EXPECT_NE(model_identity(copy.path().string()), identity);
}

TEST(TextModel, AListWithoutPoolingIsAModelOfTransformersInItsFolder) {
  const TemporaryDirectory directory;
  const fs::path clip = kGolden.parent_path() / "clip" / "odd_sizes";
  fs::copy(clip, directory.path() / "0_CLIPModel", fs::copy_options::recursive);
  write_file_atomically(directory.path() / "modules.json",
                        R"([{"type": "sentence_transformers.models.CLIPModel", "path": "0_CLIPModel"}])");
  const Model model = Model::load(directory.path().string());
  EXPECT_EQ(model.info().architecture, "clip");
  EXPECT_TRUE(model.embeds(Modality::image));
  expect_rows_near(model.embed_texts(golden_texts(clip)), expected(clip, "text_vectors"));
}

}  // namespace
}  // namespace moa
