#include "train/component/data_parallel.hpp"

#include <array>
#include <vector>

#include <moa/error.hpp>

namespace moa::train {

LossInput gather(const ProcessGroup& processes, const LossInput& own) {
  // What a share may lack that others have: whether, and how wide, is asked first.
  struct Extra {
    at::Tensor LossInput::*tensor;
    at::ScalarType type;
  };
  constexpr std::array kExtras{
      Extra{&LossInput::groups, at::kLong},         Extra{&LossInput::classes, at::kLong},
      Extra{&LossInput::teacher_first, at::kFloat}, Extra{&LossInput::teacher_second, at::kFloat},
      Extra{&LossInput::negatives, at::kFloat},     Extra{&LossInput::second_keys, at::kLong},
      Extra{&LossInput::negative_keys, at::kLong},
  };
  const auto has_rows = [](const at::Tensor& tensor) { return tensor.defined() && tensor.size(0) > 0; };
  std::array<double, 2 * kExtras.size()> having{};
  for (std::size_t i = 0; i < kExtras.size(); ++i) {
    const at::Tensor& tensor = own.*kExtras[i].tensor;
    if (!has_rows(tensor)) continue;
    having[2 * i] = 1;
    having[2 * i + 1] = tensor.dim() > 1 ? static_cast<double>(tensor.size(1)) : 0;
  }
  processes.sum(having);
  LossInput all;
  all.first = processes.gather(own.first);
  all.second = processes.gather(own.second);
  all.texts_a_class = own.texts_a_class;
  for (std::size_t i = 0; i < kExtras.size(); ++i) {
    if (having[2 * i] == 0) continue;
    const at::Tensor& tensor = own.*kExtras[i].tensor;
    std::vector<std::int64_t> shape{0};
    if (having[2 * i + 1] > 0) shape.push_back(static_cast<std::int64_t>(having[2 * i + 1] / having[2 * i]));
    all.*kExtras[i].tensor = processes.gather(
        has_rows(tensor) ? tensor : at::empty(shape, own.first.options().dtype(kExtras[i].type)));
  }
  return all;
}

ScoreScale counted_once(const ProcessGroup& processes, const ScoreScale& scale) {
  if (processes.rank() == 0) return scale;
  return {scale.scale.detach(), scale.bias.defined() ? scale.bias.detach() : scale.bias};
}

void sum_gradients(const ProcessGroup& processes, std::vector<LearnedTensor>& tensors) {
  std::vector<double> having;
  for (const LearnedTensor& tensor : tensors) having.push_back(tensor.value.grad().defined() ? 1 : 0);
  processes.sum(having);
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    if (having[i] == 0) continue;
    at::Tensor& gradient = tensors[i].value.mutable_grad();
    if (!gradient.defined()) gradient = at::zeros_like(tensors[i].value.detach());
    processes.sum(gradient);
  }
}

void share(const ProcessGroup& processes, std::vector<LearnedTensor>& tensors, std::int64_t& steps) {
  std::array<double, 3> found{static_cast<double>(tensors.size()), 0,
                              processes.rank() == 0 ? static_cast<double>(steps) : 0};
  for (const LearnedTensor& tensor : tensors) found[1] += static_cast<double>(tensor.value.numel());
  std::array<double, 3> sums = found;
  processes.sum(sums);
  if (sums[0] != found[0] * processes.count() || sums[1] != found[1] * processes.count()) {
    throw Error(ErrorCode::model_mismatch, "cannot train in several processes: they do not learn the same");
  }
  for (LearnedTensor& tensor : tensors) {
    processes.broadcast(tensor.value);
    processes.broadcast(tensor.exp_avg);
    processes.broadcast(tensor.exp_avg_sq);
  }
  steps = static_cast<std::int64_t>(sums[2]);
}

}  // namespace moa::train
