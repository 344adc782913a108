// Tensors that published checkpoints have beside those of their towers.
#include <string>

#include <gtest/gtest.h>

#include <moa/error.hpp>

#include "models/golden.hpp"

namespace moa {
namespace {

// Whether the golden checkpoint loads with the tensor `name` added.
bool loads_with(const std::string& golden, const std::string& name) {
  const auto path = std::filesystem::path(MOA_TEST_DATA) / "golden" / golden;
  const ModelDirectory directory = ModelDirectory::open(path);
  Weights weights = directory.weights();
  weights.add(Parameter::from_values(name, {2}, {1, 2}));
  architecture_of(directory.config(), Golden::layout_of(directory)).build(directory.config(), weights);
  try {
    weights.finish("test");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::shape_mismatch);
    return false;
  }
  return true;
}

TEST(UnusedTensors, HeadsThatFilledInWordsArePassedOver) {
  for (const char* name : {"cls.predictions.bias", "cls.seq_relationship.weight", "lm_head.dense.weight",
                           "vocab_transform.bias", "vocab_layer_norm.bias", "vocab_projector.weight"}) {
    EXPECT_TRUE(loads_with("sentence_transformers/bert_lasttoken", name)) << name;
  }
  EXPECT_FALSE(loads_with("sentence_transformers/bert_lasttoken", "classifier.weight"));
}

TEST(UnusedTensors, PoolersThatTheArchitectureDoesNotAskArePassedOver) {
  EXPECT_TRUE(loads_with("chinese_clip/odd_sizes", "text_model.pooler.dense.bias"));
  EXPECT_TRUE(loads_with("altclip/odd_sizes", "text_model.roberta.pooler.dense.weight"));
  EXPECT_FALSE(loads_with("altclip/odd_sizes", "text_model.pooler.dense.weight"));
}

}  // namespace
}  // namespace moa
