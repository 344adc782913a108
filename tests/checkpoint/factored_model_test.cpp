// Matrices that a checkpoint holds in factors, as moa compress writes them.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "base/expect_error.hpp"
#include "base/temporary_directory.hpp"
#include "checkpoint/model_directory.hpp"
#include "checkpoint/safetensors_bytes.hpp"
#include "tensor/factored.hpp"

namespace moa {
namespace {

using testing::SafetensorsBuilder;

class FactoredModel : public ::testing::Test {
 protected:
  Weights load(const SafetensorsBuilder& tensors) {
    directory_.write("config.json", "{}");
    directory_.write("model.safetensors", tensors.bytes());
    return ModelDirectory::open(directory_.path()).weights();
  }
  testing::TemporaryDirectory directory_;
  const std::vector<float> left_{1, 2, 3};  // [3, 1]
  const std::vector<float> right_{10, 20};  // [1, 2]
};

TEST_F(FactoredModel, ThinMatricesAreOneMatrix) {
  Weights weights =
      load(SafetensorsBuilder().add("w.right", "F32", "[1,2]", right_).add("w.left", "F32", "[3,1]", left_));
  const Parameter matrix = weights.take("w", {3, 2});
  weights.finish("model.safetensors");
  EXPECT_EQ(matrix.read(), (std::vector<float>{10, 20, 20, 40, 30, 60}));
  EXPECT_EQ(factors_of(matrix).size(), 2U);
  ASSERT_EQ(stored_tensors(weights.parameters()).size(), 2U);
  EXPECT_EQ(stored_tensors(weights.parameters())[0].name(), "w.left");
  EXPECT_EQ(stored_tensors(weights.parameters())[1].identity(), factors_of(matrix)[1].identity());
}

TEST_F(FactoredModel, CoresAreOneMatrix) {
  const std::vector<float> two{2, 3};
  Weights weights = load(SafetensorsBuilder()
                             .add("w.core1", "F32", "[1,2,1,1]", two)
                             .add("w.core2", "F32", "[1,1,2,1]", two)
                             .add("w.core3", "F32", "[1,1,1,1]", std::vector<float>{10}));
  EXPECT_EQ(weights.take("w", {2, 2}).read(), (std::vector<float>{40, 60, 60, 90}));
  weights.finish("model.safetensors");
}

TEST_F(FactoredModel, FactorsMayBeInInt8) {
  const std::vector<std::int8_t> left{2, 4, -6};
  Weights weights = load(SafetensorsBuilder()
                             .add("w.left.scale", "F32", "[3]", std::vector<float>{0.5F, 0.5F, 1})
                             .add("w.right", "F32", "[1,2]", right_)
                             .add("w.left", "I8", "[3,1]", left));
  EXPECT_EQ(weights.take("w", {3, 2}).read(), (std::vector<float>{10, 20, 20, 40, -60, -120}));
  weights.finish("model.safetensors");
}

TEST_F(FactoredModel, AFactorAloneIsATensorLikeOthers) {
  EXPECT_TRUE(load(SafetensorsBuilder().add("w.left", "F32", "[3,1]", left_)).has("w.left"));
  EXPECT_TRUE(load(SafetensorsBuilder().add("w.core1", "F32", "[3,1]", left_)).has("w.core1"));
}

TEST_F(FactoredModel, RejectsFactorsThatDoNotFit) {
  const auto load_pair = [&](const char* left, const char* right) {
    load(SafetensorsBuilder().add("w.left", "F32", left, left_).add("w.right", "F32", right, right_));
  };
  MOA_EXPECT_ERROR(load_pair("[3,1]", "[2,1]"), corrupt_data);
  MOA_EXPECT_ERROR(load_pair("[3]", "[1,2]"), corrupt_data);
  MOA_EXPECT_ERROR(load_pair("[1,3]", "[1,2]"), corrupt_data);
  MOA_EXPECT_ERROR(
      load(SafetensorsBuilder().add("w.left", "F32", "[9,0]", "").add("w.right", "F32", "[0,9]", "")),
      corrupt_data);
}

TEST_F(FactoredModel, RejectsAMatrixThatIsThereTwice) {
  SafetensorsBuilder tensors;
  tensors.add("w.left", "F32", "[3,1]", left_).add("w.right", "F32", "[1,2]", right_);
  MOA_EXPECT_ERROR(load(tensors.add("w", "F32", "[1]", std::vector<float>{1})), corrupt_data);
}

}  // namespace
}  // namespace moa
