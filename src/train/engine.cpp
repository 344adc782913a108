#include "train/engine.hpp"

#include <moa/error.hpp>

#include "base/component.hpp"

namespace moa::train {

std::int64_t items_of(const Side& side) {
  if (const auto* pictures = std::get_if<PictureBatch>(&side)) return pictures->pictures;
  if (const auto* texts = std::get_if<TextBatch>(&side)) return texts->sequences.items();
  return std::get<VectorBatch>(side).items;
}

TextBatch TextBatch::of(std::span<const std::vector<std::int32_t>> texts) {
  TextBatch batch;
  std::vector<std::int64_t> lengths;
  for (const std::vector<std::int32_t>& ids : texts) {
    batch.ids.insert(batch.ids.end(), ids.begin(), ids.end());
    lengths.push_back(static_cast<std::int64_t>(ids.size()));
  }
  batch.sequences = Sequences(lengths);
  return batch;
}

namespace {

Component open_component() {
  try {
    return Component::open(kTrainComponent);
  } catch (const Error& error) {
    throw Error(error.code(), std::string(error.what()) +
                                  "; training needs libtorch: build moa where libtorch-dev and "
                                  "libopenblas0-pthread are installed (CMake: MOA_WITH_TORCH)");
  }
}

}  // namespace

std::unique_ptr<TrainingEngine> make_training_engine(const EmbeddingModel& model,
                                                     const std::vector<Parameter>& parameters,
                                                     const EngineOptions& options) {
  const Component component = open_component();
  std::unique_ptr<TrainingEngine> engine;
  std::string message;
  const int code = component.function<MakeEngineFunction>(kMakeEngineFunction)(&model, &parameters, &options,
                                                                               &engine, &message);
  throw_failure(code, message);
  return engine;
}

}  // namespace moa::train
