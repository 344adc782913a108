#include "models/altclip.hpp"

#include <utility>

#include "models/clip.hpp"
#include "models/dual_encoder.hpp"
#include "models/image_tower.hpp"

namespace moa {
namespace {

BertConfig read_text_config(const Config& config) {
  BertConfig defaults;
  defaults.transformer = {24, 1024, 16, 4096, Activation::gelu, 1e-5};
  defaults.vocabulary = 250002;
  defaults.position_pad = 1;
  defaults.context_tokens = 512;
  defaults.token_types = 1;
  return BertConfig::read(config, defaults);
}

// The first hidden state, normed and brought to the width of the CLIP that was the teacher.
BertText take_text(const Config& config, const WeightScope& scope) {
  BertText text;
  text.config = read_text_config(config);
  const TransformerSizes& sizes = text.config.transformer;
  text.bert = take_bert(scope.at("roberta"), text.config);
  ignore_pooler(scope.at("roberta"));
  text.description = "XLM-RoBERTa, " + describe(sizes);
  const std::int64_t teacher_width = config.integer("project_dim", 768, 1, 65536);
  text.steps.emplace_back(take_layer_norm(scope.at("pre_LN"), sizes.width, sizes.norm_eps));
  text.steps.emplace_back(Dense{take_linear(scope.at("transformation"), teacher_width, sizes.width)});
  return text;
}

}  // namespace

std::unique_ptr<EmbeddingModel> build_altclip(const Config& config, Weights& weights) {
  const std::int64_t dim = config.integer("projection_dim", 768, 1, 65536);
  const WeightScope model(weights);
  BertText text = take_text(legacy_part(config, "text_config"), model.at("text_model"));
  text.steps.push_back(take_text_projection(model, text, dim));
  auto image =
      take_clip_image_tower(legacy_part(config, "vision_config"), model.at("vision_model"), model, dim);
  return join(std::move(text), std::move(image), model.take("logit_scale", {}));
}

}  // namespace moa
