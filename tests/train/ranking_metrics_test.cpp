#include "train/ranking_metrics.hpp"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "train/random.hpp"

namespace moa::train {
namespace {

using Places = std::vector<std::size_t>;
const Places kDepths = {1, 2, 5};

TEST(RankingMetrics, TheBestPlaceIsPerfect) {
  const RankingMetrics metrics = ranking_metrics(std::vector{0.9F, 0.1F, 0.2F}, Places{0}, kDepths);
  EXPECT_EQ(metrics.recall, (std::vector{true, true, true}));
  EXPECT_DOUBLE_EQ(metrics.precision[0], 1);
  EXPECT_DOUBLE_EQ(metrics.precision[2], 0.2);
  EXPECT_DOUBLE_EQ(metrics.average_precision, 1);
}

TEST(RankingMetrics, SeveralRightOnesShareTheRanking) {
  // Right ones at places 1, 3 and 4 of the ranking.
  const std::vector<float> scores = {0.9F, 0.8F, 0.7F, 0.6F, 0.5F};
  const RankingMetrics metrics = ranking_metrics(scores, Places{3, 0, 2}, kDepths);
  EXPECT_DOUBLE_EQ(metrics.average_precision, (1.0 / 1 + 2.0 / 3 + 3.0 / 4) / 3);
  EXPECT_DOUBLE_EQ(metrics.precision[1], 0.5);
  EXPECT_DOUBLE_EQ(metrics.precision[2], 3.0 / 5);
}

TEST(RankingMetrics, AWrongOneThatTiesIsAhead) {
  const RankingMetrics metrics = ranking_metrics(std::vector(4, 0.5F), Places{0, 2}, kDepths);
  EXPECT_EQ(metrics.recall, (std::vector{false, false, true}));
  EXPECT_DOUBLE_EQ(metrics.average_precision, (1.0 / 3 + 2.0 / 4) / 2);
}

TEST(RankingMetrics, WhatIsNoNumberIsAheadOfEverything) {
  const RankingMetrics metrics = ranking_metrics(std::vector{0.9F, std::nanf("")}, Places{0}, kDepths);
  EXPECT_FALSE(metrics.recall[0]);
  EXPECT_TRUE(metrics.recall[1]);
}

// By walking the ranking with wrong ones first among equals.
double average_precision_by_walking(const std::vector<float>& scores, const Places& right) {
  std::vector<std::pair<float, int>> order;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    order.emplace_back(-scores[i], std::find(right.begin(), right.end(), i) == right.end() ? 0 : 1);
  }
  std::sort(order.begin(), order.end());
  double sum = 0;
  double found = 0;
  for (std::size_t rank = 0; rank < order.size(); ++rank) {
    if (order[rank].second == 1) sum += ++found / static_cast<double>(rank + 1);
  }
  return sum / found;
}

TEST(RankingMetrics, IsWhatWalkingTheRankingGives) {
  Random random({5});
  for (int round = 0; round < 200; ++round) {
    std::vector<float> scores(1 + random.below(30));
    for (float& score : scores) score = static_cast<float>(random.below(6));
    Places right;
    for (std::size_t i = 0; i < scores.size(); ++i) {
      if (random.below(3) == 0) right.push_back(i);
    }
    if (right.empty()) right.push_back(0);
    EXPECT_NEAR(ranking_metrics(scores, right, kDepths).average_precision,
                average_precision_by_walking(scores, right), 1e-12);
  }
}

}  // namespace
}  // namespace moa::train
