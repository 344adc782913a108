// Directories in bf16 and int8, from a golden checkpoint and back to vectors.
#include <moa/quantize.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <limits>

#include <gtest/gtest.h>

#include "backends/cpu/level.hpp"
#include "base/expect_error.hpp"
#include "base/file.hpp"
#include "base/temporary_directory.hpp"
#include "checkpoint/safetensors.hpp"

namespace moa {
namespace {

namespace fs = std::filesystem;
using testing::TemporaryDirectory;

const fs::path kCheckpoint = fs::path(MOA_TEST_DATA) / "golden/clip/odd_sizes";
const fs::path kPicture = kCheckpoint / "picture0.png";

const StoredTensor& tensor_of(const SafetensorsFile& file, const std::string& name) {
  return *std::ranges::find(file.tensors(), name, &StoredTensor::name);
}

std::size_t entries(const fs::path& folder) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

class Quantize : public ::testing::TestWithParam<std::string> {
 protected:
  TemporaryDirectory folder_;
  const fs::path place_ = folder_.path() / "small";
};

TEST_P(Quantize, ADirectoryGivesTheBitsOfTheOriginalAtItsPrecision) {
  quantize(kCheckpoint.string(), place_, GetParam());
  const Model small = Model::load(place_.string());
  EXPECT_EQ(small.dtype(), GetParam());
  const Model original = Model::load(kCheckpoint.string(), {.dtype = GetParam()});
  // Where stored integers are narrowed once more, they are not the ones that the original's numbers give.
  if (GetParam() == "int8" && cpu::chosen_kernels().int8.bind_int8 != nullptr) {
    const std::vector<Input> pictures = {Input::file(kPicture)};
    EXPECT_GT(compare(original, small, {.images = pictures}).images->least_cosine, 0.998);
  } else {
    EXPECT_EQ(small.embed_image(kPicture), original.embed_image(kPicture));
  }
  EXPECT_LT(small.info().weights_bytes, original.info().weights_bytes);
  EXPECT_NE(small.identity(), original.identity());
  // Texts differ by their embeddings, which are in fewer bits too.
  const std::vector<std::string> texts = {"a dog", "two cats"};
  const Comparison found = compare(original, small, {.texts = texts});
  EXPECT_GT(found.texts->least_cosine, 0.999);
  EXPECT_EQ(entries(folder_.path()), 1u);
}

TEST_P(Quantize, AMatrixOfWhichAPartIsAskedForInF32Stays) {
  const fs::path siglip = fs::path(MOA_TEST_DATA) / "golden/siglip/odd_sizes";
  quantize(siglip.string(), place_, GetParam());
  const SafetensorsFile file = SafetensorsFile::open(place_ / "model.safetensors");
  EXPECT_EQ(tensor_of(file, "vision_model.head.attention.in_proj_weight").dtype, DType::f32);
  EXPECT_NE(tensor_of(file, "vision_model.encoder.layers.0.self_attn.q_proj.weight").dtype, DType::f32);
  if (GetParam() == "int8" && cpu::chosen_kernels().int8.bind_int8 != nullptr) return;
  EXPECT_EQ(Model::load(place_.string()).embed_image(siglip / "picture0.png"),
            Model::load(siglip.string(), {.dtype = GetParam()}).embed_image(siglip / "picture0.png"));
}

TEST_P(Quantize, ADirectoryRunsInF32TooAndInTheOtherPrecision) {
  quantize(kCheckpoint.string(), place_, GetParam());
  const std::vector<Input> pictures = {Input::file(kPicture)};
  const Model original = Model::load(kCheckpoint.string());
  for (const char* dtype : {"f32", "bf16", "int8"}) {
    const Model model = Model::load(place_.string(), {.dtype = dtype});
    EXPECT_EQ(model.dtype(), dtype);
    EXPECT_GT(compare(original, model, {.images = pictures}).images->least_cosine, 0.99) << dtype;
  }
}

TEST_P(Quantize, ModulesOfSentenceTransformersKeepTheirFolders) {
  const fs::path modules = fs::path(MOA_TEST_DATA) / "golden/sentence_transformers/roberta_max_dense";
  quantize(modules.string(), place_, GetParam());
  for (const char* file : {"model.safetensors", "modules.json", "1_Pooling/config.json",
                           "2_Dense/config.json", "2_Dense/model.safetensors", "3_Dense/model.safetensors"}) {
    EXPECT_TRUE(fs::exists(place_ / file)) << file;
  }
  const Model small = Model::load(place_.string());
  EXPECT_EQ(small.dtype(), GetParam());
  const std::vector<std::string> texts = {"a dog", "two cats"};
  const Comparison found = compare(Model::load(modules.string()), small, {.texts = texts});
  EXPECT_GT(found.texts->least_cosine, 0.99);
}

TEST_P(Quantize, ALoneFileIsUnsupported) {
  const fs::path lone = fs::path(MOA_TEST_DATA) / "golden/openai_clip/vit/model.pt";
  MOA_EXPECT_ERROR((quantize(lone.string(), place_, GetParam())), unsupported);
  EXPECT_EQ(entries(folder_.path()), 0u);
}

TEST_P(Quantize, WhatExistsIsNotWrittenOverAndWhatIsQuantizedIsNotAgain) {
  quantize(kCheckpoint.string(), place_, GetParam());
  MOA_EXPECT_ERROR((quantize(kCheckpoint.string(), place_, GetParam())), invalid_argument);
  MOA_EXPECT_ERROR((quantize(place_.string(), folder_.path() / "again", GetParam())), invalid_argument);
  EXPECT_EQ(entries(folder_.path()), 1u);
}

TEST_P(Quantize, WhatFailsLeavesNothingBehind) {
  MOA_EXPECT_ERROR((quantize(kCheckpoint.string(), folder_.path() / "no" / "such", GetParam())), io_error);
  MOA_EXPECT_ERROR((quantize("no/model", place_, GetParam())), not_found);
  MOA_EXPECT_ERROR((quantize(kCheckpoint.string(), place_, "int4")), invalid_argument);
  EXPECT_EQ(entries(folder_.path()), 0u);
}

INSTANTIATE_TEST_SUITE_P(Precisions, Quantize, ::testing::Values("bf16", "int8"),
                         [](const auto& precision) { return precision.param; });

TEST(QuantizedWeights, ThatBf16CannotHoldAreRefused) {
  const TemporaryDirectory folder;
  const fs::path changed = folder.path() / "changed";
  fs::copy(kCheckpoint, changed, fs::copy_options::recursive);
  const fs::path weights = changed / "model.safetensors";
  std::string content = read_file(weights, 1 << 24);
  const SafetensorsFile file = SafetensorsFile::open(weights);
  const auto bytes = tensor_of(file, "vision_model.encoder.layers.0.mlp.fc1.weight").bytes;
  const std::size_t at = content.find(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  const float large = std::numeric_limits<float>::max();
  content.replace(at, sizeof large, reinterpret_cast<const char*>(&large), sizeof large);
  fs::remove(weights);  // not the mapped file itself
  std::ofstream(weights, std::ios::binary) << content;
  MOA_EXPECT_ERROR((quantize(changed.string(), folder.path() / "small", "bf16")), out_of_range);
  EXPECT_EQ(entries(folder.path()), 1u);
}

TEST(Compare, AClassThatCannotBeEmbeddedHasNoPart) {
  const Model model = Model::load(kCheckpoint.string());
  const std::vector<Input> pictures(3, Input::file(kPicture));
  const std::vector<std::string> labels = {"dog", "\xFF", "cat"};
  const Comparison found = compare(model, model, {.images = pictures, .labels = labels});
  EXPECT_EQ(found.classes, 2u);
  ASSERT_EQ(found.label_errors.size(), 3u);
  EXPECT_FALSE(found.label_errors[0]);
  EXPECT_TRUE(found.label_errors[2]);  // in bytewise order
  EXPECT_DOUBLE_EQ(found.model_scores.top1, 0.5);
  EXPECT_EQ(
      compare(model, model, {.images = std::span(pictures).first(2), .labels = std::span(labels).first(2)})
          .classes,
      0u);
  const std::vector<Input> missing(2, Input::file("/no/such/file"));
  EXPECT_EQ(
      compare(model, model, {.images = missing, .labels = std::vector<std::string>{"dog", "cat"}}).classes,
      0u);
}

TEST(Compare, CountsPicturesThatFindTheirClass) {
  const Model model = Model::load(kCheckpoint.string());
  const std::vector<Input> pictures = {Input::file(kPicture), Input::file(kCheckpoint / "picture1.png"),
                                       Input::file("/no/such/file")};
  const std::vector<std::string> labels = {"dog", "cat", "dog"};
  const Comparison found = compare(model, model, {.images = pictures, .labels = labels});
  EXPECT_EQ(found.images->items, 2u);
  EXPECT_NEAR(found.images->least_cosine, 1, 1e-6);
  EXPECT_EQ(found.classes, 2u);
  EXPECT_EQ(found.model_scores.top1, found.reference_scores.top1);
  EXPECT_FALSE(found.texts);
  MOA_EXPECT_ERROR((compare(model, model, {.images = pictures, .labels = std::span(labels).first(2)})),
                   invalid_argument);
}

}  // namespace
}  // namespace moa
