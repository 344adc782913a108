// What cosines are multiplied with before a loss sees them, and what is added: numbers of the checkpoint, or,
// where it has none, of their own.
#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <string>
#include <vector>

#include "backends/torch/weights.hpp"
#include "train/component/adamw.hpp"
#include "train/component/losses.hpp"
#include "train/engine.hpp"

namespace moa::train {

class LogitScale {
 public:
  // `all` receives what is learned of it. The checkpoint's "logit_scale" (a logarithm), "temperature"
  // (its inverse) and "logit_bias" are found among `parameters`; `learns` says of a name whether it is to be
  // learned.
  LogitScale(const LossOptions& options, const std::vector<Parameter>& parameters,
             torch::TorchWeights& weights, const std::function<bool(const std::string&)>& learns,
             std::vector<LearnedTensor>& all);

  ScoreScale now() const;
  // Brings the scale back to [1, 100], as CLIP is trained.
  void clamp() const;

 private:
  at::Tensor scale_;  // a logarithm, or a temperature
  at::Tensor bias_;   // undefined: none
  bool is_temperature_ = false;
};

}  // namespace moa::train
