#include "models/siglip.hpp"

#include <string>

#include <gtest/gtest.h>

#include <moa/error.hpp>

#include "backends/cpu/cpu_backend.hpp"
#include "models/golden.hpp"
#include "models/siglip2.hpp"
#include "models/towers.hpp"

namespace moa {
namespace {

constexpr double kHiddenTolerance = 1e-4;

class SiglipStages : public testing::TestWithParam<const char*> {
 protected:
  Golden golden_ = Golden::load(std::string("siglip/") + GetParam());
  CpuBackend backend_;
};

TEST_P(SiglipStages, TextLayersEqualTheReferences) {
  const ClipText& tower = text_network<ClipText>(golden_);
  const auto ops = backend_.interpreter();
  Rows x = ops->add_positions(ops->embedding(golden_.tokens(*ops), TokenField::id, tower.token_embedding),
                              tower.position_embedding);
  x = tower.blocks.front().forward(*ops, x, Mask::none);
  expect_near(ops->read(x), golden_.values("text_first_layer"), kHiddenTolerance, true);
  for (std::size_t i = 1; i < tower.blocks.size(); ++i) x = tower.blocks[i].forward(*ops, x, Mask::none);
  expect_near(ops->read(x), golden_.values("text_last_layer"), kHiddenTolerance, true);
}

TEST_P(SiglipStages, PictureLayersEqualTheReferences) {
  const SiglipVision& tower = image_network<SiglipVision>(golden_);
  const auto ops = backend_.interpreter();
  Rows x =
      ops->rows_of(ops->convolution(golden_.pixels(*ops), tower.patch_embedding, {.stride = tower.patch_px}));
  x = ops->add_positions(x, tower.position_embedding);
  x = tower.blocks.front().forward(*ops, x, Mask::none);
  expect_near(ops->read(x), golden_.values("image_first_layer"), kHiddenTolerance, true);
  for (std::size_t i = 1; i < tower.blocks.size(); ++i) x = tower.blocks[i].forward(*ops, x, Mask::none);
  expect_near(ops->read(x), golden_.values("image_last_layer"), kHiddenTolerance, true);
}

TEST_P(SiglipStages, ItsTextsArePaddedToTheContextAsTheTokenizerSays) {
  const TextTowerFacts& facts = *golden_.model->text();
  ASSERT_TRUE(facts.padding.has_value());
  EXPECT_EQ(facts.padding->tokens, facts.context_tokens);
  EXPECT_EQ(facts.padding->tokens, golden_.lengths.front());
  EXPECT_FALSE(facts.padding->id.has_value());
}

class Siglip2Stages : public testing::TestWithParam<const char*> {};

TEST_P(Siglip2Stages, LayersOfPicturesInTheirOwnShapesEqualTheReferences) {
  const Golden golden = Golden::load(std::string("siglip/") + GetParam());
  const auto& siglip2 = dynamic_cast<const Siglip2&>(*golden.model);
  const Siglip2Vision& tower = siglip2.vision_tower();
  CpuBackend backend;
  const auto ops = backend.interpreter();
  const Patches patches = golden.patches(*ops);
  Rows x = ops->linear(ops->rows_of(patches), tower.patch_embedding);
  x = ops->add_position_grid(x, patches, tower.positions);
  x = tower.blocks.front().forward(*ops, x, Mask::none);
  expect_near(ops->read(x), golden.values("image_first_layer"), kHiddenTolerance, true);
  for (std::size_t i = 1; i < tower.blocks.size(); ++i) x = tower.blocks[i].forward(*ops, x, Mask::none);
  expect_near(ops->read(x), golden.values("image_last_layer"), kHiddenTolerance, true);
}

TEST_P(Siglip2Stages, TakesNoPicturesOfFixedSize) {
  const Golden golden = Golden::load(std::string("siglip/") + GetParam());
  EXPECT_TRUE(golden.model->image()->takes_patches());
  CpuBackend backend;
  const auto ops = backend.interpreter();
  EXPECT_THROW(golden.model->forward_image(*ops, Tensor()), Error);
}

INSTANTIATE_TEST_SUITE_P(Checkpoints, Siglip2Stages,
                         testing::Values("native_sizes", "native_more_patches_f16", "native_one_patch"),
                         [](const auto& checkpoint) { return std::string(checkpoint.param); });

INSTANTIATE_TEST_SUITE_P(Checkpoints, SiglipStages, testing::Values("odd_sizes", "gemma_f16"),
                         [](const auto& checkpoint) { return std::string(checkpoint.param); });

ErrorCode code_of_building(const std::string& json) {
  Weights weights;
  const Config config = Config::parse(json, "config.json");
  try {
    architecture_of(config, CheckpointLayout::transformers).build(config, weights);
    weights.finish("model.safetensors");
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode::internal;
}

TEST(SiglipConfig, WithoutItsPoolingHeadItIsUnsupported) {
  EXPECT_EQ(code_of_building(R"({"model_type": "siglip", "vision_config": {"vision_use_head": false}})"),
            ErrorCode::unsupported);
}

TEST(SiglipConfig, TowersThatEndInDifferentWidthsAreRefused) {
  EXPECT_EQ(code_of_building(R"({"model_type": "siglip", "text_config": {"projection_size": 700}})"),
            ErrorCode::shape_mismatch);
  EXPECT_EQ(code_of_building(R"({"model_type": "siglip", "text_config": {"hidden_size": 36}})"),
            ErrorCode::shape_mismatch);
}

TEST(SiglipConfig, ATableOfPositionsThatIsNoSquareIsUnsupported) {
  EXPECT_EQ(code_of_building(R"({"model_type": "siglip2", "vision_config": {"num_patches": 250}})"),
            ErrorCode::unsupported);
}

TEST(SiglipConfig, AnUnknownActivationIsUnsupported) {
  EXPECT_EQ(code_of_building(R"({"model_type": "siglip", "vision_config": {"hidden_act": "mish"}})"),
            ErrorCode::unsupported);
}

TEST(SiglipConfig, MissingTensorsAreListedAndRefused) {
  EXPECT_EQ(code_of_building(R"({"model_type": "siglip"})"), ErrorCode::shape_mismatch);
}

}  // namespace
}  // namespace moa
