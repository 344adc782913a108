#include "models/chinese_clip.hpp"

#include <utility>

#include "models/clip.hpp"
#include "models/dual_encoder.hpp"
#include "models/image_tower.hpp"

namespace moa {
namespace {

// A text is BERT's first hidden state.
BertText take_text(const Config& config, const WeightScope& scope) {
  BertText text;
  text.config = BertConfig::read(config);
  text.bert = take_bert(scope, text.config);
  ignore_pooler(scope);
  text.description = "BERT, " + describe(text.config.transformer);
  return text;
}

}  // namespace

std::unique_ptr<EmbeddingModel> build_chinese_clip(const Config& config, Weights& weights) {
  const std::int64_t dim = config.integer("projection_dim", 512, 1, 65536);
  const WeightScope model(weights);
  BertText text = take_text(legacy_part(config, "text_config"), model.at("text_model"));
  text.steps.push_back(take_text_projection(model, text, dim));
  auto image =
      take_clip_image_tower(legacy_part(config, "vision_config"), model.at("vision_model"), model, dim);
  return join(std::move(text), std::move(image), model.take("logit_scale", {}));
}

}  // namespace moa
