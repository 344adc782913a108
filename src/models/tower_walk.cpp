#include "models/tower_walk.hpp"

namespace moa {
namespace {

Tokens no_tokens(Interpreter& ops) {
  return ops.tokens({}, {}, {});
}

Tensor no_pixels(const ImageTowerFacts& image, Interpreter& ops) {
  return ops.pixels({}, 1, image.channels, image.height_px, image.width_px);
}

}  // namespace

void walk_text(const EmbeddingModel& model, Interpreter& ops) {
  if (model.text() != nullptr) model.forward_text(ops, no_tokens(ops));
}

void walk_text_trunk(const EmbeddingModel& model, Interpreter& ops) {
  if (model.text() != nullptr) model.text_trunk(ops, no_tokens(ops));
}

void walk_image(const EmbeddingModel& model, Interpreter& ops) {
  const ImageTowerFacts* image = model.image();
  if (image == nullptr) return;
  if (image->takes_patches()) {
    const std::int64_t width = image->channels * image->patch_px * image->patch_px;
    model.forward_patches(ops, ops.patches({}, width, {}));
  } else {
    model.forward_image(ops, no_pixels(*image, ops));
  }
}

void walk_image_trunk(const EmbeddingModel& model, Interpreter& ops) {
  const ImageTowerFacts* image = model.image();
  if (image == nullptr || image->takes_patches()) {
    walk_image(model, ops);
  } else {
    model.image_trunk(ops, no_pixels(*image, ops));
  }
}

}  // namespace moa
