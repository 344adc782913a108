// Every golden checkpoint through the torch interpreter.
#include "backends/torch/interpreter.hpp"

#include <cctype>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/expect_error.hpp"
#include "models/golden.hpp"

namespace moa {
namespace {

constexpr double kVectorTolerance = 1e-5;  // for each component of a unit vector

class TorchGolden : public testing::TestWithParam<std::string> {
 protected:
  Golden golden_ = Golden::load(GetParam());
  torch::TorchWeights weights_{at::Device(at::kCPU)};
  TorchInterpreter ops_{weights_};

  std::vector<float> unit(const Rows& rows) {
    return ops_.read(ops_.l2_normalize(rows, golden_.model->normalize_eps()));
  }
};

TEST_P(TorchGolden, VectorsEqualTheReferences) {
  if (golden_.expected.has("text_vectors")) {
    expect_near(unit(golden_.model->forward_text(ops_, golden_.tokens(ops_))), golden_.values("text_vectors"),
                kVectorTolerance);
  }
  if (golden_.expected.has("image_vectors")) {
    expect_near(unit(golden_.forward_images(ops_)), golden_.values("image_vectors"), kVectorTolerance);
  }
}

std::string test_name(const testing::TestParamInfo<std::string>& folder) {
  std::string name = folder.param;
  for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
  return name;
}

INSTANTIATE_TEST_SUITE_P(Checkpoints, TorchGolden, testing::ValuesIn(golden_folders()), test_name);

Parameter counting(const std::string& name, const Shape& shape) {
  std::vector<float> values(static_cast<std::size_t>(shape.elements()));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
  return Parameter::from_values(name, shape, std::move(values));
}

TEST(TorchWeights, GradientsReachTheCheckpointsOwnTensors) {
  torch::TorchWeights weights{at::Device(at::kCPU)};
  const Parameter q = counting("q", {2, 3});
  const Parameter k = counting("k", {1, 3});
  const at::Tensor of_q = weights.learn(q);
  const at::Tensor of_k = weights.learn(k);
  weights.of(Parameter::stacked({q, k})).narrow(0, 1, 2).sum().backward();
  EXPECT_TRUE(at::equal(of_q.grad(), at::tensor({0, 0, 0, 1, 1, 1}).reshape({2, 3}).to(at::kFloat)));
  EXPECT_TRUE(at::equal(of_k.grad(), at::ones({1, 3})));
  weights.of(q.transposed().rows(2, 3).reshaped({2})).sum().backward();
  EXPECT_TRUE(at::equal(of_q.grad(), at::tensor({0, 0, 1, 1, 1, 2}).reshape({2, 3}).to(at::kFloat)));
}

TEST(TorchInterpreter, RefusesIdsOutsideTheTable) {
  torch::TorchWeights weights{at::Device(at::kCPU)};
  TorchInterpreter ops(weights);
  const std::vector<std::int32_t> ids{0, 4};
  const Tokens tokens = ops.tokens(ids, {}, Sequences({2}));
  MOA_EXPECT_ERROR(ops.embedding(tokens, TokenField::id, counting("table", {4, 2})), out_of_range);
}

TEST(TorchInterpreter, TellsOfShapesThatDoNotFit) {
  torch::TorchWeights weights{at::Device(at::kCPU)};
  TorchInterpreter ops(weights);
  const std::vector<std::int32_t> ids{0, 1};
  const Rows x = ops.embedding(ops.tokens(ids, {}, Sequences({2})), TokenField::id, counting("t", {4, 2}));
  MOA_EXPECT_ERROR(ops.linear(x, {counting("w", {3, 3}), {}}, {}), shape_mismatch);
  MOA_EXPECT_ERROR(ops.add_row(x, counting("row", {3})), shape_mismatch);
  MOA_EXPECT_ERROR(ops.columns(x, 1, 2), out_of_range);
  MOA_EXPECT_ERROR(ops.attention(x, x, x, {.heads = 3}), shape_mismatch);
}

// What is added up in bf16 stays at 256.
TEST(TorchInterpreter, ProductsOfBf16AddUpInF32ForwardAndBackward) {
  constexpr std::int64_t kMany = 4096;
  torch::TorchWeights weights{at::Device(at::kCPU)};
  TorchInterpreter ops(weights, Precision::bf16);
  const Parameter rows = Parameter::from_values("rows", {kMany, 1}, std::vector<float>(kMany, 1));
  const Parameter weight = Parameter::from_values("weight", {kMany, 1}, std::vector<float>(kMany, 1));
  const at::Tensor of_rows = weights.learn(rows);
  const at::Tensor of_weight = weights.learn(weight);
  const Rows x = ops.embedding(
      ops.tokens(std::vector<std::int32_t>(kMany, 0), {}, Sequences(std::vector<std::int64_t>(kMany, 1))),
      TokenField::id, rows);
  TorchInterpreter::matrix(ops.linear(x, {weight, {}}, {})).sum().backward();
  EXPECT_EQ(of_weight.grad()[0].item<float>(), kMany);        // over rows
  EXPECT_EQ(of_rows.grad()[0].item<float>(), kMany * kMany);  // over columns, then over rows
  // Nor is more kept of a number than bf16 has.
  const Parameter fine = Parameter::from_values("fine", {1, 1}, {1.00390625F});
  EXPECT_EQ(TorchInterpreter::matrix(ops.linear(x, {fine, {}}, {}))[0].item<float>(), 1);
}

}  // namespace
}  // namespace moa
