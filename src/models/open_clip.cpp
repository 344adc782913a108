#include "models/open_clip.hpp"

#include <string>
#include <utility>

#include <moa/error.hpp>

#include "models/clip.hpp"
#include "models/clip_resnet.hpp"
#include "models/open_clip_parts.hpp"
#include "models/two_towers.hpp"

namespace moa {

std::unique_ptr<EmbeddingModel> build_open_clip(const Config& config, Weights& weights) {
  const Config model_config = config.object("model_cfg");
  refuse_unknown(model_config,
                 {"embed_dim", "quick_gelu", "custom_text", "vision_cfg", "text_cfg", "init_logit_scale"});
  const Activation activation =
      model_config.boolean("quick_gelu", false) ? Activation::quick_gelu : Activation::gelu;
  const Config text_part = model_config.object("text_cfg");
  const ClipTextConfig text_config = read_open_clip_text(text_part, activation);
  const Config vision_part = model_config.object("vision_cfg");
  const std::int64_t dim = model_config.integer("embed_dim", 512, 1, 65536);

  const WeightScope model(weights);
  // "custom_text" only moves the text side below "text.".
  const WeightScope text_scope = model_config.boolean("custom_text", false) ? model.at("text") : model;
  ClipText text = take_open_clip_text(text_scope, text_part, text_config, dim);
  const Parameter logit_scale = model.take("logit_scale", {});
  if (vision_part.is_array("layers")) {  // the stages of a ResNet
    const ClipResNetConfig vision_config = ClipResNetConfig::read(vision_part);
    return std::make_unique<TwoTowers>(
        std::make_unique<TextTowerOf<ClipText>>(std::move(text), facts_of(text_config)),
        std::make_unique<ImageTowerOf<ClipResNet>>(take_clip_resnet(model.at("visual"), vision_config, dim),
                                                   facts_of(vision_config)),
        dim, softmax_rule(logit_scale));
  }
  const ClipVisionConfig vision_config = read_open_clip_vision(vision_part, activation);
  ClipVision vision = take_open_clip_vision(model.at("visual"), vision_config, dim);
  return std::make_unique<Clip>(std::move(text), text_config, std::move(vision), vision_config, logit_scale);
}

}  // namespace moa
