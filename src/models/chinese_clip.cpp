#include "models/chinese_clip.hpp"

#include <utility>

#include "models/clip.hpp"
#include "models/dual_encoder.hpp"

namespace moa {
namespace {

// A text is BERT's first hidden state; there is no pooler.
TextTower take_text(const Config& config, const WeightScope& scope) {
  TextTower text;
  text.config = BertConfig::read(config);
  text.bert = take_bert(scope, text.config);
  text.description = "BERT, " + describe(text.config.transformer);
  return text;
}

}  // namespace

std::unique_ptr<EmbeddingModel> build_chinese_clip(const Config& config, Weights& weights) {
  const std::int64_t dim = config.integer("projection_dim", 512, 1, 65536);
  const WeightScope model(weights);
  TextTower text = take_text(legacy_part(config, "text_config"), model.at("text_model"));
  text.steps.push_back(take_text_projection(model, text, dim));
  auto pictures =
      take_clip_pictures(legacy_part(config, "vision_config"), model.at("vision_model"), model, dim);
  return std::make_unique<DualEncoder>(std::move(text), std::move(pictures), model.take("logit_scale", {}));
}

}  // namespace moa
