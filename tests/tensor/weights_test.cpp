#include "tensor/weights.hpp"

#include <gtest/gtest.h>

#include "base/expect_error.hpp"

namespace moa {
namespace {

Parameter ones(const std::string& name, Shape shape) {
  const auto count = static_cast<std::size_t>(shape.elements());
  return Parameter::from_values(name, std::move(shape), std::vector<float>(count, 1.0F));
}

std::string message_of(const Weights& weights) {
  try {
    weights.finish("model.safetensors");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::shape_mismatch);
    return error.what();
  }
  return {};
}

bool mentions(const std::string& message, const std::string& part) {
  return message.find(part) != std::string::npos;
}

TEST(Weights, AreCompleteWhenEveryTensorIsTaken) {
  Weights weights;
  weights.add(ones("a.weight", {2, 3}));
  weights.add(ones("b", {1}));
  weights.ignore("b");
  weights.ignore("absent");
  EXPECT_EQ(weights.take("a.weight", {2, 3}).read(), std::vector<float>(6, 1.0F));
  EXPECT_FALSE(weights.take_if_present("bias", {3}));
  weights.finish("model.safetensors");
}

TEST(Weights, ListEverythingThatDoesNotFitAtOnce) {
  Weights weights;
  weights.add(ones("extra", {4}));
  weights.add(ones("turned", {3, 2}));
  EXPECT_EQ(weights.take("absent", {2}).read(), std::vector<float>(2, 0.0F));
  EXPECT_EQ(weights.take("turned", {2, 3}).shape(), (Shape{2, 3}));
  const std::string message = message_of(weights);
  for (const char* part : {"absent [2]", "turned", "[2, 3]", "[3, 2]", "extra [4]", "model.safetensors"}) {
    EXPECT_TRUE(mentions(message, part)) << part << " in " << message;
  }
  EXPECT_FALSE(mentions(message, "\n"));  // an error is one line
}

TEST(Weights, RefuseANameThatStandsTwice) {
  Weights weights;
  weights.add(ones("a", {1}));
  MOA_EXPECT_ERROR(weights.add(ones("a", {1})), corrupt_data);
}

TEST(Weights, TakeAnOptionalTensorStrictlyIfItIsThere) {
  Weights weights;
  weights.add(ones("bias", {4}));
  weights.take_if_present("bias", {3});
  EXPECT_TRUE(mentions(message_of(weights), "bias"));
}

TEST(Weights, TellShapesAndWhatIsLeft) {
  Weights weights;
  weights.add(ones("a", {2, 2}));
  weights.add(ones("b", {1}));
  EXPECT_TRUE(weights.has("a"));
  EXPECT_EQ(weights.shape_of("a"), (Shape{2, 2}));
  EXPECT_EQ(weights.shape_of("c"), Shape{});
  weights.take("a", {2, 2});
  EXPECT_EQ(weights.left_over(), std::vector<std::string>{"b"});
}

TEST(WeightScope, TakesTensorsBelowItsPrefix) {
  Weights weights;
  weights.add(ones("layers.3.mlp.weight", {2}));
  const WeightScope scope = WeightScope(weights).at("layers", 3).at("mlp");
  EXPECT_EQ(scope.prefix(), "layers.3.mlp.");
  EXPECT_TRUE(scope.has("weight"));
  EXPECT_EQ(scope.shape_of("weight"), (Shape{2}));
  EXPECT_TRUE(scope.take("weight", {2}));
  EXPECT_FALSE(scope.take_if_present("bias", {2}));
  weights.finish("model.safetensors");
}

}  // namespace
}  // namespace moa
