#include "models/open_clip.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include <moa/error.hpp>

#include "models/clip.hpp"
#include "models/clip_resnet.hpp"
#include "models/open_clip_hf_text.hpp"
#include "models/open_clip_parts.hpp"
#include "models/siglip.hpp"
#include "models/timm_siglip.hpp"
#include "models/two_towers.hpp"

namespace moa {

namespace {

// A model whose text tower is one of transformers'.
std::unique_ptr<EmbeddingModel> build_with_hf_text(const Config& model_config, Weights& weights,
                                                   Activation activation) {
  const Config text_part = model_config.object("text_cfg");
  const Config vision_part = model_config.object("vision_cfg");
  const std::int64_t dim = model_config.integer("embed_dim", 512, 1, 65536);
  const WeightScope model(weights);
  BertText text = take_open_clip_hf_text(text_part, model.at("text"), dim);
  TextTowerFacts facts{text.description, text_part.integer("context_length", 77, 2, 65536),
                       text.config.vocabulary};
  facts.context_tokens = std::min(facts.context_tokens, text.config.context_tokens);
  facts.limits_texts_alone = true;
  const ClipVisionConfig vision_config = read_open_clip_vision(vision_part, activation);
  return std::make_unique<TwoTowers>(
      std::make_unique<TextTowerOf<BertText>>(std::move(text), std::move(facts)),
      std::make_unique<ImageTowerOf<ClipVision>>(
          take_open_clip_vision(model.at("visual"), vision_config, dim), facts_of(vision_config)),
      dim, softmax_rule(model.take("logit_scale", {})));
}

}  // namespace

std::unique_ptr<EmbeddingModel> build_open_clip(const Config& config, Weights& weights) {
  const Config model_config = config.object("model_cfg");
  refuse_unknown(model_config, {"embed_dim", "quick_gelu", "custom_text", "vision_cfg", "text_cfg",
                                "init_logit_scale", "init_logit_bias"});
  const Activation activation =
      model_config.boolean("quick_gelu", false) ? Activation::quick_gelu : Activation::gelu;
  if (model_config.object("text_cfg").has("hf_model_name")) {
    return build_with_hf_text(model_config, weights, activation);
  }
  const Config text_part = model_config.object("text_cfg");
  const ClipTextConfig text_config = read_open_clip_text(text_part, activation);
  const Config vision_part = model_config.object("vision_cfg");
  const std::int64_t dim = model_config.integer("embed_dim", 512, 1, 65536);

  const WeightScope model(weights);
  // "custom_text" only moves the text side below "text.".
  const WeightScope text_scope = model_config.boolean("custom_text", false) ? model.at("text") : model;
  ClipText text = take_open_clip_text(text_scope, text_part, text_config, dim);
  const Parameter logit_scale = model.take("logit_scale", {});
  // Where there is a bias, it learned by SigLIP's sigmoid loss.
  const ScoreRule score_rule = model_config.has("init_logit_bias")
                                   ? sigmoid_rule(logit_scale, model.take("logit_bias", {}))
                                   : softmax_rule(logit_scale);
  const auto with_pictures = [&](auto vision, const ImageTowerFacts& facts) {
    return std::make_unique<TwoTowers>(
        std::make_unique<TextTowerOf<ClipText>>(std::move(text), facts_of(text_config)),
        std::make_unique<ImageTowerOf<decltype(vision)>>(std::move(vision), facts), dim, score_rule);
  };
  const WeightScope visual = model.at("visual");
  if (vision_part.has("timm_model_name")) {
    const SiglipVisionConfig vision_config = read_timm_siglip(vision_part, visual.at("trunk"), dim);
    return with_pictures(take_timm_siglip(visual.at("trunk"), vision_config), facts_of(vision_config));
  }
  if (vision_part.is_array("layers")) {  // the stages of a ResNet
    const ClipResNetConfig vision_config = ClipResNetConfig::read(vision_part);
    return with_pictures(take_clip_resnet(visual, vision_config, dim), facts_of(vision_config));
  }
  const ClipVisionConfig vision_config = read_open_clip_vision(vision_part, activation);
  return with_pictures(take_open_clip_vision(visual, vision_config, dim), facts_of(vision_config));
}

}  // namespace moa
