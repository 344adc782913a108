#include <moa/merge.hpp>

#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <moa/model.hpp>

#include "base/expect_error.hpp"
#include "base/file.hpp"
#include "checkpoint/model_directory.hpp"
#include "checkpoint/safetensors_writer.hpp"

namespace moa {
namespace {

namespace fs = std::filesystem;

const fs::path kGolden = fs::path(MOA_TEST_DATA) / "golden";

class Merge : public testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(root_);
    tuned_ = tuned_copy(kGolden / "clip/odd_sizes");
  }
  void TearDown() override { fs::remove_all(root_); }

  // The model with 1 added to every weight.
  std::string tuned_copy(const fs::path& model) const {
    const fs::path copy = root_ / "tuned";
    fs::copy(model, copy);
    std::vector<TensorToWrite> tensors;
    const Weights weights = ModelDirectory::open(model).weights();
    for (const Parameter& tensor : weights.parameters()) {
      tensors.push_back({tensor.name(), DType::f32, tensor.shape(), [tensor](const ByteSink& write) {
                           std::vector<float> values = tensor.read();
                           for (float& value : values) value += 1;
                           write(std::as_bytes(std::span(values)));
                         }});
    }
    fs::remove(copy / "model.safetensors");
    write_safetensors(copy / "model.safetensors", std::move(tensors));
    return copy.string();
  }
  static std::map<std::string, std::vector<float>> weights_of(const fs::path& model) {
    std::map<std::string, std::vector<float>> values;
    const Weights weights = ModelDirectory::open(model).weights();
    for (const Parameter& tensor : weights.parameters()) values[tensor.name()] = tensor.read();
    return values;
  }

  fs::path root_ = fs::temp_directory_path() / ("moa-merge-" + std::to_string(::getpid()));
  std::string base_ = (kGolden / "clip/odd_sizes").string();
  std::string tuned_;
};

TEST_F(Merge, EveryWeightLiesBetweenTheTwo) {
  interpolate(base_, tuned_, 0.25, root_ / "between");
  const auto base = weights_of(base_);
  for (const auto& [name, values] : weights_of(root_ / "between")) {
    for (std::size_t i = 0; i < values.size(); ++i)
      ASSERT_NEAR(values[i], base.at(name)[i] + 0.25, 1e-6) << name;
  }
  EXPECT_EQ(Model::load((root_ / "between").string()).embed_text("a dog").size(), 29U);
}

TEST_F(Merge, ItsEndsAreTheTwoModels) {
  interpolate(base_, tuned_, 0, root_ / "begin");
  interpolate(base_, tuned_, 1, root_ / "end");
  EXPECT_EQ(weights_of(root_ / "begin"), weights_of(base_));
  EXPECT_EQ(weights_of(root_ / "end"), weights_of(tuned_));
}

TEST_F(Merge, AnAdapterInTheWeightsGivesTheVectorsOfItsUse) {
  const fs::path adapter = kGolden / "adapters/lora";
  merge_adapter(base_, adapter, 1, root_ / "merged");
  merge_adapter(base_, adapter, 0, root_ / "none");
  const std::vector<float> merged = Model::load((root_ / "merged").string()).embed_text("a dog");
  const std::vector<float> added = Model::load(base_, {.adapter = adapter}).embed_text("a dog");
  ASSERT_EQ(merged.size(), added.size());
  for (std::size_t i = 0; i < merged.size(); ++i) EXPECT_NEAR(merged[i], added[i], 1e-5);
  EXPECT_EQ(weights_of(root_ / "none"), weights_of(base_));
  EXPECT_NE(weights_of(root_ / "merged"), weights_of(base_));
  MOA_EXPECT_ERROR(merge_adapter(base_, adapter, 2, root_ / "out"), invalid_argument);
  MOA_EXPECT_ERROR(merge_adapter((kGolden / "blip/odd_sizes").string(), adapter, 1, root_ / "out"),
                   model_mismatch);
  EXPECT_FALSE(fs::exists(root_ / "out"));
}

TEST_F(Merge, ModelsThatDoNotFitAreRefusedAndNothingIsLeft) {
  const std::string other = (kGolden / "clip/legacy_eos_gelu_f16").string();
  MOA_EXPECT_ERROR(interpolate(base_, other, 0.5, root_ / "out"), model_mismatch);
  MOA_EXPECT_ERROR(interpolate(base_, tuned_, 1.5, root_ / "out"), invalid_argument);
  MOA_EXPECT_ERROR(interpolate(base_, tuned_, NAN, root_ / "out"), invalid_argument);
  MOA_EXPECT_ERROR(interpolate(base_, tuned_, 0.5, tuned_), invalid_argument);
  MOA_EXPECT_ERROR(interpolate(base_, (root_ / "gone").string(), 0.5, root_ / "out"), not_found);
  EXPECT_EQ(std::distance(fs::directory_iterator(root_), {}), 1);  // the tuned copy alone
}

}  // namespace
}  // namespace moa
