#include "models/clip.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include <gtest/gtest.h>

#include <moa/error.hpp>

#include "backends/cpu/cpu_backend.hpp"
#include "backends/recording/recording.hpp"
#include "base/expect_error.hpp"
#include "models/golden.hpp"
#include "models/siglip.hpp"
#include "models/towers.hpp"

namespace moa {
namespace {

constexpr double kHiddenTolerance = 1e-4;

class ClipGolden : public testing::TestWithParam<const char*> {
 protected:
  Golden golden_ = Golden::load(std::string("clip/") + GetParam());
  CpuBackend backend_{CpuOptions{.threads = 2}};
};

TEST_P(ClipGolden, RunsThroughAnInterpreterThatHasNoNumbers) {
  RecordingInterpreter recording;
  golden_.model->forward_text(recording, golden_.tokens(recording));
  golden_.model->forward_image(recording, golden_.pixels(recording));
  const auto count = [&](const std::string& operation) {
    return std::count_if(recording.calls().begin(), recording.calls().end(), [&](const std::string& call) {
      return call.find(" = " + operation + "(") != std::string::npos;
    });
  };
  const auto blocks = static_cast<std::ptrdiff_t>(text_network<ClipText>(golden_).blocks.size() +
                                                  image_network<ClipVision>(golden_).blocks.size());
  EXPECT_EQ(count("attention"), blocks);
  EXPECT_EQ(count("linear"), 4 * blocks + 2);
  EXPECT_EQ(count("layer_norm"), 2 * blocks + 3);
  EXPECT_EQ(count("convolution"), 1);
}

INSTANTIATE_TEST_SUITE_P(Checkpoints, ClipGolden,
                         testing::Values("odd_sizes", "legacy_eos_gelu_f16", "open_clip_tiny",
                                         "open_clip_custom_text"),
                         [](const auto& checkpoint) { return std::string(checkpoint.param); });

class ClipStages : public testing::TestWithParam<const char*> {
 protected:
  Golden golden_ = Golden::load(GetParam());
  CpuBackend backend_;
};

TEST_P(ClipStages, TextLayersEqualTheReferences) {
  const ClipText& tower = text_network<ClipText>(golden_);
  const auto ops = backend_.interpreter();
  Rows x = ops->add_positions(ops->embedding(golden_.tokens(*ops), TokenField::id, tower.token_embedding),
                              tower.position_embedding);
  x = tower.blocks.front().forward(*ops, x, Mask::causal);
  expect_near(ops->read(x), golden_.values("text_first_layer"), kHiddenTolerance, true);
  for (std::size_t i = 1; i < tower.blocks.size(); ++i) x = tower.blocks[i].forward(*ops, x, Mask::causal);
  expect_near(ops->read(x), golden_.values("text_last_layer"), kHiddenTolerance, true);
}

TEST_P(ClipStages, PictureLayersEqualTheReferences) {
  const ClipVision& tower = image_network<ClipVision>(golden_);
  const auto ops = backend_.interpreter();
  Rows x =
      ops->rows_of(ops->convolution(golden_.pixels(*ops), tower.patch_embedding, {.stride = tower.patch_px}));
  x = ops->add_positions(ops->prepend_row(x, tower.class_embedding), tower.position_embedding);
  x = ops->layer_norm(x, tower.pre_norm);
  x = tower.blocks.front().forward(*ops, x, Mask::none);
  expect_near(ops->read(x), golden_.values("image_first_layer"), kHiddenTolerance, true);
  for (std::size_t i = 1; i < tower.blocks.size(); ++i) x = tower.blocks[i].forward(*ops, x, Mask::none);
  expect_near(ops->read(x), golden_.values("image_last_layer"), kHiddenTolerance, true);
}

INSTANTIATE_TEST_SUITE_P(Checkpoints, ClipStages,
                         testing::Values("clip/odd_sizes", "clip/legacy_eos_gelu_f16", "metaclip_2/odd_sizes",
                                         "metaclip_2/gelu_f16"),
                         [](const auto& checkpoint) {
                           std::string name = checkpoint.param;
                           std::ranges::replace(name, '/', '_');
                           return name;
                         });

ErrorCode code_of_building(const std::string& json, CheckpointLayout layout) {
  Weights weights;
  const Config config = Config::parse(json, "config.json");
  try {
    architecture_of(config, layout).build(config, weights);
    weights.finish("model.safetensors");
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode::internal;
}

TEST(ClipConfig, AnUnknownArchitectureIsUnsupported) {
  EXPECT_EQ(code_of_building(R"({"model_type": "bert"})", CheckpointLayout::transformers),
            ErrorCode::unsupported);
  EXPECT_EQ(code_of_building(R"({})", CheckpointLayout::transformers), ErrorCode::unsupported);
  try {
    architecture_of(Config::parse(R"({"model_type": "xlm-roberta"})", "config.json"),
                    CheckpointLayout::transformers);
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("modules.json"), std::string::npos) << error.what();
  }
}

TEST(ClipConfig, AnUnknownActivationIsUnsupported) {
  EXPECT_EQ(code_of_building(R"({"model_type": "clip", "text_config": {"hidden_act": "mish"}})",
                             CheckpointLayout::transformers),
            ErrorCode::unsupported);
}

TEST(ClipConfig, HeadsThatDoNotDivideTheWidthAreRefused) {
  EXPECT_EQ(code_of_building(R"({"model_type": "clip", "vision_config": {"num_attention_heads": 7}})",
                             CheckpointLayout::transformers),
            ErrorCode::shape_mismatch);
}

TEST(ClipConfig, MissingTensorsAreListedAndRefused) {
  EXPECT_EQ(code_of_building(R"({"model_type": "clip"})", CheckpointLayout::transformers),
            ErrorCode::shape_mismatch);
}

TEST(ClipConfig, ImpossibleSizesAreRefusedBeforeAnythingIsAllocated) {
  EXPECT_EQ(code_of_building(R"({"model_type": "clip", "text_config": {"num_hidden_layers": 1000000000}})",
                             CheckpointLayout::transformers),
            ErrorCode::out_of_range);
  EXPECT_EQ(code_of_building(R"({"model_type": "clip", "vision_config": {"patch_size": 0}})",
                             CheckpointLayout::transformers),
            ErrorCode::out_of_range);
}

TEST(ClipConfig, TheLegacyDictOfAPartWins) {
  const std::string config =
      R"({"model_type": "clip", "text_config": {"hidden_act": "gelu"}, "text_config_dict": {"hidden_act": "mish"}})";
  EXPECT_EQ(code_of_building(config, CheckpointLayout::transformers), ErrorCode::unsupported);
}

TEST(ClipConfig, WhatTheLegacyDictLeavesOutIsTheDefault) {
  const Config config = Config::parse(
      R"({"model_type": "clip", "text_config": {"max_position_embeddings": 20}, "text_config_dict": {"vocab_size": 99},
          "vision_config": {"image_size": 32}, "vision_config_dict": null})",
      "config.json");
  Weights none;
  const auto model = architecture_of(config, CheckpointLayout::transformers).build(config, none);
  EXPECT_EQ(model->text()->context_tokens, 77);
  EXPECT_EQ(model->text()->vocabulary, 99);
  EXPECT_EQ(model->image()->width_px, 32);
}

TEST(OpenClipConfig, ATextTowerWithoutAProjectionMustHaveTheVectorsWidth) {
  EXPECT_EQ(
      code_of_building(R"({"model_cfg": {"embed_dim": 64, "text_cfg": {"width": 128, "proj_type": "none"}}})",
                       CheckpointLayout::open_clip),
      ErrorCode::shape_mismatch);
}

TEST(OpenClipConfig, TextTowersOfTransformersThatAreNotKnownAreUnsupported) {
  for (const char* text :
       {R"({"hf_model_name": "google/mt5-base"})",
        R"({"hf_model_name": "roberta-base", "hf_pooler_type": "max_pooler"})",
        R"({"hf_model_name": "roberta-base", "hf_proj_type": "conv"})",
        R"({"hf_model_name": "roberta-base", "tokenizer_kwargs": {"strip_sep_token": true}})"}) {
    EXPECT_EQ(code_of_building(R"({"model_cfg": {"text_cfg": )" + std::string(text) + "}}",
                               CheckpointLayout::open_clip),
              ErrorCode::unsupported)
        << text;
  }
}

TEST(ScoreRules, ScalesThatAreNoNumbersAreCorrupt) {
  const auto one = [](float value) { return Parameter::from_values("n", {1}, {value}); };
  EXPECT_NEAR(softmax_rule(one(2)).scale, std::exp(2.0), 1e-9);
  EXPECT_EQ(sigmoid_rule(one(2), one(-3)).bias, -3);
  const float infinity = std::numeric_limits<float>::infinity();
  for (const float bad : {infinity, -infinity, std::nanf(""), 1e30F}) {
    MOA_EXPECT_ERROR(softmax_rule(one(bad)), corrupt_data);
    MOA_EXPECT_ERROR(sigmoid_rule(one(bad), one(0)), corrupt_data);
  }
  for (const float bad : {infinity, -infinity, std::nanf("")}) {
    MOA_EXPECT_ERROR(sigmoid_rule(one(0), one(bad)), corrupt_data);
  }
}

TEST(OpenClipConfig, OptionsThatChangeTheNetworkAreUnsupportedByName) {
  EXPECT_EQ(code_of_building(R"({"model_cfg": {"vision_cfg": {"timm_model_name": "vit_base"}}})",
                             CheckpointLayout::open_clip),
            ErrorCode::unsupported);
  EXPECT_EQ(
      code_of_building(R"({"model_cfg": {"text_cfg": {"use_pad_mask": true}}})", CheckpointLayout::open_clip),
      ErrorCode::unsupported);
  EXPECT_EQ(code_of_building(R"({"model_cfg": {"text_cfg": {"act_kwargs": {"inplace": true}}}})",
                             CheckpointLayout::open_clip),
            ErrorCode::unsupported);
  EXPECT_EQ(
      code_of_building(
          R"({"model_cfg": {"vision_cfg": {"timm_model_name": "vit_base_patch16_siglip_224", "timm_pool": "avg"}}})",
          CheckpointLayout::open_clip),
      ErrorCode::unsupported);
  EXPECT_EQ(
      code_of_building(
          R"({"model_cfg": {"vision_cfg": {"timm_model_name": "vit_base_patch16_siglip_224", "timm_pool": "map", "timm_proj": "mlp"}}})",
          CheckpointLayout::open_clip),
      ErrorCode::unsupported);
}

}  // namespace
}  // namespace moa
