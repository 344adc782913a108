#include "train/component/logit_scale.hpp"

#include <ATen/core/grad_mode.h>

#include <cmath>
#include <optional>
#include <string>

#include <moa/error.hpp>

namespace moa::train {

namespace {

constexpr double kMostScale = 100;

}  // namespace

LogitScale::LogitScale(const LossOptions& options, const std::vector<Parameter>& parameters,
                       torch::TorchWeights& weights, const std::function<bool(const std::string&)>& learns,
                       std::vector<LearnedTensor>& all) {
  const auto number = [&](const char* name, std::optional<double> initial) -> at::Tensor {
    for (const Parameter& parameter : parameters) {
      if (parameter.name() != name || parameter.shape().elements() != 1) continue;
      if (!options.learns_logit_scale || !learns(parameter.name())) {
        if (!initial) return weights.of(parameter);
        throw Error(ErrorCode::invalid_argument,
                    "cannot begin with another '" + std::string(name) +
                        "' than the model's (initial_logit_scale, initial_logit_bias): it does not learn");
      }
      const at::Tensor value = weights.learn(parameter);
      if (initial) {
        const at::NoGradGuard no_graph;
        value.fill_(*initial);
      }
      all.push_back(learned(name, value));
      return value;
    }
    return {};
  };
  const auto own = [&](const char* name, std::optional<double> asked, double usual) {
    at::Tensor value =
        at::full({}, asked.value_or(usual), at::TensorOptions(at::kFloat).device(weights.device()));
    if (options.learns_logit_scale) all.push_back(learned(name, value.requires_grad_(true)));
    return value;
  };
  const std::optional<double>& scale = options.initial_logit_scale;
  scale_ = number("logit_scale", scale);
  if (!scale_.defined()) {
    scale_ = number("temperature", scale ? std::optional(std::exp(-*scale)) : std::nullopt);
    is_temperature_ = scale_.defined();
  }
  if (!scale_.defined()) scale_ = own("logit_scale", scale, LossOptions::kUsualLogitScale);
  if (options.kind != LossKind::sigmoid) return;
  bias_ = number("logit_bias", options.initial_logit_bias);
  if (!bias_.defined()) bias_ = own("logit_bias", options.initial_logit_bias, LossOptions::kUsualLogitBias);
}

ScoreScale LogitScale::now() const {
  const at::Tensor number = scale_.reshape({});
  return {is_temperature_ ? number.reciprocal() : number.exp(),
          bias_.defined() ? bias_.reshape({}) : at::Tensor()};
}

void LogitScale::clamp() const {
  if (!scale_.requires_grad()) return;
  const at::NoGradGuard no_graph;
  if (is_temperature_) {
    scale_.clamp_(1 / kMostScale, 1);
  } else {
    scale_.clamp_(0, std::log(kMostScale));
  }
}

}  // namespace moa::train
