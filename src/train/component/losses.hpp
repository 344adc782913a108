// The losses of loss.hpp as functions of tensors. `scores` and `cosines` have a row for each item of the
// first side, a column for each of the second, then one for each negative.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>

#include "train/component/scores.hpp"
#include "train/loss.hpp"

namespace moa::train {

at::Tensor info_nce(const Scores& scores, double label_smoothing);
at::Tensor sigmoid_loss(const Scores& scores);

enum class Negatives { all, hardest, semi_hard };
// Over all negatives, or the semi-hard one of each positive pair.
at::Tensor triplet(const Scores& cosines, double margin, Negatives negatives);
// Over all negatives, or the hardest of each row and column.
at::Tensor hinge(const Scores& cosines, double margin, Negatives negatives);

// `vectors` [n, dim], `labels` [n]: those of one label are each other's positives. A vector without any
// counts 0.
at::Tensor sup_con(const at::Tensor& vectors, const at::Tensor& labels, double temperature);

// `texts` [classes * texts_a_class, dim]: the mean of each class's, on the unit sphere.
at::Tensor class_vectors(const at::Tensor& texts, std::int64_t texts_a_class);
// `scores` [items, classes], `classes` [items].
at::Tensor cross_entropy(const at::Tensor& scores, const at::Tensor& classes, double label_smoothing);

// Of one side: vectors of student and teacher [items, dim].
at::Tensor cosine_distillation(const at::Tensor& student, const at::Tensor& teacher);
at::Tensor squared_distillation(const at::Tensor& student, const at::Tensor& teacher);
// KL(teacher || student) of the softmax of rows and of columns, half of each.
at::Tensor distribution_distillation(const at::Tensor& student_scores, const at::Tensor& teacher_scores);

// ---- all of it

// What is multiplied with cosines, and added.
struct ScoreScale {
  at::Tensor scale;
  at::Tensor bias;  // undefined: none
};

// Vectors on the unit sphere, [items, dim]. Of pictures with a class each, `second` has the texts of all
// classes (TrainingBatch).
struct LossInput {
  at::Tensor first;
  at::Tensor second;
  at::Tensor groups;          // [items]; undefined without
  at::Tensor teacher_first;   // undefined without
  at::Tensor teacher_second;  // undefined without
  at::Tensor classes{};       // [items]; undefined without
  std::int64_t texts_a_class = 0;
  at::Tensor negatives{};      // [negatives, dim]; undefined, or of no rows, without
  at::Tensor second_keys{};    // [items]; undefined without
  at::Tensor negative_keys{};  // [negatives]; undefined without
};

// The loss that `options` describes. Errors: invalid_argument if it needs a teacher, classes or dims that are
// not there, or has no place for negatives that are; shape_mismatch for texts that are not as many a class,
// or a class without texts.
at::Tensor total_loss(const LossOptions& options, const LossInput& input, const ScoreScale& scale);

}  // namespace moa::train
