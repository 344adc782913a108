#include <string>
#include <vector>

#include <moa/error.hpp>

#include "train/component/losses.hpp"

namespace moa::train {
namespace {

at::Tensor of_classes(const LossOptions& options, const LossInput& input, const ScoreScale& scale) {
  if (options.kind != LossKind::cross_entropy || input.texts_a_class < 1) {
    throw Error(
        ErrorCode::invalid_argument,
        "cannot learn from a batch: cross_entropy wants pictures with a class each, and they want it");
  }
  const std::int64_t texts = input.second.size(0);
  if (texts == 0 || texts % input.texts_a_class != 0) {
    throw Error(ErrorCode::shape_mismatch, "cannot learn from a batch: found " + std::to_string(texts) +
                                               " texts of classes, expected a multiple of " +
                                               std::to_string(input.texts_a_class));
  }
  const at::Tensor classes = class_vectors(input.second, input.texts_a_class);
  const auto [least, most] = input.classes.aminmax();
  if (least.item<std::int64_t>() < 0 || most.item<std::int64_t>() >= classes.size(0)) {
    throw Error(ErrorCode::shape_mismatch, "cannot learn from a batch: found a picture of class " +
                                               std::to_string(most.item<std::int64_t>()) +
                                               ", expected one of " + std::to_string(classes.size(0)));
  }
  return cross_entropy(at::matmul(input.first, classes.t()) * scale.scale, input.classes,
                       options.label_smoothing);
}

at::Tensor contrast(const LossOptions& options, const LossInput& input, const ScoreScale& scale) {
  if (options.kind == LossKind::cross_entropy || input.texts_a_class > 0)
    return of_classes(options, input, scale);
  const at::Tensor cosines = at::matmul(input.first, input.second.t());
  at::Tensor together;
  if (input.groups.defined()) together = input.groups.unsqueeze(0) == input.groups.unsqueeze(1);
  switch (options.kind) {
    case LossKind::info_nce:
      return info_nce(cosines * scale.scale, together, options.label_smoothing);
    case LossKind::sigmoid: {
      const at::Tensor scores = cosines * scale.scale;
      return sigmoid_loss(scale.bias.defined() ? scores + scale.bias : scores, together);
    }
    case LossKind::triplet:
      return triplet(cosines, together, options.margin, Negatives::all);
    case LossKind::triplet_semi_hard:
      return triplet(cosines, together, options.margin, Negatives::semi_hard);
    case LossKind::hinge_sum:
      return hinge(cosines, together, options.margin, Negatives::all);
    case LossKind::hinge_max:
      return hinge(cosines, together, options.margin, Negatives::hardest);
    case LossKind::sup_con: {
      const at::Tensor labels = input.groups.defined()
                                    ? input.groups
                                    : at::arange(cosines.size(0), cosines.options().dtype(at::kLong));
      return sup_con(at::cat({input.first, input.second}), at::cat({labels, labels}), options.temperature);
    }
    case LossKind::cross_entropy:
      break;
  }
  throw Error(ErrorCode::internal, "a loss that is not known");
}

void expect_teacher(const at::Tensor& student, const at::Tensor& teacher, const char* side) {
  if (!teacher.defined() || student.sizes() == teacher.sizes()) return;
  throw Error(ErrorCode::invalid_argument, std::string("cannot distil: the teacher's vectors of the ") +
                                               side + " side have " + std::to_string(teacher.size(1)) +
                                               " numbers, the student's " + std::to_string(student.size(1)));
}

at::Tensor distillation(const DistillationOptions& options, const LossInput& input, const ScoreScale& scale) {
  if (!input.teacher_first.defined() && !input.teacher_second.defined()) {
    throw Error(ErrorCode::invalid_argument, "cannot distil: the batch has no vectors of a teacher");
  }
  at::Tensor total = at::zeros({}, input.first.options());
  const auto toward = [&](const at::Tensor& student, const at::Tensor& teacher, const char* side) {
    if (!teacher.defined() || (options.cosine == 0 && options.squared == 0)) return;
    expect_teacher(student, teacher, side);
    if (options.cosine != 0) total = total + options.cosine * cosine_distillation(student, teacher);
    if (options.squared != 0) total = total + options.squared * squared_distillation(student, teacher);
  };
  toward(input.first, input.teacher_first, "first");
  toward(input.second, input.teacher_second, "second");
  if (options.distribution == 0) return total;
  if (!input.teacher_first.defined() || !input.teacher_second.defined()) {
    throw Error(ErrorCode::invalid_argument,
                "cannot distil scores: the batch has a teacher's vectors for one side, expected both");
  }
  const at::Tensor wanted = at::matmul(input.teacher_first, input.teacher_second.t()) * options.teacher_scale;
  const at::Tensor found = at::matmul(input.first, input.second.t()) * scale.scale;
  return total + options.distribution * distribution_distillation(found, wanted);
}

at::Tensor of_all_dims(const LossOptions& options, const LossInput& input, const ScoreScale& scale) {
  at::Tensor total = at::zeros({}, input.first.options());
  if (options.weight != 0) total = total + options.weight * contrast(options, input, scale);
  const DistillationOptions& teaching = options.distillation;
  if (teaching.cosine != 0 || teaching.squared != 0 || teaching.distribution != 0) {
    total = total + distillation(teaching, input, scale);
  }
  return total;
}

// The first `dims` columns, on the unit sphere again.
at::Tensor prefix(const at::Tensor& vectors, std::int64_t dims) {
  if (!vectors.defined()) return vectors;
  if (dims < 1 || dims > vectors.size(1)) {
    throw Error(ErrorCode::invalid_argument, "cannot shorten vectors of " + std::to_string(vectors.size(1)) +
                                                 " numbers to " + std::to_string(dims));
  }
  const at::Tensor kept = vectors.narrow(1, 0, dims);
  return kept / kept.norm(2, -1, true).clamp_min(1e-12);
}

}  // namespace

at::Tensor total_loss(const LossOptions& options, const LossInput& input, const ScoreScale& scale) {
  if (options.prefix_dims.empty()) return of_all_dims(options, input, scale);
  at::Tensor total = at::zeros({}, input.first.options());
  for (const std::int64_t dims : options.prefix_dims) {
    LossInput shortened = input;
    for (at::Tensor LossInput::*vectors :
         {&LossInput::first, &LossInput::second, &LossInput::teacher_first, &LossInput::teacher_second}) {
      shortened.*vectors = prefix(input.*vectors, dims);
    }
    total = total + of_all_dims(options, shortened, scale);
  }
  return total / static_cast<double>(options.prefix_dims.size());
}

}  // namespace moa::train
