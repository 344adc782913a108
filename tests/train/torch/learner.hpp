// A golden checkpoint that learns: all its parameters, and its first texts and its pictures as a batch.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "models/golden.hpp"
#include "tensor/factored.hpp"
#include "train/component/torch_engine.hpp"

namespace moa::train {

struct Learner {
  static constexpr std::size_t kPairs = 3;

  explicit Learner(const std::string& folder)
      : golden(Golden::load(folder)), directory(ModelDirectory::open(golden.path)) {
    Weights weights = directory.weights();
    model = build(weights);
    parameters = stored_tensors(weights.parameters());
  }

  std::unique_ptr<EmbeddingModel> build(Weights& weights) const {
    return architecture_of(directory.config(), Golden::layout_of(directory))
        .build(directory.config(), weights);
  }

  // Its pictures times `contrast`.
  TrainingBatch batch(float contrast = 1) const {
    const Shape shape = golden.expected.shape_of("pixels");
    PictureBatch pictures{golden.values("pixels"), shape[0], shape[1], shape[2], shape[3]};
    for (float& value : pictures.pixels) value *= contrast;
    return {std::move(pictures), texts(0, kPairs), {}, {}, {}};
  }
  // The same beside texts that are nobody's partners: all others of the checkpoint.
  TrainingBatch batch_with_negatives() const {
    TrainingBatch all = batch();
    all.negatives = texts(kPairs, golden.lengths.size());
    return all;
  }

  std::unique_ptr<TrainingEngine> engine(const EngineOptions& options) const {
    return make_torch_engine(*model, parameters, options);
  }

  // Texts [begin, end) of the checkpoint.
  TextBatch texts(std::size_t begin, std::size_t end) const {
    std::vector<std::vector<std::int32_t>> ids;
    auto first = golden.ids.begin();
    for (std::size_t i = 0; i < end; ++i) {
      const auto last = first + golden.lengths[i];
      if (i >= begin) ids.emplace_back(first, last);
      first = last;
    }
    return TextBatch::of(ids);
  }

  Golden golden;
  ModelDirectory directory;
  std::unique_ptr<EmbeddingModel> model;
  std::vector<Parameter> parameters;
};

}  // namespace moa::train
