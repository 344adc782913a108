#include "models/siglip2.hpp"

#include <cmath>
#include <string>
#include <utility>

#include <moa/error.hpp>

namespace moa {

// ---- the network

Rows Siglip2Vision::forward(Ops& ops, const Patches& patches) const {
  Rows x = ops.linear(ops.rows_of(patches), patch_embedding, {.precision = ProductPrecision::f32});
  x = ops.add_position_grid(x, patches, positions);
  for (const TransformerBlock& block : blocks) x = block.forward(ops, x, Mask::none);
  return head.forward(ops, ops.layer_norm(x, post_norm));
}

Siglip2::Siglip2(ClipText text, const ClipTextConfig& text_config, Siglip2Vision vision,
                 const Siglip2VisionConfig& vision_config, const Parameter& logit_scale,
                 const Parameter& logit_bias)
    : text_(std::move(text)),
      vision_(std::move(vision)),
      score_rule_(sigmoid_rule(logit_scale, logit_bias)),
      text_facts_(facts_of(text_config)) {
  text_facts_.pools_to_vector = true;
  image_facts_.pools_to_vector = true;
  image_facts_.description = describe(vision_config.transformer) + ", patches of " +
                             std::to_string(vision_config.patch_px) +
                             " px of pictures in their own shapes, pooled by attention";
  image_facts_.channels = vision_config.channels;
  image_facts_.patch_px = vision_config.patch_px;
}

std::int64_t Siglip2::dim() const {
  return text_.projection.weight.shape()[0];
}

Rows Siglip2::forward_image(Ops&, const Tensor&) const {
  throw Error(ErrorCode::internal, "a picture of fixed size was given to a model that takes patches");
}

// ---- its configuration and its tensors, by the names that transformers gives them

namespace {

Siglip2VisionConfig read_vision_config(const Config& config) {
  require_siglip_head(config);
  Siglip2VisionConfig vision;
  vision.transformer = read_sizes(config, vision.transformer);
  vision.patch_px = config.integer("patch_size", vision.patch_px, 1, 1024);
  vision.channels = config.integer("num_channels", vision.channels, 3, 3);
  const std::int64_t positions = config.integer("num_patches", 256, 1, 1 << 20);
  vision.grid_edge = std::llround(std::sqrt(static_cast<double>(positions)));
  if (vision.grid_edge * vision.grid_edge != positions) {
    throw Error(ErrorCode::unsupported, config.where() + ": 'num_patches': found " +
                                            std::to_string(positions) + ", expected a square number");
  }
  return vision;
}

Siglip2Vision take_vision(const WeightScope& tower, const Siglip2VisionConfig& config) {
  const std::int64_t width = config.transformer.width;
  const std::int64_t edge = config.grid_edge;
  Siglip2Vision vision;
  vision.patch_embedding = take_linear(tower.at("embeddings.patch_embedding"), width,
                                       config.patch_px * config.patch_px * config.channels);
  vision.positions = {tower.take("embeddings.position_embedding.weight", {edge * edge, width}), 0, edge,
                      edge};
  for (std::int64_t i = 0; i < config.transformer.layers; ++i) {
    vision.blocks.push_back(take_transformer_block(tower.at("encoder").at("layers", i), config.transformer));
  }
  vision.post_norm = take_layer_norm(tower.at("post_layernorm"), width, config.transformer.norm_eps);
  vision.head = take_siglip_head(tower.at("head"), config.transformer);
  return vision;
}

}  // namespace

std::unique_ptr<EmbeddingModel> build_siglip2(const Config& config, Weights& weights) {
  const Config vision_part = config.object("vision_config");
  const Siglip2VisionConfig vision_config = read_vision_config(vision_part);
  const std::int64_t dim = vision_config.transformer.width;
  const ClipTextConfig text_config = read_siglip_text_config(config, dim);

  const WeightScope model(weights);
  ClipText text = take_siglip_text(model.at("text_model"), text_config, dim);
  Siglip2Vision vision = take_vision(model.at("vision_model"), vision_config);
  const Parameter scale = model.take("logit_scale", {1});
  const Parameter bias = model.take("logit_bias", {1});
  return std::make_unique<Siglip2>(std::move(text), text_config, std::move(vision), vision_config, scale,
                                   bias);
}

}  // namespace moa
