#include "models/dual_encoder.hpp"

#include <cmath>
#include <utility>

namespace moa {

DualEncoder::DualEncoder(TextTower text, std::unique_ptr<const PictureTower> pictures,
                         const Parameter& logit_scale)
    : text_(std::move(text)),
      pictures_(std::move(pictures)),
      text_facts_(facts_of(text_)),
      dim_(width_after(text_.steps, text_.config.transformer.width)) {
  score_rule_ = {ScoreRule::Kind::softmax, std::exp(static_cast<double>(logit_scale.read().front())), 0};
}

RowStep take_text_projection(const WeightScope& model, const TextTower& text, std::int64_t dim) {
  const std::int64_t width = width_after(text.steps, text.config.transformer.width);
  return Dense{{model.take("text_projection.weight", {dim, width}), {}}};
}

TextTowerFacts facts_of(const TextTower& text) {
  return {text.description, text.config.context_tokens, text.config.vocabulary};
}

std::unique_ptr<EmbeddingModel> build_dual_encoder(const Config& config, Weights& weights) {
  const std::int64_t dim = config.integer("projection_dim", 512, 1, 65536);
  const WeightScope model(weights);
  TextTower text = take_text_tower(config.object("text_config"), model.at("text_model"), Pooler::first_tanh);
  text.steps.push_back(take_text_projection(model, text, dim));
  auto pictures = take_picture_tower(config.object("vision_config"), model.at("vision_model"), model, dim);
  return std::make_unique<DualEncoder>(std::move(text), std::move(pictures), model.take("logit_scale", {}));
}

}  // namespace moa
