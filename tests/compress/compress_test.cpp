// Compressed directories, from golden checkpoints and back to vectors.
#include <moa/compress.hpp>

#include <cmath>
#include <filesystem>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <moa/model.hpp>
#include <moa/quantize.hpp>
#include <moa/safetensors.hpp>

#include "base/expect_error.hpp"
#include "base/temporary_directory.hpp"
#include "checkpoint/model_directory.hpp"
#include "tensor/factored.hpp"

namespace moa {
namespace {

namespace fs = std::filesystem;
using Kind = CompressOptions::Kind;

const fs::path kGolden = fs::path(MOA_TEST_DATA) / "golden";
const fs::path kClip = kGolden / "clip/odd_sizes";
const fs::path kPicture = kClip / "picture0.png";

std::map<std::string, Parameter> weights_of(const fs::path& model) {
  std::map<std::string, Parameter> tensors;
  for (const Parameter& tensor : ModelDirectory::open(model).weights().parameters()) {
    tensors.emplace(tensor.name(), tensor);
  }
  return tensors;
}

std::size_t entries(const fs::path& folder) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

double length_of_difference(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += std::pow(static_cast<double>(a[i]) - b[i], 2);
  return std::sqrt(sum);
}

class Compress : public ::testing::TestWithParam<Kind> {
 protected:
  CompressOptions options(double error) const { return {.kind = GetParam(), .error = error}; }

  testing::TemporaryDirectory folder_;
  const fs::path place_ = folder_.path() / "small";
};

TEST_P(Compress, EachMatrixStaysWithinTheErrorAndTheRestAsItWas) {
  const std::vector<CompressedLinear> report = compress(kClip.string(), place_, options(0.6));
  std::map<std::string, CompressedLinear> replaced;
  for (const CompressedLinear& linear : report) {
    if (!linear.ranks.empty()) replaced.emplace(linear.name, linear);
  }
  EXPECT_EQ(report.size(), 6U * (3 + 2)) << "q, k, v, out, fc1 and fc2 of each block";
  EXPECT_GT(replaced.size(), report.size() / 2);
  const auto before = weights_of(kClip);
  const auto after = weights_of(place_);
  ASSERT_EQ(before.size(), after.size());
  for (const auto& [name, tensor] : after) {
    const std::vector<float> values = before.at(name).read();
    const auto found = replaced.find(name);
    if (found == replaced.end()) {
      EXPECT_EQ(tensor.read(), values) << name;
      EXPECT_TRUE(factors_of(tensor).empty());
      continue;
    }
    const double error = length_of_difference(tensor.read(), values) /
                         length_of_difference(values, std::vector<float>(values.size()));
    EXPECT_LE(error, 0.6) << name;
    EXPECT_NEAR(error, found->second.error, 1e-5) << name;
    EXPECT_LT(found->second.bytes_after, found->second.bytes_before);
    std::int64_t bytes = 0;
    for (const Parameter& factor : factors_of(tensor)) bytes += factor.shape().elements() * 4;
    EXPECT_EQ(bytes, found->second.bytes_after);
  }
  EXPECT_LT(Model::load(place_.string()).info().parameters, Model::load(kClip.string()).info().parameters);
  EXPECT_LT(Model::load(place_.string()).info().weights_bytes,
            Model::load(kClip.string()).info().weights_bytes);
}

// The factors are run as they are, or multiplied out, and multiplied out into a file.
TEST_P(Compress, VectorsAreThoseOfTheMatricesMultipliedOut) {
  int count = 0;
  for (const fs::path& checkpoint :
       {kClip, kGolden / "dual_encoder/vit_bert", kGolden / "siglip/odd_sizes", kGolden / "coca/parallel"}) {
    const fs::path small = folder_.path() / ("small" + std::to_string(++count));
    const fs::path whole = folder_.path() / ("whole" + std::to_string(count));
    compress(checkpoint.string(), small, options(0.7));
    export_safetensors(small.string(), whole, "f32");
    for (const auto& [name, tensor] : weights_of(whole)) EXPECT_TRUE(factors_of(tensor).empty()) << name;
    const Model factored = Model::load(small.string());
    const Model dense = Model::load(whole.string());
    const std::vector<float> of_factors = factored.embed_image(kPicture);
    const std::vector<float> of_whole = dense.embed_image(kPicture);
    for (std::size_t i = 0; i < of_whole.size(); ++i) EXPECT_NEAR(of_factors[i], of_whole[i], 1e-5);
    const std::vector<float> original = Model::load(checkpoint.string()).embed_image(kPicture);
    EXPECT_GT(length_of_difference(original, of_factors), 1e-3) << "something was lost";
    EXPECT_NE(factored.identity(), dense.identity());
  }
}

TEST_P(Compress, ATextsVectorDoesNotDependOnItsBatch) {
  compress(kClip.string(), place_, options(0.6));
  for (const char* dtype : {"f32", "bf16", "int8"}) {
    const Model model = Model::load(place_.string(), {.dtype = dtype});
    const std::vector<Input> inputs{Input::text("a dog"), Input::text("two cats on a red mat"),
                                    Input::file(kPicture)};
    const Vectors together = model.embed_all(inputs);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const Vectors alone = model.embed_all(std::vector<Input>{inputs[i]});
      EXPECT_TRUE(std::equal(alone.row(0).begin(), alone.row(0).end(), together.row(i).begin())) << dtype;
    }
  }
}

TEST_P(Compress, OnlyTheLayersThatArePatternedAreReplaced) {
  CompressOptions some = options(0.7);
  some.linears = {"text_model.*.fc?.weight", "text_model.*.mlp.*"};
  MOA_EXPECT_ERROR(compress(kClip.string(), place_, some), invalid_argument);  // ? stands for itself
  some.linears = {"text_model.*.mlp.*"};
  const std::vector<CompressedLinear> report = compress(kClip.string(), place_, some);
  EXPECT_EQ(report.size(), 6U);
  for (const auto& [name, tensor] : weights_of(place_)) {
    if (factors_of(tensor).empty()) continue;
    EXPECT_TRUE(name.starts_with("text_model.") && name.find(".mlp.") != std::string::npos) << name;
  }
}

TEST_P(Compress, HalfNumbersStayHalf) {
  const fs::path model = kGolden / "clip/legacy_eos_gelu_f16";
  const auto report = compress(model.string(), place_, options(0.7));
  std::size_t factored = 0;
  for (const auto& [name, tensor] : weights_of(place_)) {
    factored += factors_of(tensor).empty() ? 0 : 1;
    for (const Parameter& factor : factors_of(tensor)) EXPECT_EQ(factor.dtype(), DType::f16) << name;
  }
  EXPECT_GT(factored, 0U);
  EXPECT_EQ(Model::load(place_.string()).info().dtypes, Model::load(model.string()).info().dtypes);
}

TEST_P(Compress, WhatIsQuantizedAfterwardsKeepsItsFactors) {
  compress(kClip.string(), place_, options(0.6));
  const Model compressed = Model::load(place_.string());
  for (const char* dtype : {"bf16", "int8"}) {
    const fs::path quantized = folder_.path() / dtype;
    quantize(place_.string(), quantized, dtype);
    const Model small = Model::load(quantized.string());
    EXPECT_EQ(small.dtype(), dtype);
    EXPECT_LT(small.info().weights_bytes, compressed.info().weights_bytes);
    EXPECT_EQ(small.info().parameters, compressed.info().parameters);
    const std::vector<std::string> texts = {"a dog", "two cats"};
    const std::vector<Input> pictures = {Input::file(kPicture)};
    const Comparison found = compare(compressed, small, {.images = pictures, .texts = texts});
    EXPECT_GT(found.texts->least_cosine, 0.99) << dtype;
    EXPECT_GT(found.images->least_cosine, 0.99) << dtype;
    bool any = false;
    for (const auto& [name, tensor] : weights_of(quantized)) any = any || !factors_of(tensor).empty();
    EXPECT_TRUE(any);
  }
}

TEST_P(Compress, FoldersOfModulesKeepTheirPlaces) {
  const fs::path modules = kGolden / "sentence_transformers/roberta_max_dense";
  compress(modules.string(), place_, options(0.7));
  for (const char* file : {"model.safetensors", "modules.json", "1_Pooling/config.json",
                           "2_Dense/model.safetensors", "3_Dense/model.safetensors"}) {
    EXPECT_TRUE(fs::exists(place_ / file)) << file;
  }
  EXPECT_EQ(Model::load(place_.string()).embed_text("a dog").size(),
            Model::load(modules.string()).embed_text("a dog").size());
}

TEST_P(Compress, WhatCannotBeCompressedIsRefusedAndLeavesNothing) {
  const std::string model = kClip.string();
  for (const double error : {-0.1, 1.0, std::nan("")}) {
    MOA_EXPECT_ERROR(compress(model, place_, options(error)), invalid_argument);
  }
  CompressOptions cancelled = options(0.5);
  const std::atomic<bool> now{true};
  cancelled.cancelled = &now;
  MOA_EXPECT_ERROR(compress(model, place_, cancelled), cancelled);
  EXPECT_EQ(entries(folder_.path()), 0U);
  compress(model, place_, options(0.7));
  MOA_EXPECT_ERROR(compress(model, place_, options(0.7)), invalid_argument);
  MOA_EXPECT_ERROR(compress(place_.string(), folder_.path() / "twice", options(0.7)), invalid_argument);
  quantize(model, folder_.path() / "int8", "int8");
  MOA_EXPECT_ERROR(compress((folder_.path() / "int8").string(), folder_.path() / "after", options(0.7)),
                   invalid_argument);
  EXPECT_EQ(entries(folder_.path()), 2U);
}

TEST_P(Compress, NoErrorChangesNothing) {
  for (const CompressedLinear& linear : compress(kClip.string(), place_, options(0))) {
    EXPECT_TRUE(linear.ranks.empty()) << linear.name;
  }
  const auto before = weights_of(kClip);
  for (const auto& [name, tensor] : weights_of(place_)) EXPECT_EQ(tensor.read(), before.at(name).read());
}

INSTANTIATE_TEST_SUITE_P(Kinds, Compress, ::testing::Values(Kind::low_rank, Kind::tensor_train),
                         [](const auto& kind) {
                           return kind.param == Kind::low_rank ? "low_rank" : "tensor_train";
                         });

}  // namespace
}  // namespace moa
