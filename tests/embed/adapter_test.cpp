// Adapters as the user adds them to a model: golden ones by peft, on a golden CLIP.
#include <moa/adapter.hpp>
#include <moa/model.hpp>

#include <stdlib.h>

#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/expect_error.hpp"
#include "base/file.hpp"
#include "base/temporary_directory.hpp"
#include "models/golden.hpp"

namespace moa {
namespace {

namespace fs = std::filesystem;

const fs::path kGolden = fs::path(MOA_TEST_DATA) / "golden";
const std::string kModel = (kGolden / "clip" / "odd_sizes").string();
const fs::path kLora = kGolden / "adapters" / "lora";
const fs::path kRslora = kGolden / "adapters" / "rslora";
const std::string kText = "a photo of a dog.";  // the first of the golden texts

fs::path picture(int index) {
  return fs::path(kModel) / ("picture" + std::to_string(index) + ".png");
}

std::vector<float> row(const Weights& expected, const std::string& name, int index) {
  const Parameter rows = Weights(expected).take(name, expected.shape_of(name));
  std::vector<float> values(static_cast<std::size_t>(rows.shape()[1]));
  rows.read_rows(index, 1, values.data());
  return values;
}

class GoldenAdapter : public ::testing::TestWithParam<fs::path> {};

TEST_P(GoldenAdapter, GivesPeftsVectors) {
  const SafetensorsFile file = SafetensorsFile::open(GetParam() / "expected.safetensors");
  Weights expected;
  for (const StoredTensor& tensor : file.tensors()) expected.add(file.parameter(tensor, tensor.name));
  const Model model = Model::load(kModel, {.adapter = GetParam()});
  expect_near(model.embed_text(kText), row(expected, "text_vectors", 0), 1e-5);
  for (int i = 0; i < 3; ++i) {
    expect_near(model.embed_image(picture(i)), row(expected, "image_vectors", i), 1e-5);
  }
  EXPECT_NE(model.embed_text(kText), Model::load(kModel).embed_text(kText));
}

INSTANTIATE_TEST_SUITE_P(Peft, GoldenAdapter, ::testing::Values(kLora, kRslora),
                         [](const auto& of) { return of.param.filename().string(); });

TEST(Adapter, IsAFolderOrItsFile) {
  const Model by_folder = Model::load(kModel, {.adapter = kLora});
  const Model by_file = Model::load(kModel, {.adapter = kLora / "adapter_model.safetensors"});
  EXPECT_EQ(by_file.embed_text(kText), by_folder.embed_text(kText));
  EXPECT_EQ(by_file.identity(), by_folder.identity());
}

TEST(Adapter, IsPartOfTheIdentity) {
  const std::string with_lora = model_identity(kModel, {.adapter = kLora});
  EXPECT_EQ(Model::load(kModel, {.adapter = kLora}).identity(), with_lora);
  EXPECT_NE(with_lora, model_identity(kModel));
  EXPECT_NE(with_lora, model_identity(kModel, {.adapter = kRslora}));
  // Whatever its two files say counts: here alpha alone.
  const testing::TemporaryDirectory copy;
  std::string config = read_file(kLora / "adapter_config.json", 1 << 20);
  config.replace(config.find("\"lora_alpha\": 6"), 15, "\"lora_alpha\": 5");
  copy.write("adapter_config.json", config);
  copy.write("adapter_model.safetensors", read_file(kLora / "adapter_model.safetensors", 1 << 20));
  EXPECT_NE(with_lora, model_identity(kModel, {.adapter = copy.path()}));
}

TEST(Adapter, KeepsItsTextsApartInTheCacheOnDisk) {
  const testing::TemporaryDirectory cache;
  ASSERT_EQ(::setenv("XDG_CACHE_HOME", cache.path().c_str(), 1), 0);
  const std::vector<float> plain = Model::load(kModel, {.text_cache_on_disk = true}).embed_text(kText);
  const std::vector<float> adapted =
      Model::load(kModel, {.text_cache_on_disk = true, .adapter = kLora}).embed_text(kText);
  ASSERT_EQ(::unsetenv("XDG_CACHE_HOME"), 0);
  EXPECT_TRUE(fs::exists(cache.path() / "moa" / "texts.sqlite"));
  EXPECT_NE(adapted, plain);
  EXPECT_EQ(adapted, Model::load(kModel, {.adapter = kLora}).embed_text(kText));
}

TEST(Adapter, OfTheMainModelLeavesTheTextModelAlone) {
  const std::string texts = (kGolden / "sentence_transformers" / "mpnet_mean").string();
  const std::string pictures = (kGolden / "clip" / "open_clip_tiny").string();
  MOA_EXPECT_ERROR(Model::load(pictures, {.text_model = texts, .adapter = kLora}), model_mismatch);
}

TEST(Adapter, IsAddedInEveryPrecision) {
  for (const char* dtype : {"bf16", "int8"}) {
    const std::vector<float> narrow =
        Model::load(kModel, {.dtype = dtype, .adapter = kLora}).embed_text(kText);
    const std::vector<float> exact = Model::load(kModel, {.adapter = kLora}).embed_text(kText);
    float cosine = 0;
    for (std::size_t i = 0; i < exact.size(); ++i) cosine += narrow[i] * exact[i];
    EXPECT_GT(cosine, 0.95) << dtype;
  }
}

TEST(Adapter, ThatDoesNotBelongIsRefused) {
  const fs::path other = kGolden / "blip" / "odd_sizes";
  MOA_EXPECT_ERROR(Model::load(other.string(), {.adapter = kLora}), model_mismatch);
  const fs::path shallower = kGolden / "clip" / "legacy_eos_gelu_f16";
  MOA_EXPECT_ERROR(Model::load(shallower.string(), {.adapter = kLora}), model_mismatch);
  MOA_EXPECT_ERROR(Model::load(kModel, {.adapter = kGolden / "adapters" / "dora"}), unsupported);
  MOA_EXPECT_ERROR(Model::load(kModel, {.adapter = kGolden / "adapters" / "none"}), not_found);
  MOA_EXPECT_ERROR(Model::load(kModel, {.adapter = kModel}), not_found);
}

TEST(Adapter, TellsWhatItIs) {
  EXPECT_TRUE(is_adapter(kLora));
  EXPECT_TRUE(is_adapter(kLora / "adapter_model.safetensors"));
  EXPECT_FALSE(is_adapter(kModel));
  const AdapterInfo info = inspect_adapter(kLora);
  EXPECT_EQ(info.kind, "lora");
  EXPECT_EQ(info.rank, 3);
  EXPECT_DOUBLE_EQ(info.scale, 2);
  EXPECT_EQ(info.base, "clip/odd_sizes");
  EXPECT_EQ(info.layers.size() % 4, 0U);  // four in each layer
  EXPECT_EQ(Model::load(kModel, {.adapter = kLora}).info().adapter, kLora.string());
}

}  // namespace
}  // namespace moa
