#include "models/blip.hpp"

#include <string>

#include <moa/error.hpp>

namespace moa {

// ---- the network

Rows BlipVision::forward(Ops& ops, const Tensor& pixels) const {
  Rows x = ops.rows_of(ops.convolution(pixels, patch_embedding, {.stride = patch_px}));
  x = ops.add_positions(ops.prepend_row(x, class_embedding), position_embedding);
  for (const TransformerBlock& block : blocks) x = block.forward(ops, x, Mask::none);
  return ops.layer_norm(x, post_norm);
}

Rows BlipCrossAttention::forward(Ops& ops, const Rows& x, const Rows& picture) const {
  const std::int64_t width = query.weight.shape()[0];
  const Rows projected = ops.linear(picture, key_value);
  const Rows found = ops.attention(ops.linear(x, query), ops.columns(projected, 0, width),
                                   ops.columns(projected, width, width), {.heads = heads});
  return ops.layer_norm(ops.linear(found, out, {.residual = &x}), norm);
}

Rows BlipText::forward(Ops& ops, const Tokens& tokens, const Rows* picture) const {
  Rows x = ops.embedding(tokens, TokenField::id, token_embedding);
  x = ops.layer_norm(ops.add_positions(x, position_embedding), embedding_norm);
  for (const BlipTextBlock& block : blocks) {
    Rows attended = block.attention.attend(ops, x, Mask::none);
    if (&block == &blocks.back()) {  // from here on, nothing looks at the other rows
      attended = ops.first_row(attended);
      x = ops.first_row(x);
    }
    x = ops.layer_norm(ops.linear(attended, block.attention.out, {.residual = &x}), block.norm1);
    if (picture != nullptr) x = block.cross.forward(ops, x, *picture);
    const Rows hidden = ops.linear(x, block.mlp_in, {.activation = block.activation});
    x = ops.layer_norm(ops.linear(hidden, block.mlp_out, {.residual = &x}), block.norm2);
  }
  return x;
}

Rows Blip::forward_text(Ops& ops, const Tokens& tokens) const {
  return ops.linear(text_.forward(ops, tokens), text_projection_, {.precision = ProductPrecision::f32});
}

Rows Blip::forward_image(Ops& ops, const Tensor& pixels) const {
  return vector_of(ops, vision_.forward(ops, pixels));
}

Rows Blip::vector_of(Ops& ops, const Rows& picture) const {
  return ops.linear(ops.first_row(picture), vision_projection_, {.precision = ProductPrecision::f32});
}

// The first token stays [CLS], as in the reference; Salesforce's own training put [ENC] in its place.
Rows Blip::forward_pairs(Ops& ops, const Rows& picture, const Tokens& texts) const {
  const Rows logits =
      ops.linear(text_.forward(ops, texts, &picture), match_head_, {.precision = ProductPrecision::f32});
  return ops.columns(ops.softmax(logits, 1), 1, 1);
}

// ---- its configuration

namespace {

Error unsupported(const Config& config, const std::string& found, const std::string& expected) {
  return Error(ErrorCode::unsupported, config.where() + ": found " + found + ", expected " + expected);
}

}  // namespace

BlipConfig BlipConfig::read(const Config& config) {
  for (const std::string& name : config.strings("architectures", {})) {
    if (name != "BlipForImageTextRetrieval") {
      throw unsupported(config, "architecture '" + name + "'", "'BlipForImageTextRetrieval'");
    }
  }
  BlipConfig blip;
  const Config text = config.object("text_config");
  blip.text = read_sizes(text, blip.text);
  blip.vocabulary = text.integer("vocab_size", blip.vocabulary, 1, 1 << 24);
  blip.context_tokens = text.integer("max_position_embeddings", blip.context_tokens, 2, 65536);
  if (!text.boolean("is_decoder", true)) {
    throw unsupported(text, "'is_decoder' false, a text tower that cannot read pictures", "true");
  }
  const Config vision = config.object("vision_config");
  blip.vision = read_sizes(vision, blip.vision);
  blip.image_px = vision.integer("image_size", blip.image_px, 1, 4096);
  blip.patch_px = vision.integer("patch_size", blip.patch_px, 1, blip.image_px);
  blip.dim = config.integer("image_text_hidden_size", blip.dim, 1, 65536);
  return blip;
}

// ---- its tensors

namespace {

TransformerBlock take_vision_block(const WeightScope& layer, const TransformerSizes& sizes) {
  const std::int64_t width = sizes.width;
  const WeightScope attention = layer.at("self_attn");
  TransformerBlock block;
  block.norm1 = take_layer_norm(layer.at("layer_norm1"), width, sizes.norm_eps);
  block.attention.qkv = take_linear(attention.at("qkv"), 3 * width, width);
  block.attention.out = take_linear(attention.at("projection"), width, width);
  block.attention.width = width;
  block.attention.heads = sizes.heads;
  block.norm2 = take_layer_norm(layer.at("layer_norm2"), width, sizes.norm_eps);
  block.mlp_in = take_linear(layer.at("mlp").at("fc1"), sizes.mlp_width, width);
  block.mlp_out = take_linear(layer.at("mlp").at("fc2"), width, sizes.mlp_width);
  block.activation = sizes.activation;
  return block;
}

BlipVision take_vision(const WeightScope& tower, const BlipConfig& config) {
  const std::int64_t width = config.vision.width;
  const std::int64_t rows = config.patches() + 1;
  const WeightScope embeddings = tower.at("embeddings");
  BlipVision vision;
  vision.patch_embedding = {
      embeddings.take("patch_embedding.weight", {width, 3, config.patch_px, config.patch_px}),
      embeddings.take("patch_embedding.bias", {width})};
  vision.class_embedding = embeddings.take("class_embedding", {1, 1, width}).reshaped({width});
  vision.position_embedding = embeddings.take("position_embedding", {1, rows, width}).reshaped({rows, width});
  for (std::int64_t i = 0; i < config.vision.layers; ++i) {
    vision.blocks.push_back(take_vision_block(tower.at("encoder").at("layers", i), config.vision));
  }
  vision.post_norm = take_layer_norm(tower.at("post_layernorm"), width, config.vision.norm_eps);
  vision.patch_px = config.patch_px;
  return vision;
}

BlipCrossAttention take_cross_attention(const WeightScope& scope, const BlipConfig& config) {
  const std::int64_t width = config.text.width;
  const std::int64_t seen = config.vision.width;
  const WeightScope self = scope.at("self");
  const WeightScope output = scope.at("output");
  BlipCrossAttention cross;
  cross.query = take_linear(self.at("query"), width, width);
  cross.key_value =
      stacked({take_linear(self.at("key"), width, seen), take_linear(self.at("value"), width, seen)});
  cross.out = take_linear(output.at("dense"), width, width);
  cross.norm = take_layer_norm(output.at("LayerNorm"), width, config.text.norm_eps);
  cross.heads = config.text.heads;
  return cross;
}

BlipTextBlock take_text_block(const WeightScope& layer, const BlipConfig& config) {
  const std::int64_t width = config.text.width;
  const double eps = config.text.norm_eps;
  const WeightScope self = layer.at("attention").at("self");
  const WeightScope output = layer.at("attention").at("output");
  BlipTextBlock block;
  block.attention.qkv =
      stacked({take_linear(self.at("query"), width, width), take_linear(self.at("key"), width, width),
               take_linear(self.at("value"), width, width)});
  block.attention.out = take_linear(output.at("dense"), width, width);
  block.attention.width = width;
  block.attention.heads = config.text.heads;
  block.norm1 = take_layer_norm(output.at("LayerNorm"), width, eps);
  block.cross = take_cross_attention(layer.at("crossattention"), config);
  block.mlp_in = take_linear(layer.at("intermediate").at("dense"), config.text.mlp_width, width);
  block.mlp_out = take_linear(layer.at("output").at("dense"), width, config.text.mlp_width);
  block.norm2 = take_layer_norm(layer.at("output").at("LayerNorm"), width, eps);
  block.activation = config.text.activation;
  return block;
}

BlipText take_text(const WeightScope& tower, const BlipConfig& config) {
  const std::int64_t width = config.text.width;
  const WeightScope embeddings = tower.at("embeddings");
  BlipText text;
  text.token_embedding = embeddings.take("word_embeddings.weight", {config.vocabulary, width});
  text.position_embedding = embeddings.take("position_embeddings.weight", {config.context_tokens, width});
  text.embedding_norm = take_layer_norm(embeddings.at("LayerNorm"), width, config.text.norm_eps);
  for (std::int64_t i = 0; i < config.text.layers; ++i) {
    text.blocks.push_back(take_text_block(tower.at("encoder").at("layer", i), config));
  }
  return text;
}

}  // namespace

Blip::Blip(const BlipConfig& config, Weights& weights) {
  const WeightScope model(weights);
  text_ = take_text(model.at("text_encoder"), config);
  vision_ = take_vision(model.at("vision_model"), config);
  text_projection_ = take_linear(model.at("text_proj"), config.dim, config.text.width);
  vision_projection_ = take_linear(model.at("vision_proj"), config.dim, config.vision.width);
  match_head_ = take_linear(model.at("itm_head"), 2, config.text.width);
  text_facts_ = {describe(config.text) + ", reads pictures", config.context_tokens, config.vocabulary};
  image_facts_ = {describe(config.vision) + ", patches of " + std::to_string(config.patch_px) + " px", 3,
                  config.image_px, config.image_px};
}

std::unique_ptr<EmbeddingModel> build_blip(const Config& config, Weights& weights) {
  return std::make_unique<Blip>(BlipConfig::read(config), weights);
}

}  // namespace moa
