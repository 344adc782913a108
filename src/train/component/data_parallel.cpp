#include "train/component/data_parallel.hpp"

#include <array>
#include <vector>

#include <moa/error.hpp>

namespace moa::train {

LossInput gather(const ProcessGroup& processes, const LossInput& own) {
  // An empty share lacks what the others have: whether, and how wide, is asked first.
  const std::array<const at::Tensor*, 4> extras{&own.groups, &own.teacher_first, &own.teacher_second,
                                                &own.classes};
  std::array<double, 2 * extras.size()> having{};
  for (std::size_t i = 0; i < extras.size(); ++i) {
    if (!extras[i]->defined()) continue;
    having[2 * i] = 1;
    having[2 * i + 1] = extras[i]->dim() > 1 ? static_cast<double>(extras[i]->size(1)) : 0;
  }
  processes.sum(having);
  const auto extra = [&](std::size_t i, at::ScalarType type) -> at::Tensor {
    if (having[2 * i] == 0) return {};
    if (extras[i]->defined()) return processes.gather(*extras[i]);
    std::vector<std::int64_t> shape{0};
    if (having[2 * i + 1] > 0) shape.push_back(static_cast<std::int64_t>(having[2 * i + 1] / having[2 * i]));
    return processes.gather(at::empty(shape, own.first.options().dtype(type)));
  };
  const at::Tensor first = processes.gather(own.first);
  const at::Tensor second = processes.gather(own.second);
  const at::Tensor groups = extra(0, at::kLong);
  const at::Tensor teacher_first = extra(1, at::kFloat);
  const at::Tensor teacher_second = extra(2, at::kFloat);
  return {first, second, groups, teacher_first, teacher_second, extra(3, at::kLong), own.texts_a_class};
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
