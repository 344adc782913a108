// Picture towers that a dual encoder may have, whatever its text tower is.
#pragma once

#include <cstdint>
#include <memory>

#include "models/embedding_model.hpp"

namespace moa {

// Immutable, as a model.
class PictureTower {
 public:
  virtual ~PictureTower() = default;
  virtual const ImageTowerFacts& facts() const = 0;
  // One row a picture, in the common space.
  virtual Rows forward(Ops& ops, const Tensor& pixels) const = 0;
};

// The tower that `config` names by its model_type, with "visual_projection" of `model` into `dim` dimensions
// behind its pooled row: clip_vision_model (or a whole clip, of which the picture's part is taken), vit,
// deit, dinov2. `tower` is where its tensors begin. Errors: unsupported, naming the model types there are;
// those of the towers.
std::unique_ptr<const PictureTower> take_picture_tower(const Config& config, const WeightScope& tower,
                                                       const WeightScope& model, std::int64_t dim);

// CLIP's picture tower, as other models than CLIP have it too.
std::unique_ptr<const PictureTower> take_clip_pictures(const Config& config, const WeightScope& tower,
                                                       const WeightScope& model, std::int64_t dim);

}  // namespace moa
