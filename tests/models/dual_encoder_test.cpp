#include "models/dual_encoder.hpp"

#include <string>

#include <gtest/gtest.h>

#include <moa/error.hpp>

#include "backends/cpu/cpu_backend.hpp"
#include "models/clip.hpp"
#include "models/golden.hpp"
#include "nn/vit.hpp"

namespace moa {
namespace {

constexpr double kHiddenTolerance = 1e-4;

// A golden checkpoint's parts, for what is inside its towers.
class DualEncoderStages : public testing::TestWithParam<const char*> {
 protected:
  Golden golden_ = Golden::load(GetParam());
  ModelDirectory directory_ = ModelDirectory::open(golden_.path);
  Weights weights_ = directory_.weights();
  Config text_config_ = directory_.config().object("text_config");
  Config vision_config_ = directory_.config().object("vision_config");
  CpuBackend backend_;
};

TEST_P(DualEncoderStages, TextLayersEqualTheReferences) {
  const Bert bert = take_bert_text(text_config_, WeightScope(weights_).at("text_model"), Pooler::none).bert;
  const RelativeBias* bias = bert.relative_bias.table ? &bert.relative_bias : nullptr;
  const auto ops = backend_.interpreter();
  const Tokens tokens = golden_.tokens(*ops);
  const Rows first = bert.blocks.front().forward(*ops, bert.embed(*ops, tokens), bias);
  expect_near(ops->read(first), golden_.values("text_first_layer"), kHiddenTolerance, true);
  expect_near(ops->read(bert.forward(*ops, tokens)), golden_.values("text_last_layer"), kHiddenTolerance,
              true);
}

INSTANTIATE_TEST_SUITE_P(Checkpoints, DualEncoderStages,
                         testing::Values("dual_encoder/vit_bert", "dual_encoder/deit_xlm_roberta",
                                         "dual_encoder/clip_roberta", "dual_encoder/dinov2_swiglu_mpnet",
                                         "dual_encoder/dinov2_bert"),
                         [](const auto& folder) { return std::string(folder.param).substr(13); });

class VitStages : public DualEncoderStages {};

TEST_P(VitStages, PictureLayersEqualTheReferences) {
  const Vit vit = take_vit(vision_config_, WeightScope(weights_).at("vision_model"));
  const auto ops = backend_.interpreter();
  Rows x = vit.blocks.front().forward(*ops, vit.embed(*ops, golden_.pixels(*ops)), Mask::none);
  expect_near(ops->read(x), golden_.values("image_first_layer"), kHiddenTolerance, true);
  for (std::size_t i = 1; i < vit.blocks.size(); ++i) x = vit.blocks[i].forward(*ops, x, Mask::none);
  expect_near(ops->read(x), golden_.values("image_last_layer"), kHiddenTolerance, true);
}

INSTANTIATE_TEST_SUITE_P(Checkpoints, VitStages,
                         testing::Values("dual_encoder/vit_bert", "dual_encoder/deit_xlm_roberta",
                                         "dual_encoder/dinov2_swiglu_mpnet", "dual_encoder/dinov2_bert"),
                         [](const auto& folder) { return std::string(folder.param).substr(13); });

// The towers of Chinese-CLIP and AltCLIP are parts that others have too; here is that they are put together
// as the reference does, layer by layer.
class ClipWithBertStages : public testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(ClipWithBertStages, LayersEqualTheReferences) {
  const auto& [folder, text_scope] = GetParam();
  const Golden golden = Golden::load(folder);
  const ModelDirectory directory = ModelDirectory::open(golden.path);
  Weights weights = directory.weights();
  const WeightScope model(weights);
  BertConfig defaults;
  if (directory.config().string("model_type", "") == "altclip") {
    defaults.position_pad = 1;
    defaults.token_types = 1;
    defaults.transformer.norm_eps = 1e-5;
  }
  const Bert bert =
      take_bert(model.at(text_scope), BertConfig::read(directory.config().object("text_config"), defaults));
  CpuBackend backend;
  const auto ops = backend.interpreter();
  const Tokens tokens = golden.tokens(*ops);
  expect_near(ops->read(bert.blocks.front().forward(*ops, bert.embed(*ops, tokens))),
              golden.values("text_first_layer"), kHiddenTolerance, true);
  expect_near(ops->read(bert.forward(*ops, tokens)), golden.values("text_last_layer"), kHiddenTolerance,
              true);

  const ClipVisionConfig config = read_clip_vision(directory.config().object("vision_config"));
  const std::int64_t dim = golden.model->dim();
  const ClipVision vision = take_clip_vision(model.at("vision_model"), model, config, dim);
  Rows x = ops->rows_of(
      ops->convolution(golden.pixels(*ops), vision.patch_embedding, {.stride = vision.patch_px}));
  x = ops->add_positions(ops->prepend_row(x, vision.class_embedding), vision.position_embedding);
  x = vision.blocks.front().forward(*ops, ops->layer_norm(x, vision.pre_norm), Mask::none);
  expect_near(ops->read(x), golden.values("image_first_layer"), kHiddenTolerance, true);
}

INSTANTIATE_TEST_SUITE_P(Checkpoints, ClipWithBertStages,
                         testing::Values(std::pair("chinese_clip/odd_sizes", "text_model"),
                                         std::pair("chinese_clip/other_activations", "text_model"),
                                         std::pair("altclip/odd_sizes", "text_model.roberta"),
                                         std::pair("altclip/three_layers", "text_model.roberta")),
                         [](const auto& folder) {
                           std::string name = folder.param.first;
                           name[name.find('/')] = '_';
                           return name;
                         });

std::string message_of_building(const std::string& vision, const std::string& text) {
  Weights weights;
  const Config config = Config::parse(R"({"model_type": "vision-text-dual-encoder", "vision_config": )" +
                                          vision + R"(, "text_config": )" + text + "}",
                                      "config.json");
  try {
    build_dual_encoder(config, weights);
    weights.finish("model.safetensors");
  } catch (const Error& error) {
    return std::string(name(error.code())) + ": " + error.what();
  }
  return "no error";
}

void expect_refused(ErrorCode code, const std::string& naming, const std::string& vision,
                    const std::string& text) {
  const std::string message = message_of_building(vision, text);
  EXPECT_TRUE(message.starts_with(std::string(name(code)))) << message;
  EXPECT_NE(message.find(naming), std::string::npos) << message;
}

const char* const kVit = R"({"model_type": "vit"})";
const char* const kBert = R"({"model_type": "bert"})";

TEST(DualEncoderConfig, TowersThatAreNotKnownAreUnsupportedByName) {
  expect_refused(ErrorCode::unsupported, "'resnet'", R"({"model_type": "resnet"})", kBert);
  expect_refused(ErrorCode::unsupported, "'t5'", kVit, R"({"model_type": "t5"})");
  expect_refused(ErrorCode::unsupported, "''", "{}", kBert);
}

TEST(DualEncoderConfig, ATextTowerWithoutAPoolerIsUnsupported) {
  expect_refused(ErrorCode::unsupported, "'distilbert'", kVit,
                 R"({"model_type": "distilbert", "n_layers": 1})");
}

TEST(DualEncoderConfig, OptionsThatChangeTheNetworkAreUnsupportedByName) {
  expect_refused(ErrorCode::unsupported, "'relative_key'", kVit,
                 R"({"model_type": "bert", "position_embedding_type": "relative_key"})");
  expect_refused(ErrorCode::unsupported, "'is_decoder'", kVit,
                 R"({"model_type": "bert", "is_decoder": true})");
  expect_refused(ErrorCode::unsupported, "'relative_attention_num_buckets'", kVit,
                 R"({"model_type": "mpnet", "relative_attention_num_buckets": 64})");
  expect_refused(ErrorCode::unsupported, "'mish'", R"({"model_type": "vit", "hidden_act": "mish"})", kBert);
  expect_refused(ErrorCode::unsupported, "'image_size'", R"({"model_type": "vit", "image_size": [224, 224]})",
                 kBert);
}

TEST(DualEncoderConfig, ImpossibleSizesAreRefused) {
  expect_refused(ErrorCode::shape_mismatch, "heads", R"({"model_type": "vit", "num_attention_heads": 7})",
                 kBert);
  expect_refused(ErrorCode::out_of_range, "max_position_embeddings", kVit,
                 R"({"model_type": "roberta", "max_position_embeddings": 2})");
  expect_refused(ErrorCode::out_of_range, "mlp_ratio", R"({"model_type": "dinov2", "mlp_ratio": -1})", kBert);
}

TEST(DualEncoderConfig, MissingTensorsAreListedAndRefused) {
  expect_refused(ErrorCode::shape_mismatch, "text_model.embeddings.LayerNorm.weight",
                 R"({"model_type": "vit", "num_hidden_layers": 1})",
                 R"({"model_type": "bert", "num_hidden_layers": 1})");
}

}  // namespace
}  // namespace moa
