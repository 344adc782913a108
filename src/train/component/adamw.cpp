#include "train/component/adamw.hpp"

#include <ATen/core/grad_mode.h>

#include <cmath>
#include <utility>

namespace moa::train {

LearnedTensor learned(std::string name, at::Tensor value) {
  const at::Tensor zeros = at::zeros_like(value.detach());
  return {std::move(name), std::move(value), zeros, zeros.clone()};
}

double gradient_norm(const std::vector<LearnedTensor>& tensors) {
  const at::NoGradGuard no_graph;
  double squares = 0;
  for (const LearnedTensor& tensor : tensors) {
    if (!tensor.value.grad().defined()) continue;
    const double norm = tensor.value.grad().norm().item<double>();
    squares += norm * norm;
  }
  return std::sqrt(squares);
}

void scale_gradients(const std::vector<LearnedTensor>& tensors, double factor) {
  const at::NoGradGuard no_graph;
  for (const LearnedTensor& tensor : tensors) {
    if (at::Tensor gradient = tensor.value.grad(); gradient.defined()) gradient.mul_(factor);
  }
}

void clear_gradients(const std::vector<LearnedTensor>& tensors) {
  for (const LearnedTensor& tensor : tensors) tensor.value.mutable_grad().reset();
}

void update(const AdamWOptions& options, std::vector<LearnedTensor>& tensors, double learning_rate,
            std::int64_t step) {
  const at::NoGradGuard no_graph;
  const auto steps = static_cast<double>(step);
  const double first_correction = 1 - std::pow(options.beta1, steps);
  const double second_correction = std::sqrt(1 - std::pow(options.beta2, steps));
  for (LearnedTensor& tensor : tensors) {
    const at::Tensor gradient = tensor.value.grad();
    if (!gradient.defined()) continue;
    if (tensor.value.dim() > 1) tensor.value.mul_(1 - learning_rate * options.weight_decay);
    tensor.exp_avg.lerp_(gradient, 1 - options.beta1);
    tensor.exp_avg_sq.mul_(options.beta2).addcmul_(gradient, gradient, 1 - options.beta2);
    const at::Tensor divisor = tensor.exp_avg_sq.sqrt().div_(second_correction).add_(options.eps);
    tensor.value.addcdiv_(tensor.exp_avg, divisor, -learning_rate / first_correction);
  }
}

}  // namespace moa::train
