// Hard negatives: losses against their definitions (loss.hpp), written out in loops, and against torch's
// (tests/parity/training.py).
#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/expect_error.hpp"
#include "checkpoint/safetensors.hpp"
#include "train/torch/whole_model.hpp"

namespace moa::train {
namespace {

using Matrix = std::vector<std::vector<double>>;

constexpr double kScale = 5;
constexpr double kBias = -2;

// Four items, of which the first and the third are of one group, and five negatives: two that are partners'
// texts, one of them in the group, and three that are nobody's.
struct Example {
  static constexpr std::size_t kItems = 4;
  static constexpr std::size_t kNegatives = 5;

  Example() {
    const at::TensorOptions f64(at::kDouble);
    const auto unit = [&](std::int64_t rows, double phase) {
      const at::Tensor x = (at::arange(rows * 3, f64) * 1.7 + phase).sin().reshape({rows, 3});
      return x / x.norm(2, -1, true);
    };
    input.first = unit(kItems, 0.1);
    input.second = unit(kItems, 0.9);
    input.negatives = unit(kNegatives, 2.3);
    input.negatives[1].copy_(input.second[2]);
    input.negatives[3].copy_(input.second[1]);
    input.groups = at::tensor({0, 1, 0, 2}, at::kLong);
    input.second_keys = at::tensor({10, 11, 12, 13}, at::kLong);
    input.negative_keys = at::tensor({50, 12, 51, 11, 52}, at::kLong);
  }

  LossInput input;
  ScoreScale scale{at::tensor(kScale, at::kDouble), at::tensor(kBias, at::kDouble)};
};

enum class Answer { right, wrong, left_out };

// What column `column` is to item `row` of the example, said by hand.
Answer answer(std::size_t row, std::size_t column) {
  using enum Answer;
  constexpr std::array<std::array<Answer, 9>, 4> kAll = {{
      {right, wrong, right, wrong, wrong, left_out, wrong, wrong, wrong},
      {wrong, right, wrong, wrong, wrong, wrong, wrong, left_out, wrong},
      {right, wrong, right, wrong, wrong, left_out, wrong, wrong, wrong},
      {wrong, wrong, wrong, right, wrong, wrong, wrong, wrong, wrong},
  }};
  return kAll[row][column];
}

// A row that asks: the cosine of each answer, the place of its partner, and what the answers are.
struct Row {
  std::vector<double> cosines;
  std::size_t partner = 0;
  std::vector<Answer> answers;
};

// Of the first side over all columns, then of the second over the items.
std::vector<Row> rows_of(const LossInput& input) {
  const at::Tensor cosines = at::matmul(input.first, at::cat({input.second, input.negatives}).t());
  std::vector<Row> rows;
  for (std::size_t i = 0; i < 2 * Example::kItems; ++i) {
    const bool is_first = i < Example::kItems;
    const std::size_t own = i % Example::kItems;
    Row row{{}, own, {}};
    for (std::size_t j = 0; j < Example::kItems + (is_first ? Example::kNegatives : 0); ++j) {
      const auto [from, to] = is_first ? std::pair(own, j) : std::pair(j, own);
      row.cosines.push_back(
          cosines[static_cast<std::int64_t>(from)][static_cast<std::int64_t>(to)].item<double>());
      row.answers.push_back(answer(from, to));
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

double sum_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum;
}

double cross_entropy_of(const Row& row, double smoothing) {
  double all = 0;
  double rights = 0;
  double answers = 0;
  for (std::size_t j = 0; j < row.cosines.size(); ++j) {
    if (row.answers[j] == Answer::left_out) continue;
    all += std::exp(kScale * row.cosines[j]);
    rights += row.answers[j] == Answer::right ? 1 : 0;
    ++answers;
  }
  double entropy = 0;
  for (std::size_t j = 0; j < row.cosines.size(); ++j) {
    if (row.answers[j] == Answer::left_out) continue;
    const double target =
        (row.answers[j] == Answer::right ? (1 - smoothing) / rights : 0) + smoothing / answers;
    entropy -= target * (kScale * row.cosines[j] - std::log(all));
  }
  return entropy;
}

double info_nce_of(const std::vector<Row>& rows, double smoothing) {
  double sum = 0;
  for (const Row& row : rows) sum += cross_entropy_of(row, smoothing);
  return sum / static_cast<double>(rows.size());
}

double sigmoid_of(const std::vector<Row>& rows) {
  double sum = 0;
  for (std::size_t i = 0; i < Example::kItems; ++i) {
    for (std::size_t j = 0; j < rows[i].cosines.size(); ++j) {
      const double sign = rows[i].answers[j] == Answer::right ? 1 : -1;
      if (rows[i].answers[j] != Answer::left_out)
        sum += std::log1p(std::exp(-sign * (kScale * rows[i].cosines[j] + kBias)));
    }
  }
  return sum / Example::kItems;
}

// max(0, ...) of each wrong answer.
std::vector<double> hinges_of(const Row& row, const std::function<double(double own, double other)>& cost) {
  std::vector<double> hinges;
  for (std::size_t j = 0; j < row.cosines.size(); ++j) {
    if (row.answers[j] == Answer::wrong)
      hinges.push_back(std::max(0.0, cost(row.cosines[row.partner], row.cosines[j])));
  }
  return hinges;
}

double distance(double cosine) {
  return 2 - 2 * cosine;
}

double triplet_of(const std::vector<Row>& rows, double margin) {
  double sum = 0;
  double count = 0;
  for (const Row& row : rows) {
    const auto hinges =
        hinges_of(row, [&](double own, double other) { return distance(own) - distance(other) + margin; });
    sum += sum_of(hinges);
    count += static_cast<double>(hinges.size());
  }
  return sum / count;
}

double semi_hard_of(const std::vector<Row>& rows, double margin) {
  double sum = 0;
  for (const Row& row : rows) {
    const double own = distance(row.cosines[row.partner]);
    double nearest = std::numeric_limits<double>::infinity();
    double furthest = 0;
    for (std::size_t j = 0; j < row.cosines.size(); ++j) {
      if (row.answers[j] != Answer::wrong) continue;
      const double other = distance(row.cosines[j]);
      furthest = std::max(furthest, other);
      if (other > own) nearest = std::min(nearest, other);
    }
    sum += std::max(0.0, own - (std::isinf(nearest) ? furthest : nearest) + margin);
  }
  return sum / static_cast<double>(rows.size());
}

double hinge_of(const std::vector<Row>& rows, double margin, bool hardest) {
  double sum = 0;
  for (const Row& row : rows) {
    const auto hinges = hinges_of(row, [&](double own, double other) { return margin + other - own; });
    sum += hardest ? std::ranges::max(hinges) : sum_of(hinges);
  }
  return sum;
}

double value_of(const Example& example, const LossOptions& options) {
  return total_loss(options, example.input, example.scale).item<double>();
}

TEST(Negatives, AreWrongAnswersByTheDefinitionOfEachLoss) {
  const Example example;
  const std::vector<Row> rows = rows_of(example.input);
  const auto value = [&](LossKind kind, double smoothing = 0) {
    return value_of(example, {.kind = kind, .margin = 0.3, .label_smoothing = smoothing});
  };
  EXPECT_NEAR(value(LossKind::info_nce), info_nce_of(rows, 0), 1e-12);
  EXPECT_NEAR(value(LossKind::info_nce, 0.2), info_nce_of(rows, 0.2), 1e-12);
  EXPECT_NEAR(value(LossKind::sigmoid), sigmoid_of(rows), 1e-12);
  EXPECT_NEAR(value(LossKind::triplet), triplet_of(rows, 0.3), 1e-12);
  EXPECT_NEAR(value(LossKind::triplet_semi_hard), semi_hard_of(rows, 0.3), 1e-12);
  EXPECT_NEAR(value(LossKind::hinge_sum), hinge_of(rows, 0.3, false), 1e-12);
  EXPECT_NEAR(value(LossKind::hinge_max), hinge_of(rows, 0.3, true), 1e-12);
}

constexpr std::array kKinds = {LossKind::info_nce,          LossKind::sigmoid,   LossKind::triplet,
                               LossKind::triplet_semi_hard, LossKind::hinge_sum, LossKind::hinge_max};

// As if they were not there: in the loss, and in what is learned.
TEST(Negatives, ThatAreRightAnswersChangeNothing) {
  Example example;
  example.input.groups = at::Tensor();
  example.input.second_keys = at::full({Example::kItems}, 7, at::kLong);
  example.input.negative_keys = at::full({Example::kNegatives}, 7, at::kLong);
  LossInput without = example.input;
  without.negatives = at::Tensor();
  for (const LossKind kind : kKinds) {
    const LossOptions options{.kind = kind, .margin = 0.3, .label_smoothing = 0.1};
    const auto gradient = [&](LossInput input) {
      input.first = input.first.detach().clone().requires_grad_(true);
      total_loss(options, input, example.scale).backward();
      return input.first.grad();
    };
    EXPECT_NEAR(value_of(example, options), total_loss(options, without, example.scale).item<double>(),
                1e-12);
    EXPECT_LT((gradient(example.input) - gradient(without)).abs().max().item<double>(), 1e-12);
  }
}

TEST(Negatives, WithoutKeysAreWrongEverywhere) {
  Example example;
  const LossOptions options;
  const double some_left_out = value_of(example, options);
  example.input.negative_keys =
      at::arange(100, 100 + static_cast<std::int64_t>(Example::kNegatives), at::kLong);
  const double all_wrong = value_of(example, options);
  EXPECT_GT(all_wrong, some_left_out + 1e-3);
  example.input.negative_keys = at::Tensor();
  EXPECT_NEAR(value_of(example, options), all_wrong, 1e-12);
}

TEST(Negatives, AreShortenedAsAllVectors) {
  const Example example;
  Example shortened = example;
  for (at::Tensor LossInput::*vectors : {&LossInput::first, &LossInput::second, &LossInput::negatives}) {
    const at::Tensor prefix = (example.input.*vectors).narrow(1, 0, 2);
    shortened.input.*vectors = prefix / prefix.norm(2, -1, true);
  }
  EXPECT_NEAR(value_of(example, {.prefix_dims = {2}}), value_of(shortened, {}), 1e-12);
  EXPECT_GT(std::abs(value_of(shortened, {}) - value_of(example, {})), 1e-3);
}

TEST(Negatives, AreNothingToATeacher) {
  Example example;
  example.input.teacher_first = example.input.second;
  example.input.teacher_second = example.input.first;
  const LossOptions options{.weight = 0, .distillation = {.cosine = 1, .squared = 1, .distribution = 1}};
  const double with = value_of(example, options);
  example.input.negatives = at::Tensor();
  EXPECT_EQ(value_of(example, options), with);
}

TEST(Negatives, HaveNoPlaceInTwoLosses) {
  Example example;
  MOA_EXPECT_ERROR(value_of(example, {.kind = LossKind::sup_con}), invalid_argument);
  example.input.texts_a_class = 1;
  example.input.classes = at::zeros({Example::kItems}, at::kLong);
  MOA_EXPECT_ERROR(value_of(example, {.kind = LossKind::cross_entropy}), invalid_argument);
  example.input.negatives = example.input.negatives.narrow(0, 0, 0);
  value_of(example, {.kind = LossKind::cross_entropy});
}

TEST(Negatives, GiveTorchsCrossEntropies) {
  Weights expected;
  const SafetensorsFile file = SafetensorsFile::open(MOA_TEST_DATA "/golden/losses/expected.safetensors");
  for (const StoredTensor& stored : file.tensors()) expected.add(file.parameter(stored, stored.name));
  const auto tensor = [&](const char* name) {
    const Shape shape = expected.shape_of(name);
    return at::tensor(expected.take(name, shape).read()).reshape({shape[0], shape.rank() > 1 ? shape[1] : 1});
  };
  LossInput input;
  input.first = tensor("images");
  input.second = tensor("texts");
  input.negatives = tensor("negatives");
  const ScoreScale scale{at::tensor(14.2857F), {}};
  for (const double smoothing : {0.0, 0.1}) {
    const double found = total_loss({.label_smoothing = smoothing}, input, scale).item<double>();
    EXPECT_NEAR(found,
                tensor(smoothing > 0 ? "info_nce_negatives_smoothed" : "info_nce_negatives").item<float>(),
                1e-6);
  }
}

struct Case {
  const char* folder;
  LossKind kind;
};

class NegativesOfABatch : public testing::TestWithParam<Case> {
 protected:
  std::vector<std::pair<std::string, std::vector<double>>> gradients(std::int64_t chunk, double& loss) const {
    const WholeModel model(learner_, {.kind = GetParam().kind, .margin = 0.5});
    loss = LossOfBatch{model.towers, model.scale, model.options}.backward(batch_, chunk);
    return model.gradients();
  }
  Learner learner_{GetParam().folder};
  TrainingBatch batch_ = learner_.batch_with_negatives();
};

// More negatives than items, and chunks of both.
TEST_P(NegativesOfABatch, AreLearnedFromInChunksOfAnySize) {
  double whole_loss = 0;
  const auto whole = gradients(0, whole_loss);
  double largest = 0;
  for (const auto& [name, values] : whole) {
    for (const double value : values) largest = std::max(largest, std::abs(value));
  }
  for (const std::int64_t chunk : {1, 2, 3}) {
    double loss = 0;
    const auto chunked = gradients(chunk, loss);
    EXPECT_NEAR(loss, whole_loss, 1e-6 * std::abs(whole_loss));
    ASSERT_EQ(chunked.size(), whole.size());
    for (std::size_t i = 0; i < whole.size(); ++i) {
      for (std::size_t j = 0; j < whole[i].second.size(); ++j)
        ASSERT_NEAR(chunked[i].second[j], whole[i].second[j], 5e-6 * largest) << whole[i].first;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Losses, NegativesOfABatch,
                         testing::Values(Case{"clip/odd_sizes", LossKind::info_nce},
                                         Case{"siglip/odd_sizes", LossKind::sigmoid},
                                         Case{"clip/odd_sizes", LossKind::hinge_max}),
                         [](const auto& the_case) { return std::to_string(the_case.index); });

// The loss falls, and the items move away from the negatives.
TEST(NegativesOfAnEngine, ArePushedAway) {
  const Learner learner("clip/odd_sizes");
  const TrainingBatch batch = learner.batch_with_negatives();
  EngineOptions options;
  options.loss.learns_logit_scale = false;
  const auto engine = learner.engine(options);
  const auto nearness = [&] {
    const std::vector<float> items = engine->embed(batch.first);
    const std::vector<float> negatives = engine->embed(batch.negatives);
    const auto dim = static_cast<std::size_t>(learner.model->dim());
    double sum = 0;
    for (std::size_t i = 0; i < items.size(); ++i) {
      for (std::size_t j = i % dim; j < negatives.size(); j += dim) sum += items[i] * negatives[j];
    }
    return sum;
  };
  const double before = nearness();
  const double loss = engine->loss(batch);
  EXPECT_GT(loss, engine->loss(learner.batch()) + 0.1);
  for (int step = 0; step < 5; ++step) engine->step(batch, 1e-3);
  EXPECT_LT(engine->loss(batch), loss);
  EXPECT_LT(nearness(), before - 0.1);
}

TEST(NegativesOfAnEngine, MustFitTheirKeys) {
  const Learner learner("clip/odd_sizes");
  const auto engine = learner.engine({});
  TrainingBatch batch = learner.batch_with_negatives();
  batch.second_keys = {1, 2, 3};
  batch.negative_keys = {1, 2, 3};
  MOA_EXPECT_ERROR(engine->loss(batch), shape_mismatch);
  batch.negative_keys = {1, 2, 3, 4};
  engine->loss(batch);
  batch.second_keys = {1, 2};
  MOA_EXPECT_ERROR(engine->loss(batch), shape_mismatch);
}

}  // namespace
}  // namespace moa::train
