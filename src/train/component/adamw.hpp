// AdamW as torch has it, over the tensors that are learned.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <string>
#include <vector>

#include "train/engine.hpp"

namespace moa::train {

struct LearnedTensor {
  std::string name;
  at::Tensor value;       // a leaf that gradients are recorded of
  at::Tensor exp_avg;     // of its gradients
  at::Tensor exp_avg_sq;  // of their squares
};

LearnedTensor learned(std::string name, at::Tensor value);

// The length of all gradients together; a tensor without one counts 0.
double gradient_norm(const std::vector<LearnedTensor>& tensors);
// All gradients times `factor`.
void scale_gradients(const std::vector<LearnedTensor>& tensors, double factor);
void clear_gradients(const std::vector<LearnedTensor>& tensors);
// Update number `step`, from 1, of the tensors that have a gradient.
void update(const AdamWOptions& options, std::vector<LearnedTensor>& tensors, double learning_rate,
            std::int64_t step);

}  // namespace moa::train
