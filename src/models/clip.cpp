#include "models/clip.hpp"

#include <cmath>
#include <span>
#include <string>
#include <utility>

#include <moa/error.hpp>

#include "models/two_towers.hpp"

namespace moa {

// ---- the network

namespace {

constexpr std::int64_t kClassRows = 1;  // before those of the patches

std::span<const TransformerBlock> all_but_last(const std::vector<TransformerBlock>& blocks) {
  return std::span(blocks).first(blocks.size() - 1);  // a configuration has at least one layer
}

}  // namespace

Rows ClipVision::begin(Ops& ops, const Tensor& pixels) const {
  Rows x = ops.rows_of(ops.convolution(pixels, patch_embedding, {.stride = patch_px}));  // one row a patch
  x = ops.prepend_row(x, class_embedding);
  x = ops.add_positions(x, position_embedding);
  return pre_norm.weight ? ops.layer_norm(x, pre_norm) : x;
}

Rows ClipVision::rows(Ops& ops, const Tensor& pixels) const {
  Rows x = begin(ops, pixels);
  for (const TransformerBlock& block : blocks) x = block.forward(ops, x, Mask::none);
  return x;
}

Rows ClipVision::trunk(Ops& ops, const Tensor& pixels) const {
  Rows x = begin(ops, pixels);
  for (const TransformerBlock& block : all_but_last(blocks)) x = block.forward(ops, x, Mask::none);
  switch (pool) {
    case ClipVisionConfig::Pool::class_row:
      x = blocks.back().forward(ops, x, Mask::none, [&](const Rows& all) { return ops.first_row(all); });
      x = ops.layer_norm(x, post_norm);
      break;
    case ClipVisionConfig::Pool::mean_of_normed:
      x = ops.layer_norm(blocks.back().forward(ops, x, Mask::none), post_norm);
      x = ops.mean_rows(x, kClassRows);
      break;
    case ClipVisionConfig::Pool::normed_mean:
      x = ops.mean_rows(blocks.back().forward(ops, x, Mask::none), kClassRows);
      x = ops.layer_norm(x, post_norm);
      break;
  }
  return x;
}

Rows ClipVision::head(Ops& ops, const Rows& trunk) const {
  return ops.linear(trunk, projection, {.precision = ProductPrecision::f32});
}

Rows ClipVision::forward(Ops& ops, const Tensor& pixels) const {
  return head(ops, trunk(ops, pixels));
}

Rows ClipText::trunk(Ops& ops, const Tokens& tokens) const {
  Rows x = ops.embedding(tokens, TokenField::id, token_embedding);
  x = ops.add_positions(x, position_embedding);
  for (const TransformerBlock& block : all_but_last(blocks)) x = block.forward(ops, x, mask);
  x = blocks.back().forward(ops, x, mask, [&](const Rows& all) {
    if (row.kind == TextRow::Kind::first) return ops.first_row(all);
    if (row.kind == TextRow::Kind::last) return ops.last_row(all);
    return ops.row_where(all, tokens, row.rule);
  });
  return ops.layer_norm(x, final_norm);
}

Rows ClipText::head(Ops& ops, const Rows& trunk) const {
  if (!projection.weight) return trunk;
  return ops.linear(trunk, projection, {.precision = ProductPrecision::f32});
}

Rows ClipText::forward(Ops& ops, const Tokens& tokens) const {
  return head(ops, trunk(ops, tokens));
}

double score_scale(const Parameter& logit_scale) {
  const float logarithm = logit_scale.read().front();
  const double scale = std::exp(static_cast<double>(logarithm));
  if (std::isfinite(scale) && scale > 0) return scale;
  throw Error(ErrorCode::corrupt_data, "cannot score by '" + logit_scale.name() + "': found " +
                                           std::to_string(logarithm) + ", expected a scale's logarithm");
}

ScoreRule softmax_rule(const Parameter& logit_scale) {
  return {ScoreRule::Kind::softmax, score_scale(logit_scale), 0};
}

TextTowerFacts facts_of(const ClipTextConfig& config) {
  TextTowerFacts facts{describe(config.transformer), config.context_tokens, config.vocabulary};
  if (config.sees_padding()) facts.padding = TextPadding{config.context_tokens, config.padding_id};
  return facts;
}

// ---- its configuration and its tensors, by the names that transformers gives them

namespace {

ClipTextConfig read_text_config(const Config& config, TokenRule (*end_of)(std::int32_t end_id)) {
  ClipTextConfig text;
  text.transformer = read_sizes(config, text.transformer);
  text.vocabulary = config.integer("vocab_size", text.vocabulary, 1, 1 << 24);
  text.context_tokens = config.integer("max_position_embeddings", text.context_tokens, 2, 65536);
  text.row.rule = end_of(static_cast<std::int32_t>(config.integer("eos_token_id", 49407, 0, 1 << 24)));
  return text;
}

ClipText take_text(const WeightScope& tower, const WeightScope& model, const ClipTextConfig& config,
                   std::int64_t dim) {
  const std::int64_t width = config.transformer.width;
  ClipText text;
  text.token_embedding = tower.take("embeddings.token_embedding.weight", {config.vocabulary, width});
  text.position_embedding =
      tower.take("embeddings.position_embedding.weight", {config.context_tokens, width});
  for (std::int64_t i = 0; i < config.transformer.layers; ++i) {
    text.blocks.push_back(take_transformer_block(tower.at("encoder").at("layers", i), config.transformer));
  }
  text.final_norm = take_layer_norm(tower.at("final_layer_norm"), width, config.transformer.norm_eps);
  text.projection = {model.take("text_projection.weight", {dim, width}), {}};
  text.mask = config.mask;
  text.row = config.row;
  return text;
}

}  // namespace

ClipVisionConfig read_clip_vision(const Config& config) {
  ClipVisionConfig vision;
  vision.transformer = read_sizes(config, vision.transformer);
  vision.image_px = config.integer("image_size", vision.image_px, 1, 4096);
  vision.patch_px = config.integer("patch_size", vision.patch_px, 1, vision.image_px);
  vision.channels = config.integer("num_channels", vision.channels, 3, 3);
  return vision;
}

ClipVision take_clip_vision(const WeightScope& tower, const WeightScope& model,
                            const ClipVisionConfig& config, std::int64_t dim) {
  const std::int64_t width = config.transformer.width;
  const double eps = config.transformer.norm_eps;
  const Shape patch{width, config.channels, config.patch_px, config.patch_px};
  ClipVision vision;
  vision.patch_embedding = {tower.take("embeddings.patch_embedding.weight", patch), {}};
  vision.class_embedding = tower.take("embeddings.class_embedding", {width});
  vision.position_embedding =
      tower.take("embeddings.position_embedding.weight", {config.patches() + 1, width});
  vision.pre_norm =
      take_layer_norm(tower.at("pre_layrnorm"), width, eps);  // sic: so it is spelt in every checkpoint
  const bool is_singular = tower.has("encoder.layer.0.layer_norm1.weight");  // as AltCLIP's are saved
  for (std::int64_t i = 0; i < config.transformer.layers; ++i) {
    const WeightScope layer = tower.at("encoder").at(is_singular ? "layer" : "layers", i);
    vision.blocks.push_back(take_transformer_block(layer, config.transformer));
  }
  vision.post_norm = take_layer_norm(tower.at("post_layernorm"), width, eps);
  vision.projection = {model.take("visual_projection.weight", {dim, width}), {}};
  vision.patch_px = config.patch_px;
  return vision;
}

ImageTowerFacts facts_of(const ClipVisionConfig& config) {
  return {describe(config.transformer) + ", patches of " + std::to_string(config.patch_px) + " px",
          config.channels, config.image_px, config.image_px};
}

Config legacy_part(const Config& config, const std::string& name) {
  const std::string legacy = name + "_dict";
  return config.object(config.is_object(legacy) ? legacy : name);
}

std::unique_ptr<EmbeddingModel> build_clip(const Config& config, Weights& weights) {
  // OpenAI's own files say 2, an id that never occurs; there the end of the text is its largest id.
  return build_clip_ending_at(config, weights, [](std::int32_t end_id) {
    return end_id == 2 ? TokenRule{TokenRule::Kind::largest_id, 0}
                       : TokenRule{TokenRule::Kind::first_of, end_id};
  });
}

std::unique_ptr<EmbeddingModel> build_clip_ending_at(const Config& config, Weights& weights,
                                                     TokenRule (*end_of)(std::int32_t end_id)) {
  const ClipTextConfig text_config = read_text_config(legacy_part(config, "text_config"), end_of);
  const ClipVisionConfig vision_config = read_clip_vision(legacy_part(config, "vision_config"));
  const std::int64_t dim = config.integer("projection_dim", 512, 1, 65536);

  const WeightScope model(weights);
  ClipText text = take_text(model.at("text_model"), model, text_config, dim);
  ClipVision vision = take_clip_vision(model.at("vision_model"), model, vision_config, dim);
  // A scalar in transformers' own files, [1] in some conversions.
  const Shape scalar = model.shape_of("logit_scale") == Shape{1} ? Shape{1} : Shape{};
  const ScoreRule rule = softmax_rule(model.take("logit_scale", scalar));
  return join_towers(std::move(text), facts_of(text_config), std::move(vision), facts_of(vision_config), dim,
                     rule);
}

}  // namespace moa
