// Adapters while they are learned: what they start from, and how they take part in a forward pass.
#pragma once

#include <ATen/ATen.h>

#include <string>
#include <vector>

#include "backends/torch/weights.hpp"
#include "checkpoint/adapter.hpp"
#include "train/component/adamw.hpp"
#include "train/engine.hpp"

namespace moa::train {

// Puts an adapter on each of `linears` (the weights of a model's linear layers) that `options` names, such
// that nothing changes before it has learned. `all` receives its tensors, named as its file has them. Errors:
// invalid_argument if none is named, or the rank is impossible; shape_mismatch for a matrix that `shared`
// cannot cut into squares.
void add_adapters(const AdapterOptions& options, const std::vector<Parameter>& linears, std::uint64_t seed,
                  torch::TorchWeights& weights, std::vector<LearnedTensor>& all);

}  // namespace moa::train
