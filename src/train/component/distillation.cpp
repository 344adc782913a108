#include "train/component/losses.hpp"

namespace moa::train {

at::Tensor cosine_distillation(const at::Tensor& student, const at::Tensor& teacher) {
  return (1 - (student * teacher).sum(1)).mean();
}

at::Tensor squared_distillation(const at::Tensor& student, const at::Tensor& teacher) {
  return (student - teacher).square().sum(1).mean();
}

at::Tensor distribution_distillation(const at::Tensor& student_scores, const at::Tensor& teacher_scores) {
  const auto along = [&](std::int64_t axis) {
    const at::Tensor wanted = at::log_softmax(teacher_scores, axis);
    const at::Tensor found = at::log_softmax(student_scores, axis);
    return (wanted.exp() * (wanted - found)).sum(axis).mean();
  };
  return (along(1) + along(0)) / 2;
}

}  // namespace moa::train
