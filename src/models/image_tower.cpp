#include "models/image_tower.hpp"

#include <string>
#include <utility>

#include <moa/error.hpp>

#include "models/clip.hpp"
#include "nn/vit.hpp"

namespace moa {
namespace {

ImageTowerFacts facts_of(const Vit& vit) {
  const VitConfig& config = vit.config;
  ImageTowerFacts facts{vit.description, config.channels, config.image_px, config.image_px};
  facts.takes_any_size = config.takes_any_size;
  return facts;
}

}  // namespace

std::unique_ptr<const ImageTower> take_clip_image_tower(const Config& config, const WeightScope& tower,
                                                        const WeightScope& model, std::int64_t dim) {
  const ClipVisionConfig vision = read_clip_vision(config);
  return std::make_unique<ImageTowerOf<ClipVision>>(take_clip_vision(tower, model, vision, dim),
                                                    facts_of(vision));
}

std::unique_ptr<const ImageTower> take_image_tower(const Config& config, const WeightScope& tower,
                                                   const WeightScope& model, std::int64_t dim) {
  if (is_vit(config)) {
    Vit vit = take_vit(config, tower);
    const std::int64_t width = width_after(vit.steps, vit.config.transformer.width);
    vit.steps.emplace_back(Dense{{model.take("visual_projection.weight", {dim, width}), {}}});
    const ImageTowerFacts facts = facts_of(vit);
    return std::make_unique<ImageTowerOf<Vit>>(std::move(vit), facts);
  }
  const std::string model_type = config.string("model_type", "");
  if (model_type == "clip_vision_model" || model_type == "clip") {
    // Files written by transformers 4 have the tower's own prefix behind the model's.
    const bool is_doubled = tower.at("vision_model").has("embeddings.class_embedding");
    return take_clip_image_tower(model_type == "clip" ? config.object("vision_config") : config,
                                 is_doubled ? tower.at("vision_model") : tower, model, dim);
  }
  throw Error(
      ErrorCode::unsupported,
      config.where() + ": 'model_type': found '" + model_type +
          "', expected a picture tower that is one of 'clip_vision_model', 'clip', 'vit', 'deit', 'dinov2'");
}

}  // namespace moa
