// A model's two sides, forwarded with torch.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "backends/torch/weights.hpp"
#include "tensor/precision.hpp"
#include "train/engine.hpp"

namespace moa::train {

// The checkpoint's own tensors that the towers of `model` are made of, once each; and those of them that are
// weights of linear layers, whole, alone or in a stack.
struct TowerParameters {
  std::vector<Parameter> all;
  std::vector<Parameter> linears;
};
TowerParameters tower_parameters(const EmbeddingModel& model);

class Towers {
 public:
  // `model` and `weights` must outlive it.
  Towers(const EmbeddingModel& model, torch::TorchWeights& weights, Precision precision,
         Parameter prompt_vectors = {})
      : model_(model), weights_(weights), precision_(precision), prompt_vectors_(std::move(prompt_vectors)) {}

  // Items [begin, end) of `side` as rows on the unit sphere, [items, dim]; with a graph if torch records.
  // Errors: those of TrainingEngine; unsupported without that tower.
  at::Tensor forward(const Side& side, std::int64_t begin, std::int64_t end) const;
  at::Tensor forward(const Side& side) const { return forward(side, 0, items_of(side)); }
  at::Tensor none() const;  // [0, dim]
  // [items, dim], on the unit sphere; undefined if there are none. Of vectors, not of trunks' rows.
  at::Tensor vectors(const VectorBatch& batch) const;

 private:
  Rows behind_trunk(Ops& ops, const VectorBatch& batch, std::int64_t begin, std::int64_t end) const;
  at::Tensor matrix(const VectorBatch& batch) const;

  const EmbeddingModel& model_;
  torch::TorchWeights& weights_;
  Precision precision_;
  Parameter prompt_vectors_;
};

}  // namespace moa::train
