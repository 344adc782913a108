// Picture towers that several dual encoders may have, whatever their text tower is.
#pragma once

#include <cstdint>
#include <memory>

#include "models/two_towers.hpp"

namespace moa {

// The tower that `config` names by its model_type, with "visual_projection" of `model` into `dim` dimensions
// behind its pooled row: clip_vision_model (or a whole clip, of which the picture's part is taken), vit,
// deit, dinov2. `tower` is where its tensors begin. Errors: unsupported, naming the model types there are;
// those of the towers.
std::unique_ptr<const ImageTower> take_image_tower(const Config& config, const WeightScope& tower,
                                                   const WeightScope& model, std::int64_t dim);

// CLIP's picture tower, as other models than CLIP have it too.
std::unique_ptr<const ImageTower> take_clip_image_tower(const Config& config, const WeightScope& tower,
                                                        const WeightScope& model, std::int64_t dim);

}  // namespace moa
