#include "models/dual_encoder.hpp"

#include <utility>

#include "models/clip.hpp"
#include "models/image_tower.hpp"

namespace moa {

RowStep take_text_projection(const WeightScope& model, const BertText& text, std::int64_t dim) {
  const std::int64_t width = width_after(text.steps, text.config.transformer.width);
  return Dense{{model.take("text_projection.weight", {dim, width}), {}}};
}

TextTowerFacts facts_of(const BertText& text) {
  return {text.description, text.config.context_tokens, text.config.vocabulary};
}

std::unique_ptr<EmbeddingModel> join(BertText text, std::unique_ptr<const ImageTower> image,
                                     const Parameter& logit_scale) {
  const std::int64_t dim = width_after(text.steps, text.config.transformer.width);
  const TextTowerFacts facts = facts_of(text);
  return std::make_unique<TwoTowers>(std::make_unique<TextTowerOf<BertText>>(std::move(text), facts),
                                     std::move(image), dim, softmax_rule(logit_scale));
}

std::unique_ptr<EmbeddingModel> build_dual_encoder(const Config& config, Weights& weights) {
  const std::int64_t dim = config.integer("projection_dim", 512, 1, 65536);
  const WeightScope model(weights);
  BertText text = take_bert_text(config.object("text_config"), model.at("text_model"), Pooler::first_tanh);
  text.steps.push_back(take_text_projection(model, text, dim));
  auto image = take_image_tower(config.object("vision_config"), model.at("vision_model"), model, dim);
  return join(std::move(text), std::move(image), model.take("logit_scale", {}));
}

}  // namespace moa
