#include "models/moa_mini.hpp"

#include <string>

#include <moa/error.hpp>

#include "models/clip.hpp"

namespace moa {

// ---- the network

Rows MoaMiniText::trunk(Ops& ops, const Tokens& tokens) const {
  return ops.mean_rows(bert.forward(ops, tokens));
}

Rows MoaMiniText::head(Ops& ops, const Rows& trunk) const {
  const Rows x = ops.l2_normalize(ops.add_row(trunk, offset), 1e-12);
  const Rows hidden =
      ops.linear(x, mlp_in, {.activation = Activation::gelu, .precision = ProductPrecision::f32});
  return ops.linear(hidden, mlp_out, {.residual = &x, .precision = ProductPrecision::f32});
}

Rows MoaMiniVision::trunk(Ops& ops, const Tensor& pixels) const {
  return classifier.features(ops, pixels);
}

Rows MoaMiniVision::head(Ops& ops, const Rows& features) const {
  const Rows probabilities = ops.softmax(classifier.logits(ops, features), 1 / temperature);
  Rows x = ops.linear(probabilities, class_projection, {.precision = ProductPrecision::f32});
  if (!feature_projection.weight) return x;
  return ops.linear(features, feature_projection, {.residual = &x, .precision = ProductPrecision::f32});
}

// ---- its configuration and its tensors

MoaMiniConfig MoaMiniConfig::read(const Config& config) {
  const Config text = config.object("text_config");
  const Config vision = config.object("vision_config");
  MoaMiniConfig mini;
  mini.text = BertConfig::read(text);
  mini.text_projection_width = text.integer("projection_hidden_size", mini.text_projection_width, 1, 1 << 20);
  mini.vision = EfficientNetLiteConfig::read(vision);
  mini.temperature = vision.number("temperature", mini.temperature);
  if (!(mini.temperature > 0)) {
    throw Error(ErrorCode::out_of_range, vision.where() + ": 'temperature': found " +
                                             std::to_string(mini.temperature) + ", expected more than 0");
  }
  mini.has_feature_projection = config.boolean("feature_projection", mini.has_feature_projection);
  mini.dim = config.integer("projection_dim", mini.dim, 1, 65536);
  if (mini.dim != mini.text.transformer.width) {  // the MLP's input is added to its output
    throw Error(ErrorCode::shape_mismatch, config.where() + ": 'projection_dim': found " +
                                               std::to_string(mini.dim) + ", expected the text's width " +
                                               std::to_string(mini.text.transformer.width));
  }
  return mini;
}

namespace {

MoaMiniText take_text(const WeightScope& model, const MoaMiniConfig& config) {
  const WeightScope projection = model.at("text_projection");
  MoaMiniText text;
  text.bert = take_bert(model.at("text_model"), config.text);
  text.offset = projection.take("offset", {config.dim});
  text.mlp_in = take_linear(projection.at("fc1"), config.text_projection_width, config.dim);
  text.mlp_out = take_linear(projection.at("fc2"), config.dim, config.text_projection_width);
  return text;
}

MoaMiniVision take_vision(const WeightScope& model, const MoaMiniConfig& config) {
  const EfficientNetLiteConfig& net = config.vision;
  MoaMiniVision vision;
  vision.classifier = take_efficientnet_lite(model.at("vision_model"), net);
  vision.temperature = config.temperature;
  vision.class_projection = {model.take("class_projection.weight", {config.dim, net.classes}), {}};
  if (config.has_feature_projection) {
    vision.feature_projection = {model.take("feature_projection.weight", {config.dim, net.head_channels}),
                                 {}};
  }
  return vision;
}

}  // namespace

MoaMini::MoaMini(const MoaMiniConfig& config, Weights& weights)
    : text_(take_text(WeightScope(weights), config)),
      vision_(take_vision(WeightScope(weights), config)),
      dim_(config.dim) {
  score_rule_ = softmax_rule(weights.take("logit_scale", {}));
  const TransformerSizes& sizes = config.text.transformer;
  text_facts_ = {"BERT, " + std::to_string(sizes.layers) + " layers, width " + std::to_string(sizes.width) +
                     ", " + std::to_string(sizes.heads) + " heads",
                 config.text.context_tokens, config.text.vocabulary};
  image_facts_ = {"EfficientNet-Lite, " + std::to_string(config.vision.blocks.size()) + " blocks, " +
                      std::to_string(config.vision.classes) + " classes",
                  config.vision.channels, config.vision.image_px, config.vision.image_px};
  image_facts_.most_at_once = 4;
}

std::unique_ptr<EmbeddingModel> build_moa_mini(const Config& config, Weights& weights) {
  return std::make_unique<MoaMini>(MoaMiniConfig::read(config), weights);
}

}  // namespace moa
