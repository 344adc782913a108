// Losses against closed forms, and against open_clip's (tests/parity/training.py).
#include "train/component/losses.hpp"

#include <cmath>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/expect_error.hpp"
#include "checkpoint/safetensors.hpp"
#include "tensor/weights.hpp"

namespace moa::train {
namespace {

const at::TensorOptions kF64(at::kDouble);

// The scores that all closed forms of several pairs are given for.
at::Tensor three() {
  return at::tensor({1.0, 2.0, 3.0, 0.0, 1.0, 0.0, 2.0, -1.0, 4.0}, kF64).reshape({3, 3});
}

double number(const at::Tensor& x) {
  return x.item<double>();
}

// The gradient of `loss` with respect to `x`, and what finite differences say of it.
template <typename Loss>
double gradient_error(const at::Tensor& x, Loss loss) {
  const at::Tensor at = x.detach().clone().requires_grad_(true);
  loss(at).backward();
  const at::Tensor found = at.grad();
  double worst = 0;
  constexpr double kStep = 1e-6;
  for (std::int64_t i = 0; i < x.numel(); ++i) {
    const auto moved = [&](double by) {
      const at::Tensor copy = x.detach().clone();
      copy.view({-1})[i] += by;
      return number(loss(copy));
    };
    const double expected = (moved(kStep) - moved(-kStep)) / (2 * kStep);
    worst = std::max(worst, std::abs(expected - found.view({-1})[i].item<double>()));
  }
  return worst;
}

TEST(InfoNce, HasItsClosedForms) {
  EXPECT_NEAR(number(info_nce({three()}, 0)), 1.0291794557640075, 1e-12);
  EXPECT_NEAR(number(info_nce({at::full({8, 8}, 3.0, kF64)}, 0)), std::log(8.0), 1e-12);
  EXPECT_NEAR(number(info_nce({at::eye(8, kF64)}, 0)), 1.27401, 1e-5);
  EXPECT_NEAR(number(info_nce({at::eye(512, kF64)}, 0)), 5.24168, 1e-5);
  EXPECT_NEAR(number(info_nce({at::eye(8, kF64) / 0.07}, 0)), 4.37412e-6, 1e-10);
  EXPECT_EQ(number(info_nce({at::full({1, 1}, 3.0, kF64)}, 0)), 0);
}

TEST(InfoNce, GivesTheMembersOfAGroupEqualParts) {
  const at::Tensor together = at::tensor({1, 1, 0, 1, 1, 0, 0, 0, 1}).reshape({3, 3}).to(at::kBool);
  const at::Tensor scores = at::zeros({3, 3}, kF64);
  EXPECT_NEAR(number(info_nce({scores, together}, 0)), std::log(3.0), 1e-12);
  const at::Tensor ideal = together.to(at::kDouble) * 100;
  EXPECT_NEAR(number(info_nce({ideal, together}, 0)), 2 * std::log(2.0) / 3, 1e-12);
  EXPECT_NEAR(number(info_nce({three(), at::eye(3, at::kBool)}, 0)), number(info_nce({three()}, 0)), 1e-12);
}

TEST(InfoNce, SmoothsLabelsDownToTheirEntropy) {
  EXPECT_NEAR(number(info_nce({at::full({8, 8}, 3.0, kF64)}, 0.1)), std::log(8.0), 1e-12);
  // The scores at which softmax is the smoothed target itself.
  const double other = 0.1 / 8;
  const at::Tensor targets = at::eye(8, kF64) * 0.9 + other;
  EXPECT_NEAR(number(info_nce({targets.log()}, 0.1)), 0.466982, 1e-6);
}

TEST(SigmoidLoss, HasItsClosedForms) {
  EXPECT_NEAR(number(sigmoid_loss({three()})), 3.2155575750840186, 1e-12);
  EXPECT_NEAR(number(sigmoid_loss({at::full({8, 8}, -10.0, kF64)})), 10.000363, 1e-6);
  EXPECT_NEAR(number(sigmoid_loss({at::eye(8, kF64) * 10 - 10})), 0.6934650, 1e-6);
  EXPECT_NEAR(number(sigmoid_loss({at::zeros({8, 8}, kF64)})), 8 * std::log(2.0), 1e-12);
}

TEST(Triplet, IsTheMarginWhenAllVectorsAreOne) {
  const at::Tensor equal = at::ones({4, 4}, kF64);
  EXPECT_NEAR(number(triplet({equal}, 0.2, Negatives::all)), 0.2, 1e-12);
  EXPECT_NEAR(number(triplet({equal}, 0.2, Negatives::semi_hard)), 0.2, 1e-12);
}

TEST(Triplet, IsNothingWhenPairsAreFurtherApartThanTheMargin) {
  const at::Tensor apart = at::eye(4, kF64);
  EXPECT_EQ(number(triplet({apart}, 0.2, Negatives::all)), 0);
  EXPECT_EQ(number(triplet({apart}, 0.2, Negatives::semi_hard)), 0);
}

// Squared distances of the rows: own 0.4, others 0.2, 0.5, 1.0.
TEST(Triplet, TakesTheNearestNegativeBehindThePositive) {
  const at::Tensor distances = at::full({4, 4}, 3.0, kF64);
  for (int i = 0; i < 4; ++i) distances[i][i] = 0.4;
  distances[0][1] = 0.2;
  distances[0][2] = 0.5;
  distances[0][3] = 1.0;
  const at::Tensor cosines = 1 - distances / 2;
  // As an anchor, row 0 pays 0.4 - 0.5 + 0.2; so does column 2; of column 1, what is further is 3.
  EXPECT_NEAR(number(triplet({cosines}, 0.2, Negatives::semi_hard)), (0.1 + 0.1) / 8, 1e-12);
}

TEST(Triplet, LeavesThoseOfAGroupAlone) {
  const at::Tensor all = at::ones({3, 3}, at::kBool);
  EXPECT_EQ(number(triplet({three(), all}, 0.2, Negatives::all)), 0);
  EXPECT_EQ(number(triplet({three(), all}, 0.2, Negatives::semi_hard)), 0);
}

TEST(Hinge, HasItsClosedForms) {
  EXPECT_NEAR(number(hinge({three()}, 0.2, Negatives::all)), 5.8, 1e-12);
  EXPECT_NEAR(number(hinge({three()}, 0.2, Negatives::hardest)), 4.6, 1e-12);
  const at::Tensor equal = at::ones({5, 5}, kF64);
  EXPECT_NEAR(number(hinge({equal}, 0.2, Negatives::all)), 2 * 5 * 4 * 0.2, 1e-12);
  EXPECT_NEAR(number(hinge({equal}, 0.2, Negatives::hardest)), 2 * 5 * 0.2, 1e-12);
}

TEST(Hinge, LeavesThoseOfAGroupAlone) {
  EXPECT_EQ(number(hinge({three(), at::ones({3, 3}, at::kBool)}, 0.2, Negatives::hardest)), 0);
}

TEST(SupCon, HasItsClosedForms) {
  const at::Tensor equal = at::ones({8, 1}, kF64);
  EXPECT_NEAR(number(sup_con(equal, at::zeros({8}, at::kLong), 0.07)), std::log(7.0), 1e-12);
  const at::Tensor vectors = at::tensor({1.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 1.0}, kF64).reshape({4, 2});
  const at::Tensor labels = at::tensor({0, 0, 1, 1}).to(at::kLong);
  EXPECT_NEAR(number(sup_con(vectors, labels, 0.5)), 0.2395447662, 1e-9);
  EXPECT_EQ(number(sup_con(vectors, at::arange(4), 0.5)), 0);
}

TEST(CrossEntropy, HasItsClosedForms) {
  const at::Tensor classes = at::tensor({0, 2, 2}, at::kLong);
  EXPECT_NEAR(number(cross_entropy(at::full({3, 5}, 7.0, kF64), classes, 0)), std::log(5.0), 1e-12);
  // log(e + e² + e³) - 1, log(2 + e) - 0 and log(e² + 1/e + e⁴) - 4.
  const double e = std::exp(1.0);
  const double expected =
      (std::log(e + e * e + e * e * e) - 1 + std::log(2 + e) + std::log(e * e + 1 / e + e * e * e * e) - 4) /
      3;
  EXPECT_NEAR(number(cross_entropy(three(), classes, 0)), expected, 1e-12);
  // The scores at which softmax is the smoothed target itself: its entropy.
  const at::Tensor targets = at::eye(8, kF64) * 0.9 + 0.1 / 8;
  EXPECT_NEAR(number(cross_entropy(targets.log(), at::arange(8), 0.1)), 0.466982, 1e-6);
}

TEST(CrossEntropy, AClassIsTheMeanOfItsTexts) {
  const at::Tensor texts = at::tensor({1.0, 0.0, 0.0, 1.0, 0.6, 0.8, 0.6, 0.8}, kF64).reshape({4, 2});
  const at::Tensor classes = class_vectors(texts, 2);
  const at::Tensor expected = at::tensor({std::sqrt(0.5), std::sqrt(0.5), 0.6, 0.8}, kF64).reshape({2, 2});
  EXPECT_LT(number((classes - expected).abs().max()), 1e-12);
}

TEST(CrossEntropy, RefusesClassesThatAreNotThere) {
  const LossOptions options{.kind = LossKind::cross_entropy};
  const ScoreScale scale{at::ones({}, kF64), {}};
  LossInput input;
  input.first = at::eye(2, kF64);
  input.second = at::eye(4, kF64).narrow(1, 0, 2);
  MOA_EXPECT_ERROR(total_loss(options, input, scale), invalid_argument);  // pairs
  input.texts_a_class = 2;
  input.classes = at::tensor({0, 1}, at::kLong);
  total_loss(options, input, scale);
  MOA_EXPECT_ERROR(total_loss({}, input, scale), invalid_argument);  // info_nce of classes
  input.classes = at::tensor({0, 2}, at::kLong);
  MOA_EXPECT_ERROR(total_loss(options, input, scale), shape_mismatch);
  input.classes = at::tensor({0, -1}, at::kLong);
  MOA_EXPECT_ERROR(total_loss(options, input, scale), shape_mismatch);
  input.texts_a_class = 3;
  MOA_EXPECT_ERROR(total_loss(options, input, scale), shape_mismatch);
}

TEST(Distillation, IsNothingWhenTheStudentIsTheTeacher) {
  const at::Tensor vectors = at::eye(4, kF64);
  EXPECT_EQ(number(cosine_distillation(vectors, vectors)), 0);
  EXPECT_EQ(number(squared_distillation(vectors, vectors)), 0);
  EXPECT_NEAR(number(distribution_distillation(three(), three())), 0, 1e-12);
  EXPECT_EQ(number(squared_distillation(vectors, -vectors)), 4);
  EXPECT_EQ(number(cosine_distillation(vectors, -vectors)), 2);
}

TEST(Losses, HaveTheGradientsOfFiniteDifferences) {
  // Apart from each other, so that no step passes an edge.
  const at::Tensor x = three() * 0.3 + at::arange(9, kF64).reshape({3, 3}) * 0.0137;
  EXPECT_LT(gradient_error(x, [](const at::Tensor& s) { return info_nce({s}, 0.1); }), 1e-8);
  EXPECT_LT(gradient_error(x, [](const at::Tensor& s) { return sigmoid_loss({s}); }), 1e-8);
  EXPECT_LT(gradient_error(x, [](const at::Tensor& s) { return triplet({s}, 2, Negatives::all); }), 1e-8);
  EXPECT_LT(gradient_error(x, [](const at::Tensor& s) { return triplet({s}, 2, Negatives::semi_hard); }),
            1e-8);
  EXPECT_LT(gradient_error(x, [](const at::Tensor& s) { return hinge({s}, 2, Negatives::hardest); }), 1e-8);
  const at::Tensor labels = at::tensor({0, 0, 1}).to(at::kLong);
  EXPECT_LT(gradient_error(x, [&](const at::Tensor& v) { return sup_con(v, labels, 0.5); }), 1e-8);
  const at::Tensor teacher = three().t() * 0.5;
  EXPECT_LT(gradient_error(x, [&](const at::Tensor& s) { return distribution_distillation(s, teacher); }),
            1e-8);
}

class TotalLoss : public testing::Test {
 protected:
  at::Tensor tensor(const char* name) {
    const Shape shape = expected_.shape_of(name);
    const std::vector<float> values = expected_.take(name, shape).read();
    return at::tensor(values).reshape({shape[0], shape.rank() > 1 ? shape[1] : 1});
  }
  double value(const LossOptions& options) { return number(total_loss(options, input_, scale_)); }

  Weights expected_ = [] {
    Weights weights;
    const SafetensorsFile file = SafetensorsFile::open(MOA_TEST_DATA "/golden/losses/expected.safetensors");
    for (const StoredTensor& stored : file.tensors()) weights.add(file.parameter(stored, stored.name));
    return weights;
  }();
  LossInput input_{tensor("images"), tensor("texts"), {}, {}, {}};
  ScoreScale scale_{at::tensor(14.2857F), at::tensor(-3.5F)};
};

TEST_F(TotalLoss, EqualsOpenClips) {
  LossOptions options;
  EXPECT_NEAR(value(options), number(tensor("info_nce")), 1e-6);
  options.kind = LossKind::sigmoid;
  EXPECT_NEAR(value(options), number(tensor("sigmoid")), 1e-6 * number(tensor("sigmoid")));
}

TEST_F(TotalLoss, OfAPrefixIsThatOfTheShortenedVectors) {
  LossOptions options;
  options.prefix_dims = {5};
  EXPECT_NEAR(value(options), number(tensor("info_nce")), 1e-6);
  options.prefix_dims = {3};
  const double short_one = value(options);
  options.prefix_dims = {3, 5};
  EXPECT_NEAR(value(options), (short_one + number(tensor("info_nce"))) / 2, 1e-6);
  options.prefix_dims = {6};
  MOA_EXPECT_ERROR(value(options), invalid_argument);
}

TEST_F(TotalLoss, NeedsATeacherToDistil) {
  LossOptions options;
  options.weight = 0;
  options.distillation.cosine = 1;
  MOA_EXPECT_ERROR(value(options), invalid_argument);
  input_.teacher_first = input_.first;
  EXPECT_NEAR(value(options), 0, 1e-6);
  options.distillation.distribution = 1;
  MOA_EXPECT_ERROR(value(options), invalid_argument);
  input_.teacher_second = input_.second.narrow(1, 0, 2);
  MOA_EXPECT_ERROR(value({.weight = 0, .distillation = {.cosine = 1}}), invalid_argument);
}

}  // namespace
}  // namespace moa::train
