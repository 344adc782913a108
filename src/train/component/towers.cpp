#include "train/component/towers.hpp"

#include <algorithm>
#include <set>
#include <span>
#include <string>

#include <moa/error.hpp>

#include "backends/recording/recording.hpp"
#include "backends/torch/interpreter.hpp"
#include "models/tower_walk.hpp"

namespace moa::train {
namespace {

// What `parameter` is made of, in the end, and was not seen before.
void add_origins(const Parameter& parameter, std::set<const void*>& seen, std::vector<Parameter>& all) {
  for (const Parameter& origin : origins_of(parameter)) {
    if (seen.insert(origin.identity()).second) all.push_back(origin);
  }
}

void expect_items(std::size_t found, std::int64_t items, std::int64_t each, const char* what) {
  if (items >= 0 && each >= 0 && static_cast<std::int64_t>(found) == items * each) return;
  throw Error(ErrorCode::shape_mismatch, std::string("cannot take ") + what + ": found " +
                                             std::to_string(found) + " numbers for " + std::to_string(items) +
                                             " items of " + std::to_string(each));
}

// Items [begin, end) of `batch`, as the tower takes them.
std::vector<float> pixels_of(const PictureBatch& batch, std::int64_t begin, std::int64_t end) {
  const std::int64_t plane = batch.height_px * batch.width_px;
  const std::int64_t each = batch.channels * plane;
  const bool has_bytes = !batch.bytes.empty();
  expect_items(has_bytes ? batch.bytes.size() : batch.pixels.size(), batch.pictures, each, "pictures");
  if (!has_bytes) return {batch.pixels.begin() + begin * each, batch.pixels.begin() + end * each};
  constexpr std::int64_t kBytes = 256;
  expect_items(batch.values.size(), batch.channels, kBytes, "the values of bytes");
  std::vector<float> pixels(static_cast<std::size_t>((end - begin) * each));
  auto* to = pixels.data();
  const std::uint8_t* from = batch.bytes.data() + begin * each;
  for (std::int64_t i = 0; i < (end - begin) * batch.channels; ++i) {
    const float* value_of = batch.values.data() + i % batch.channels * kBytes;
    to = std::transform(from, from + plane, to, [value_of](std::uint8_t byte) { return value_of[byte]; });
    from += plane;
  }
  return pixels;
}

}  // namespace

TowerParameters tower_parameters(const EmbeddingModel& model) {
  RecordingInterpreter recording;
  walk_text(model, recording);
  if (model.image() != nullptr && !model.image()->takes_patches()) walk_image(model, recording);
  TowerParameters result;
  std::set<const void*> seen;
  for (const Parameter& parameter : recording.parameters()) add_origins(parameter, seen, result.all);
  result.linears = recording.whole_linears();  // an adapter sits on the whole of a product
  return result;
}

at::Tensor Towers::vectors(const VectorBatch& batch) const {
  if (batch.items == 0) return {};
  const at::Tensor rows = matrix(batch);
  return rows / rows.norm(2, -1, true).clamp_min(1e-12);
}

at::Tensor Towers::matrix(const VectorBatch& batch) const {
  expect_items(batch.values.size(), batch.items, batch.dim, "vectors");
  at::Tensor rows = at::empty({batch.items, batch.dim}, at::kFloat);
  std::copy(batch.values.begin(), batch.values.end(), rows.data_ptr<float>());
  return rows.to(weights_.device());
}

Rows Towers::behind_trunk(Ops& ops, const VectorBatch& batch, std::int64_t begin, std::int64_t end) const {
  const Rows trunk = TorchInterpreter::rows_of_items(matrix(batch).narrow(0, begin, end - begin));
  return batch.stage == VectorStage::text_trunk ? model_.text_head(ops, trunk)
                                                : model_.image_head(ops, trunk);
}

at::Tensor Towers::none() const {
  return at::empty({0, model_.dim()}, at::TensorOptions(at::kFloat).device(weights_.device()));
}

at::Tensor Towers::forward(const Side& side, std::int64_t begin, std::int64_t end) const {
  const auto* kept = std::get_if<VectorBatch>(&side);
  if (kept != nullptr && kept->stage == VectorStage::vector) {
    return vectors(*kept).narrow(0, begin, end - begin);
  }
  TorchInterpreter ops(weights_, precision_);
  ops.set_prompt_vectors(prompt_vectors_);
  Rows rows;
  if (kept != nullptr) {
    rows = behind_trunk(ops, *kept, begin, end);
  } else if (const auto* pictures = std::get_if<PictureBatch>(&side)) {
    const ImageTowerFacts* image = model_.image();
    if (image == nullptr || image->takes_patches()) {
      throw Error(ErrorCode::unsupported, image == nullptr
                                              ? "cannot learn from pictures: the model has no tower for them"
                                              : "cannot learn from pictures in their own shapes");
    }
    rows = model_.forward_image(ops, ops.pixels(pixels_of(*pictures, begin, end), end - begin,
                                                pictures->channels, pictures->height_px, pictures->width_px));
  } else {
    const auto& texts = std::get<TextBatch>(side);
    if (model_.text() == nullptr) {
      throw Error(ErrorCode::unsupported, "cannot learn from texts: the model has no tower for them");
    }
    expect_items(texts.ids.size(), texts.sequences.rows(), 1, "texts");
    std::vector<std::int64_t> lengths;
    for (std::int64_t item = begin; item < end; ++item) lengths.push_back(texts.sequences.length(item));
    const std::span<const std::int32_t> ids(texts.ids);
    const Sequences sequences(lengths);
    const auto part = ids.subspan(static_cast<std::size_t>(texts.sequences.begin(begin)),
                                  static_cast<std::size_t>(sequences.rows()));
    rows = model_.forward_text(ops, ops.tokens(part, {}, sequences));
  }
  return TorchInterpreter::matrix(ops.l2_normalize(rows, model_.normalize_eps()));
}

}  // namespace moa::train
