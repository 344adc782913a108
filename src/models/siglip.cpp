#include "models/siglip.hpp"

#include <cmath>
#include <string>
#include <utility>

#include <moa/error.hpp>

#include "models/two_towers.hpp"

namespace moa {

// ---- the network

Rows SiglipVision::forward(Ops& ops, const Tensor& pixels) const {
  Rows x = ops.rows_of(ops.convolution(pixels, patch_embedding, {.stride = patch_px}));  // one row a patch
  x = ops.add_positions(x, position_embedding);
  for (const TransformerBlock& block : blocks) x = block.forward(ops, x, Mask::none);
  return head.forward(ops, ops.layer_norm(x, post_norm));
}

ScoreRule sigmoid_rule(const Parameter& logit_scale, const Parameter& logit_bias) {
  const double bias = logit_bias.read().front();
  if (!std::isfinite(bias)) {
    throw Error(ErrorCode::corrupt_data, "cannot score by '" + logit_bias.name() + "': found " +
                                             std::to_string(bias) + ", expected a number");
  }
  return {ScoreRule::Kind::sigmoid, score_scale(logit_scale), bias};
}

ImageTowerFacts facts_of(const SiglipVisionConfig& config) {
  ImageTowerFacts facts{describe(config.transformer) + ", patches of " + std::to_string(config.patch_px) +
                            " px, pooled by attention",
                        config.channels, config.image_px, config.image_px};
  facts.pools_to_vector = true;
  return facts;
}

// ---- its configuration and its tensors, by the names that transformers gives them

ClipTextConfig read_siglip_text_config(const Config& config, std::int64_t dim) {
  const Config part = config.object("text_config");
  ClipTextConfig text;
  text.transformer = read_sizes(part, {12, 768, 12, 3072, Activation::gelu_tanh, 1e-6});
  text.vocabulary = part.integer("vocab_size", 32000, 1, 1 << 24);
  text.context_tokens = part.integer("max_position_embeddings", 64, 1, 65536);
  text.mask = Mask::none;
  text.row = {TextRow::Kind::last, {}};
  const std::int64_t text_dim = part.integer("projection_size", text.transformer.width, 1, 65536);
  if (text_dim != dim) {
    throw Error(ErrorCode::shape_mismatch, config.where() + ": texts come out " + std::to_string(text_dim) +
                                               " wide (projection_size), pictures " + std::to_string(dim) +
                                               " (hidden_size of vision_config), expected the same");
  }
  return text;
}

ClipText take_siglip_text(const WeightScope& tower, const ClipTextConfig& config, std::int64_t dim) {
  const std::int64_t width = config.transformer.width;
  ClipText text;
  text.token_embedding = tower.take("embeddings.token_embedding.weight", {config.vocabulary, width});
  text.position_embedding =
      tower.take("embeddings.position_embedding.weight", {config.context_tokens, width});
  for (std::int64_t i = 0; i < config.transformer.layers; ++i) {
    text.blocks.push_back(take_transformer_block(tower.at("encoder").at("layers", i), config.transformer));
  }
  text.final_norm = take_layer_norm(tower.at("final_layer_norm"), width, config.transformer.norm_eps);
  text.projection = take_linear(tower.at("head"), dim, width);
  text.mask = config.mask;
  text.row = config.row;
  return text;
}

void require_siglip_head(const Config& vision_config) {
  if (!vision_config.boolean("vision_use_head", true)) {
    throw Error(ErrorCode::unsupported,
                vision_config.where() +
                    ": 'vision_use_head': found false, expected true: without its head the "
                    "picture tower gives no vector");
  }
}

AttentionPool take_siglip_head(const WeightScope& head, const TransformerSizes& sizes) {
  const std::int64_t width = sizes.width;
  const Parameter weight = head.take("attention.in_proj_weight", {3 * width, width});  // q, k, v stacked
  const Parameter bias = head.take("attention.in_proj_bias", {3 * width});
  AttentionPool pool;
  pool.probe = head.take("probe", {1, 1, width}).reshaped({1, width});
  pool.query = {weight.rows(0, width), bias.rows(0, width)};
  pool.keys_values = {weight.rows(width, 3 * width), bias.rows(width, 3 * width)};
  pool.out = take_linear(head.at("attention.out_proj"), width, width);
  pool.norm = take_layer_norm(head.at("layernorm"), width, sizes.norm_eps);
  pool.mlp_in = take_linear(head.at("mlp.fc1"), sizes.mlp_width, width);
  pool.mlp_out = take_linear(head.at("mlp.fc2"), width, sizes.mlp_width);
  pool.activation = sizes.activation;
  pool.width = width;
  pool.heads = sizes.heads;
  return pool;
}

namespace {

SiglipVisionConfig read_vision_config(const Config& config) {
  require_siglip_head(config);
  SiglipVisionConfig vision;
  vision.transformer = read_sizes(config, vision.transformer);
  vision.image_px = config.integer("image_size", vision.image_px, 1, 4096);
  vision.patch_px = config.integer("patch_size", vision.patch_px, 1, vision.image_px);
  vision.channels = config.integer("num_channels", vision.channels, 3, 3);
  return vision;
}

SiglipVision take_vision(const WeightScope& tower, const SiglipVisionConfig& config) {
  const std::int64_t width = config.transformer.width;
  const WeightScope patches = tower.at("embeddings.patch_embedding");
  SiglipVision vision;
  vision.patch_embedding = {
      patches.take("weight", {width, config.channels, config.patch_px, config.patch_px}),
      patches.take("bias", {width})};
  vision.position_embedding = tower.take("embeddings.position_embedding.weight", {config.patches(), width});
  for (std::int64_t i = 0; i < config.transformer.layers; ++i) {
    vision.blocks.push_back(take_transformer_block(tower.at("encoder").at("layers", i), config.transformer));
  }
  vision.post_norm = take_layer_norm(tower.at("post_layernorm"), width, config.transformer.norm_eps);
  vision.head = take_siglip_head(tower.at("head"), config.transformer);
  vision.patch_px = config.patch_px;
  return vision;
}

}  // namespace

std::unique_ptr<EmbeddingModel> build_siglip(const Config& config, Weights& weights) {
  const SiglipVisionConfig vision_config = read_vision_config(config.object("vision_config"));
  const std::int64_t dim = vision_config.transformer.width;
  const ClipTextConfig text_config = read_siglip_text_config(config, dim);

  const WeightScope model(weights);
  ClipText text = take_siglip_text(model.at("text_model"), text_config, dim);
  SiglipVision vision = take_vision(model.at("vision_model"), vision_config);
  const ScoreRule rule = sigmoid_rule(model.take("logit_scale", {1}), model.take("logit_bias", {1}));
  TextTowerFacts text_facts = facts_of(text_config);
  text_facts.pools_to_vector = true;
  return join_towers(std::move(text), std::move(text_facts), std::move(vision), facts_of(vision_config), dim,
                     rule);
}

}  // namespace moa
