#include "models/align.hpp"

#include <string>

#include <gtest/gtest.h>

#include <moa/error.hpp>

#include "backends/cpu/cpu_backend.hpp"
#include "models/golden.hpp"
#include "models/towers.hpp"

namespace moa {
namespace {

constexpr double kHiddenTolerance = 1e-4;

class AlignStages : public testing::TestWithParam<const char*> {
 protected:
  Golden golden_ = Golden::load(std::string("align/") + GetParam());
  CpuBackend backend_;
};

TEST_P(AlignStages, TextLayersEqualTheReferences) {
  Bert tower = text_network<AlignText>(golden_).bert;
  const auto ops = backend_.interpreter();
  const Tokens tokens = golden_.tokens(*ops);
  expect_near(ops->read(tower.forward(*ops, tokens)), golden_.values("text_last_layer"), kHiddenTolerance,
              true);
  tower.blocks.resize(1);
  expect_near(ops->read(tower.forward(*ops, tokens)), golden_.values("text_first_layer"), kHiddenTolerance,
              true);
}

TEST_P(AlignStages, PictureLayersEqualTheReferences) {
  const EfficientNet& tower = image_network<EfficientNet>(golden_);
  const auto ops = backend_.interpreter();
  Tensor x = tower.blocks.front().forward(*ops, tower.stem.forward(*ops, golden_.pixels(*ops)));
  expect_near(ops->read(ops->rows_of(x)), golden_.values("image_first_layer"), kHiddenTolerance, true);
  for (std::size_t i = 1; i < tower.blocks.size(); ++i) x = tower.blocks[i].forward(*ops, x);
  expect_near(ops->read(ops->rows_of(x)), golden_.values("image_last_layer"), kHiddenTolerance, true);
}

INSTANTIATE_TEST_SUITE_P(Checkpoints, AlignStages, testing::Values("odd_sizes", "even_padding_relu"),
                         [](const auto& checkpoint) { return std::string(checkpoint.param); });

ErrorCode code_of(const std::string& vision, const std::string& dim = "640") {
  const std::string json = R"({"projection_dim": )" + dim + R"(, "vision_config": {)" + vision + "}}";
  try {
    AlignConfig::read(Config::parse(json, "config.json"));
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode::internal;
}

TEST(AlignConfig, TheDefaultsAreTheB7OfThePublishedCheckpoint) {
  const AlignConfig config =
      AlignConfig::read(Config::parse(R"({"vision_config": {"image_size": 289}})", "config.json"));
  EXPECT_EQ(config.vision.blocks.size(), 55U);
  EXPECT_EQ(config.vision.stem_channels, 64);
  EXPECT_EQ(config.vision.blocks[4].out_channels, 48);
  EXPECT_EQ(config.vision.dim(), 640);
}

TEST(AlignConfig, WhatItCannotComputeIsUnsupported) {
  EXPECT_EQ(code_of(R"("pooling_type": "max")"), ErrorCode::unsupported);
  EXPECT_EQ(code_of(R"("hidden_act": "mish")"), ErrorCode::unsupported);
  EXPECT_EQ(code_of(R"("kernel_sizes": [3, 4, 3, 3, 3, 3, 3])"), ErrorCode::unsupported);
  EXPECT_EQ(code_of(R"("hidden_dim": 3)"), ErrorCode::unsupported);  // several pools a picture
  EXPECT_EQ(code_of(R"("image_size": 16)"), ErrorCode::unsupported);
}

TEST(AlignConfig, ContradictionsAndImpossibleSizesAreRefused) {
  EXPECT_EQ(code_of("", "512"), ErrorCode::shape_mismatch);
  EXPECT_EQ(code_of(R"("strides": [1, 2])"), ErrorCode::shape_mismatch);
  EXPECT_EQ(code_of(R"("in_channels": [32, 16, 24, 40, 80, 112, 200])"), ErrorCode::shape_mismatch);
  EXPECT_EQ(code_of(R"("strides": [1, 2, 2, 2, 1, 3, 1])"), ErrorCode::out_of_range);
  EXPECT_EQ(code_of(R"("num_block_repeats": [1, 2, 2, 3, 3, 4, 1.5])"), ErrorCode::out_of_range);
  EXPECT_EQ(code_of(R"("num_block_repeats": [900, 900, 900, 900, 900, 900, 900])"), ErrorCode::out_of_range);
  EXPECT_EQ(code_of(R"("width_coefficient": 1e9)"), ErrorCode::out_of_range);
  EXPECT_EQ(code_of(R"("depth_coefficient": -1)"), ErrorCode::out_of_range);
}

}  // namespace
}  // namespace moa
