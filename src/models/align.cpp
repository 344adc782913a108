#include "models/align.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include <moa/error.hpp>

#include "models/two_towers.hpp"
#include "nn/bert_text.hpp"

namespace moa {

// ---- the network

Rows AlignText::forward(Ops& ops, const Tokens& tokens) const {
  return ops.linear(ops.first_row(bert.forward(ops, tokens)), projection,
                    {.precision = ProductPrecision::f32});
}

// ---- its configuration and its tensors

namespace {

// The processor of the published checkpoint pads texts to so many tokens, as they were in training.
constexpr std::int64_t kTrainedTokens = 64;

}  // namespace

AlignConfig AlignConfig::read(const Config& config) {
  AlignConfig align;
  align.text = BertConfig::read(config.object("text_config"));
  align.vision = EfficientNetConfig::read(config.object("vision_config"));
  const std::int64_t dim = config.integer("projection_dim", 640, 1, 65536);
  if (dim != align.vision.dim()) {
    throw Error(ErrorCode::shape_mismatch, config.where() + ": 'projection_dim' is " + std::to_string(dim) +
                                               ", the picture tower's last block has " +
                                               std::to_string(align.vision.dim()) +
                                               " channels, expected the same");
  }
  return align;
}

std::unique_ptr<EmbeddingModel> build_align(const Config& json, Weights& weights) {
  const AlignConfig config = AlignConfig::read(json);
  const WeightScope model(weights);
  AlignText text;
  text.bert = take_bert(model.at("text_model"), config.text);
  text.projection =
      take_linear(model.at("text_projection"), config.vision.dim(), config.text.transformer.width);
  ignore_pooler(model.at("text_model"));
  TextTowerFacts text_facts{describe(config.text.transformer),
                            std::min(config.text.context_tokens, kTrainedTokens), config.text.vocabulary};
  EfficientNet vision = take_efficientnet(model.at("vision_model"), config.vision);
  ImageTowerFacts image_facts{describe(config.vision), config.vision.channels, config.vision.image_px,
                              config.vision.image_px};
  image_facts.most_at_once = 1;
  // A temperature itself, not its logarithm. One that is not there is told with all else that is missing.
  const bool is_there = model.has("temperature");
  const Parameter stored = model.take("temperature", {});
  const double temperature = is_there ? stored.read().front() : 1;
  if (!(std::isfinite(temperature) && temperature > 0)) {
    throw Error(ErrorCode::corrupt_data, "cannot score by 'temperature': found " +
                                             std::to_string(temperature) + ", expected a number above 0");
  }
  return join_towers(std::move(text), std::move(text_facts), std::move(vision), std::move(image_facts),
                     config.vision.dim(), {ScoreRule::Kind::softmax, 1 / temperature, 0});
}

}  // namespace moa
