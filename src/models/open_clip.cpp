#include "models/open_clip.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include <moa/error.hpp>

#include "models/clip.hpp"
#include "models/clip_resnet.hpp"
#include "models/coca.hpp"
#include "models/open_clip_hf_text.hpp"
#include "models/open_clip_parts.hpp"
#include "models/siglip.hpp"
#include "models/timm_siglip.hpp"
#include "models/two_towers.hpp"

namespace moa {

namespace {

bool has_hf_text(const Config& text_part) {
  return text_part.has("hf_model_name");
}

// One of transformers' text towers.
std::unique_ptr<const TextTower> take_hf_text_tower(const WeightScope& scope, const Config& part,
                                                    std::int64_t dim) {
  BertText text = take_open_clip_hf_text(part, scope, dim);
  TextTowerFacts facts{text.description, part.integer("context_length", 77, 2, 65536),
                       text.config.vocabulary};
  facts.context_tokens = std::min(facts.context_tokens, text.config.context_tokens);
  facts.limits_texts_alone = true;
  return std::make_unique<TextTowerOf<BertText>>(std::move(text), std::move(facts));
}

std::unique_ptr<const TextTower> take_text_tower(const WeightScope& scope, const Config& part,
                                                 Activation activation, std::int64_t dim) {
  if (has_hf_text(part)) return take_hf_text_tower(scope, part, dim);
  const ClipTextConfig sizes = read_open_clip_text(part, activation);
  if (is_coca_text(part)) {
    CocaText text = take_coca_text(scope, part, sizes, dim);
    TextTowerFacts facts = coca_text_facts(sizes, text);
    facts.limits_texts_alone = true;
    return std::make_unique<TextTowerOf<CocaText>>(std::move(text), std::move(facts));
  }
  ClipText text = take_open_clip_text(scope, part, sizes, dim);
  TextTowerFacts facts = facts_of(sizes);
  facts.limits_texts_alone = true;
  facts.pools_to_vector = !text.projection.weight;
  return std::make_unique<TextTowerOf<ClipText>>(std::move(text), std::move(facts));
}

std::unique_ptr<const ImageTower> take_vision_tower(const WeightScope& scope, const Config& part,
                                                    Activation activation, std::int64_t dim) {
  if (part.has("timm_model_name")) {
    const SiglipVisionConfig sizes = read_timm_siglip(part, scope.at("trunk"), dim);
    auto vision = take_timm_siglip(scope.at("trunk"), sizes);
    return std::make_unique<ImageTowerOf<decltype(vision)>>(std::move(vision), facts_of(sizes));
  }
  if (part.is_array("layers")) {  // the stages of a ResNet
    const ClipResNetConfig sizes = ClipResNetConfig::read(part);
    return std::make_unique<ImageTowerOf<ClipResNet>>(take_clip_resnet(scope, sizes, dim), facts_of(sizes));
  }
  const ClipVisionConfig sizes = read_open_clip_vision(part, activation);
  if (is_coca_vision(part)) {
    return std::make_unique<ImageTowerOf<CocaVision>>(take_coca_vision(scope, part, sizes, dim),
                                                      facts_of(sizes));
  }
  return std::make_unique<ImageTowerOf<ClipVision>>(take_open_clip_vision(scope, sizes, dim),
                                                    facts_of(sizes));
}

// CoCa's decoder, which writes captions: known, and not needed for vectors.
void ignore_decoder(Weights& weights) {
  for (const std::string& name : weights.left_over()) {
    if (name.starts_with("text_decoder.")) weights.ignore(name);
  }
}

}  // namespace

std::unique_ptr<EmbeddingModel> build_open_clip(const Config& config, Weights& weights) {
  const Config model_config = config.object("model_cfg");
  refuse_unknown(model_config, {"embed_dim", "quick_gelu", "custom_text", "vision_cfg", "text_cfg",
                                "multimodal_cfg", "init_logit_scale", "init_logit_bias"});
  const Activation activation =
      model_config.boolean("quick_gelu", false) ? Activation::quick_gelu : Activation::gelu;
  const Config text_part = model_config.object("text_cfg");
  const std::int64_t dim = model_config.integer("embed_dim", 512, 1, 65536);

  const WeightScope model(weights);
  // "custom_text" only moves the text side below "text."; a CoCa's and transformers' towers are always there.
  const bool is_coca = model_config.has("multimodal_cfg");
  const bool is_below = is_coca || has_hf_text(text_part) || model_config.boolean("custom_text", false);
  if (is_coca) ignore_decoder(weights);
  auto text = take_text_tower(is_below ? model.at("text") : model, text_part, activation, dim);
  const Parameter logit_scale = model.take("logit_scale", {});
  // Where there is a bias, it learned by SigLIP's sigmoid loss.
  const ScoreRule score_rule = model_config.has("init_logit_bias")
                                   ? sigmoid_rule(logit_scale, model.take("logit_bias", {}))
                                   : softmax_rule(logit_scale);
  return std::make_unique<TwoTowers>(
      std::move(text),
      take_vision_tower(model.at("visual"), model_config.object("vision_cfg"), activation, dim), dim,
      score_rule);
}

}  // namespace moa
