#include "train/softmax_regression.hpp"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "base/expect_error.hpp"
#include "train/lbfgs.hpp"
#include "train/random.hpp"

namespace moa::train {
namespace {

TEST(Lbfgs, FindsTheMinimumOfABadlyScaledBowl) {
  std::vector<double> point = {5, -3, 2};
  const std::vector<double> scales = {1, 100, 10000};
  const auto bowl = [&](std::span<const double> at, std::span<double> gradient) {
    double value = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      const double from = at[i] - static_cast<double>(i);
      value += 0.5 * scales[i] * from * from;
      gradient[i] = scales[i] * from;
    }
    return value;
  };
  EXPECT_LT(minimise(point, bowl, {.tolerance = 1e-9}), 60u);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(point[i], static_cast<double>(i), 1e-8);
}

TEST(Lbfgs, EndsWhereNothingIsLowerAndAfterItsIterations) {
  const auto flat = [](std::span<const double>, std::span<double> gradient) {
    gradient[0] = 1;  // a slope that is a lie
    return 0.0;
  };
  std::vector<double> point = {1};
  EXPECT_EQ(minimise(point, flat, {}), 0u);
  EXPECT_EQ(point[0], 1);
  const auto slope = [](std::span<const double> at, std::span<double> gradient) {
    gradient[0] = std::exp(at[0]);
    return std::exp(at[0]);
  };
  EXPECT_LE(minimise(point, slope, {.iterations = 3, .tolerance = 0}), 3u);
}

// Pictures of three classes around three corners.
struct Corners {
  std::vector<float> features;
  std::vector<std::size_t> classes;
  Samples samples() const { return {features, classes, 2, 3}; }
};

Corners corners() {
  Corners set;
  Random random({3});
  for (std::size_t i = 0; i < 150; ++i) {
    const std::size_t k = i % 3;
    set.classes.push_back(k);
    set.features.push_back(static_cast<float>((k == 1 ? 3.0 : 0.0) + random.uniform(-1.5, 1.5)));
    set.features.push_back(static_cast<float>((k == 2 ? 3.0 : 0.0) + random.uniform(-1.5, 1.5)));
  }
  return set;
}

TEST(SoftmaxRegression, SeparatesWhatCanBeSeparated) {
  const Corners set = corners();
  ThreadPool threads(2);
  const LinearClassifier classifier = fit_softmax_regression(set.samples(), {.c = 10}, threads);
  std::size_t right = 0;
  std::vector<float> logits(3);
  for (std::size_t i = 0; i < set.classes.size(); ++i) {
    classifier.apply(std::span(set.features).subspan(2 * i, 2), logits);
    if (std::ranges::max_element(logits) - logits.begin() == static_cast<std::ptrdiff_t>(set.classes[i]))
      ++right;
  }
  EXPECT_GE(right, 145u);
}

TEST(SoftmaxRegression, TheNumberOfThreadsChangesNothing) {
  const Corners set = corners();
  ThreadPool one(1);
  ThreadPool three(3);
  EXPECT_EQ(fit_softmax_regression(set.samples(), {.c = 1}, one).weights,
            fit_softmax_regression(set.samples(), {.c = 1}, three).weights);
}

// scikit-learn 1.9.1: LogisticRegression(C=0.5, tol=1e-10, max_iter=10000) on the four points below.
TEST(SoftmaxRegression, GivesScikitLearnsCoefficients) {
  const std::vector<float> features = {0, 1, 2, 0, 1, 3, 4, 1};
  const std::vector<std::size_t> classes = {0, 1, 2, 1};
  ThreadPool threads(1);
  const LinearClassifier fitted =
      fit_softmax_regression({features, classes, 2, 3}, {.c = 0.5, .tolerance = 1e-7}, threads);
  const std::vector<float> weights = {-0.415995F, -0.142808F, 0.483979F, -0.341279F, -0.067984F, 0.484087F};
  const std::vector<float> bias = {0.636703F, 0.104392F, -0.741095F};
  for (std::size_t i = 0; i < weights.size(); ++i) EXPECT_NEAR(fitted.weights[i], weights[i], 1e-4) << i;
  // A constant that all biases share changes no probability.
  for (std::size_t k = 1; k < bias.size(); ++k) {
    EXPECT_NEAR(fitted.bias[k] - fitted.bias[0], bias[k] - bias[0], 1e-4) << k;
  }
}

TEST(SoftmaxRegression, RefusesWhatIsNoC) {
  const Corners set = corners();
  ThreadPool threads(1);
  MOA_EXPECT_ERROR((fit_softmax_regression(set.samples(), {.c = 0}, threads)), invalid_argument);
  MOA_EXPECT_ERROR((fit_softmax_regression(set.samples(), {.c = std::nan("")}, threads)), invalid_argument);
  MOA_EXPECT_ERROR((fit_softmax_regression({}, {.c = 1}, threads)), invalid_argument);
}

}  // namespace
}  // namespace moa::train
