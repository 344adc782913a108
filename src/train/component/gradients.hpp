// The loss of a batch, and its gradients.
#pragma once

#include "train/component/data_parallel.hpp"
#include "train/component/logit_scale.hpp"
#include "train/component/towers.hpp"
#include "train/engine.hpp"

namespace moa::train {

struct LossOfBatch {
  const Towers& towers;
  const LogitScale& scale;
  const LossOptions& options;
  // With others, batches are this one's share, and the loss is that of all of them together; gradients are to
  // be summed (data_parallel.hpp).
  const ProcessGroup* processes = nullptr;

  // Nothing is recorded.
  double value(const TrainingBatch& batch) const;
  // Adds its gradients to those of the tensors that are learned. `chunk_items` at a time (0: all) are
  // forwarded with their activations kept; loss and gradients are those of the whole batch.
  double backward(const TrainingBatch& batch, std::int64_t chunk_items) const;

 private:
  at::Tensor of_all(const LossInput& own) const;
  at::Tensor vectors(const Side& side) const;
  // Adds what stands beside the sides of `batch` to their vectors.
  void add_facts(const TrainingBatch& batch, LossInput& input) const;
};

}  // namespace moa::train
