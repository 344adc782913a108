// A learner's model with every parameter learned, below the engine: for tests that look at gradients.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "backends/torch/weights.hpp"
#include "train/component/gradients.hpp"
#include "train/torch/learner.hpp"

namespace moa::train {

struct WholeModel {
  WholeModel(const Learner& learner, const LossOptions& loss_options)
      : options(loss_options),
        scale(
            options, learner.parameters, weights, [](const std::string&) { return true; }, all),
        towers(*learner.model, weights, Precision::f32) {
    for (const Parameter& parameter : tower_parameters(*learner.model).all) {
      all.push_back(learned(parameter.name(), weights.learn(parameter)));
    }
  }
  WholeModel(const WholeModel&) = delete;
  WholeModel& operator=(const WholeModel&) = delete;

  // By name, of every parameter that has one.
  std::vector<std::pair<std::string, std::vector<double>>> gradients() const {
    std::vector<std::pair<std::string, std::vector<double>>> found;
    for (const LearnedTensor& tensor : all) {
      if (!tensor.value.grad().defined()) continue;
      const at::Tensor flat = tensor.value.grad().to(at::kDouble).contiguous();
      found.emplace_back(
          tensor.name, std::vector<double>(flat.data_ptr<double>(), flat.data_ptr<double>() + flat.numel()));
    }
    return found;
  }

  LossOptions options;
  torch::TorchWeights weights{at::Device(at::kCPU)};
  std::vector<LearnedTensor> all;
  LogitScale scale;
  Towers towers;
};

}  // namespace moa::train
