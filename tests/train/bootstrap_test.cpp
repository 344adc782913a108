#include "train/bootstrap.hpp"

#include <array>
#include <cmath>
#include <numeric>

#include <gtest/gtest.h>

#include "base/expect_error.hpp"

namespace moa::train {
namespace {

const std::vector<std::string> kNames = {"mean"};

// The share of the first `right` units.
Statistic share_of(std::size_t right) {
  return [right](std::span<const std::uint32_t> weights) {
    const double all = std::accumulate(weights.begin(), weights.end(), 0.0);
    return std::vector{
        std::accumulate(weights.begin(), weights.begin() + static_cast<std::ptrdiff_t>(right), 0.0) / all};
  };
}

TEST(Bootstrap, AnIntervalIsThatOfTheBinomialDistribution) {
  const std::vector<Metric> metrics = with_intervals(kNames, 400, share_of(100), {.resamples = 4000});
  EXPECT_DOUBLE_EQ(metrics.front().value, 0.25);
  const double reach = 1.96 * std::sqrt(0.25 * 0.75 / 400);
  EXPECT_NEAR(metrics.front().low, 0.25 - reach, 0.005);
  EXPECT_NEAR(metrics.front().high, 0.25 + reach, 0.005);
}

TEST(Bootstrap, TheSeedDecidesTheInterval) {
  const auto low = [](std::uint64_t seed) {
    return with_intervals(kNames, 50, share_of(20), {.resamples = 101, .seed = seed}).front().low;
  };
  EXPECT_EQ(low(3), low(3));
  EXPECT_NE(low(3), low(4));
}

TEST(Bootstrap, WithoutResamplesTheIntervalIsTheValue) {
  const Metric metric = with_intervals(kNames, 50, share_of(20), {.resamples = 0}).front();
  EXPECT_EQ(metric.low, metric.value);
  EXPECT_EQ(metric.high, metric.value);
}

TEST(Bootstrap, RefusesWhatIsNoConfidence) {
  for (const double confidence : {0.0, 1.0, -1.0, std::nan("")}) {
    MOA_EXPECT_ERROR((with_intervals(kNames, 5, share_of(2), {.confidence = confidence})), invalid_argument);
  }
  MOA_EXPECT_ERROR((with_intervals(kNames, 5, share_of(2), {.resamples = 1'000'000})), invalid_argument);
}

}  // namespace
}  // namespace moa::train
