#include "models/tower_walk.hpp"

namespace moa {

void walk_text(const EmbeddingModel& model, Interpreter& ops) {
  if (model.text() != nullptr) model.forward_text(ops, ops.tokens({}, {}, {}));
}

void walk_image(const EmbeddingModel& model, Interpreter& ops) {
  const ImageTowerFacts* image = model.image();
  if (image == nullptr) return;
  if (image->takes_patches()) {
    const std::int64_t width = image->channels * image->patch_px * image->patch_px;
    model.forward_patches(ops, ops.patches({}, width, {}));
  } else {
    model.forward_image(ops, ops.pixels({}, 1, image->channels, image->height_px, image->width_px));
  }
}

}  // namespace moa
