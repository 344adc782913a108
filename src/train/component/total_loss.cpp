#include <string>
#include <vector>

#include <moa/error.hpp>

#include "train/component/losses.hpp"

namespace moa::train {
namespace {

bool has_negatives(const LossInput& input) {
  return input.negatives.defined() && input.negatives.size(0) > 0;
}

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
  const auto first = least.item<std::int64_t>();
  const auto last = most.item<std::int64_t>();
  if (first < 0 || last >= classes.size(0)) {
    throw Error(ErrorCode::shape_mismatch, "cannot learn from a batch: found a picture of class " +
                                               std::to_string(first < 0 ? first : last) +
                                               ", expected one of " + std::to_string(classes.size(0)));
  }
  return cross_entropy(at::matmul(input.first, classes.t()) * scale.scale, input.classes,
                       options.label_smoothing);
}

// Which negatives are right answers to an item: those with the text of its partner, or of a partner in its
// group.
at::Tensor right_negatives(const LossInput& input, const at::Tensor& together) {
  const at::Tensor of_partner = input.second_keys.unsqueeze(1) == input.negative_keys.unsqueeze(0);
  if (!together.defined()) return of_partner;
  return at::matmul(together.to(at::kFloat), of_partner.to(at::kFloat)) > 0;
}

Scores cosines_of(const LossInput& input) {
  Scores cosines;
  if (input.groups.defined()) cosines.together = input.groups.unsqueeze(0) == input.groups.unsqueeze(1);
  if (!has_negatives(input)) {
    cosines.values = at::matmul(input.first, input.second.t());
    return cosines;
  }
  cosines.values = at::matmul(input.first, at::cat({input.second, input.negatives}).t());
  const std::int64_t items = input.first.size(0);
  const auto none = [&](std::int64_t columns) {
    return at::zeros({items, columns}, input.first.options().dtype(at::kBool));
  };
  if (input.second_keys.defined() && input.negative_keys.defined())
    cosines.left_out = at::cat({none(items), right_negatives(input, cosines.together)}, 1);
  if (cosines.together.defined())
    cosines.together = at::cat({cosines.together, none(input.negatives.size(0))}, 1);
  return cosines;
}

at::Tensor contrast(const LossOptions& options, const LossInput& input, const ScoreScale& scale) {
  const bool is_of_classes = options.kind == LossKind::cross_entropy || input.texts_a_class > 0;
  if (has_negatives(input) && (is_of_classes || options.kind == LossKind::sup_con)) {
    throw Error(ErrorCode::invalid_argument,
                "cannot learn from a batch: found " + std::to_string(input.negatives.size(0)) +
                    " negatives, which sup_con and cross_entropy have no place for");
  }
  if (is_of_classes) return of_classes(options, input, scale);
  if (options.kind == LossKind::sup_con) {
    const at::Tensor labels = input.groups.defined()
                                  ? input.groups
                                  : at::arange(input.first.size(0), input.first.options().dtype(at::kLong));
    return sup_con(at::cat({input.first, input.second}), at::cat({labels, labels}), options.temperature);
  }
  const Scores cosines = cosines_of(input);
  const auto scores = [&](const at::Tensor& bias) {
    const at::Tensor scaled = cosines.values * scale.scale;
    return Scores{bias.defined() ? scaled + bias : scaled, cosines.together, cosines.left_out};
  };
  switch (options.kind) {
    case LossKind::info_nce:
      return info_nce(scores({}), options.label_smoothing);
    case LossKind::sigmoid:
      return sigmoid_loss(scores(scale.bias));
    case LossKind::triplet:
      return triplet(cosines, options.margin, Negatives::all);
    case LossKind::triplet_semi_hard:
      return triplet(cosines, options.margin, Negatives::semi_hard);
    case LossKind::hinge_sum:
      return hinge(cosines, options.margin, Negatives::all);
    case LossKind::hinge_max:
      return hinge(cosines, options.margin, Negatives::hardest);
    case LossKind::sup_con:
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
    for (at::Tensor LossInput::*vectors : {&LossInput::first, &LossInput::second, &LossInput::negatives,
                                           &LossInput::teacher_first, &LossInput::teacher_second}) {
      shortened.*vectors = prefix(input.*vectors, dims);
    }
    total = total + of_all_dims(options, shortened, scale);
  }
  return total / static_cast<double>(options.prefix_dims.size());
}

}  // namespace moa::train
