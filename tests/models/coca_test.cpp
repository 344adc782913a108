#include "models/coca.hpp"

#include <string>

#include <gtest/gtest.h>

#include <moa/error.hpp>

#include "backends/cpu/cpu_backend.hpp"
#include "models/golden.hpp"
#include "models/towers.hpp"

namespace moa {
namespace {

class CocaStages : public testing::TestWithParam<const char*> {};

TEST_P(CocaStages, TheTrunksRowsEqualTheReferences) {
  const Golden golden = Golden::load(std::string("coca/") + GetParam());
  const CocaVision& tower = image_network<CocaVision>(golden);
  CpuBackend backend;
  const auto ops = backend.interpreter();
  expect_near(ops->read(tower.trunk.rows(*ops, golden.pixels(*ops))), golden.values("image_last_layer"), 1e-4,
              true);
}

INSTANTIATE_TEST_SUITE_P(Checkpoints, CocaStages, testing::Values("first_query", "parallel", "cascade"),
                         [](const auto& checkpoint) { return std::string(checkpoint.param); });

ErrorCode code_of(const std::string& vision_cfg, const std::string& text_cfg = "") {
  const std::string json = R"({"model_cfg": {"multimodal_cfg": {}, "vision_cfg": {)" + vision_cfg +
                           R"(}, "text_cfg": {)" + text_cfg + "}}}";
  const Config config = Config::parse(json, "open_clip_config.json");
  Weights weights;
  try {
    architecture_of(config, CheckpointLayout::open_clip).build(config, weights);
    weights.finish("open_clip_model.safetensors");
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode::internal;
}

TEST(CocaConfig, WhatItCannotBeIsRefused) {
  EXPECT_EQ(code_of(R"("attentional_pool": "both", "width": 512)"), ErrorCode::unsupported);
  EXPECT_EQ(code_of(R"("attentional_pool": "cascade", "width": 768)"), ErrorCode::unsupported);
  EXPECT_EQ(code_of(R"("attentional_pool": true, "pool_type": "avg")"), ErrorCode::unsupported);
  EXPECT_EQ(code_of(R"("attentional_pool": true, "attn_pooler_heads": 7)"), ErrorCode::shape_mismatch);
  EXPECT_EQ(code_of(R"("attentional_pool": true)", R"("embed_cls": true, "correct_cls_mask": true)"),
            ErrorCode::unsupported);
  EXPECT_EQ(code_of(R"("attentional_pool": true)", R"("embed_cls": true)"),
            ErrorCode::shape_mismatch);  // no tensors
}

}  // namespace
}  // namespace moa
