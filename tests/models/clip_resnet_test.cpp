#include "models/clip_resnet.hpp"

#include <string>

#include <gtest/gtest.h>

#include <moa/error.hpp>

#include "backends/cpu/cpu_backend.hpp"
#include "models/golden.hpp"
#include "models/towers.hpp"

namespace moa {
namespace {

class ClipResNetStages : public testing::TestWithParam<const char*> {};

TEST_P(ClipResNetStages, LayersEqualTheReferences) {
  const Golden golden = Golden::load(std::string("clip_resnet/") + GetParam());
  const ClipResNet& tower = image_network<ClipResNet>(golden);
  CpuBackend backend;
  const auto ops = backend.interpreter();
  Tensor x = tower.blocks.front().forward(*ops, tower.begin(*ops, golden.pixels(*ops)));
  expect_near(ops->read(ops->rows_of(x)), golden.values("image_first_layer"), 1e-4, true);
  for (std::size_t i = 1; i < tower.blocks.size(); ++i) x = tower.blocks[i].forward(*ops, x);
  expect_near(ops->read(ops->rows_of(x)), golden.values("image_last_layer"), 1e-4, true);
}

INSTANTIATE_TEST_SUITE_P(Checkpoints, ClipResNetStages, testing::Values("odd_sizes", "larger_pictures"),
                         [](const auto& checkpoint) { return std::string(checkpoint.param); });

ErrorCode code_of(const std::string& vision_cfg) {
  try {
    ClipResNetConfig::read(Config::parse("{" + vision_cfg + "}", "open_clip_config.json"));
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode::internal;
}

TEST(ClipResNetConfig, ReadsTheLargestOfThePublishedOnes) {
  const ClipResNetConfig config = ClipResNetConfig::read(
      Config::parse(R"({"image_size": 448, "layers": [3, 15, 36, 10], "width": 128, "patch_size": null})",
                    "open_clip_config.json"));
  EXPECT_EQ(config.layers[2], 36);
  EXPECT_EQ(config.features(), 4096);
  EXPECT_EQ(config.heads, 64);
}

TEST(ClipResNetConfig, WhatItCannotBeIsRefused) {
  EXPECT_EQ(code_of(R"("layers": [3, 4, 6])"), ErrorCode::unsupported);
  EXPECT_EQ(code_of(R"("layers": [3, 4, 6, 3], "attentional_pool": true)"), ErrorCode::unsupported);
  EXPECT_EQ(code_of(R"("layers": [3, 4, 6, 3], "image_size": 225)"), ErrorCode::unsupported);
  EXPECT_EQ(code_of(R"("layers": [3, 4, 6, 0])"), ErrorCode::out_of_range);
  EXPECT_EQ(code_of(R"("layers": [3, 4, 6, 1e18])"), ErrorCode::out_of_range);
  EXPECT_EQ(code_of(R"("layers": [3, 4, 6, 3], "head_width": 3000)"), ErrorCode::out_of_range);
}

}  // namespace
}  // namespace moa
