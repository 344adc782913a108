#include "train/ranking_metrics.hpp"

#include <algorithm>
#include <functional>

namespace moa::train {

RankingMetrics ranking_metrics(std::span<const float> scores, std::span<const std::size_t> right,
                               std::span<const std::size_t> depths) {
  std::vector<float> right_scores;
  for (const std::size_t place : right) right_scores.push_back(scores[place]);
  std::ranges::sort(right_scores, std::greater());
  // ahead[i]: how many of all are at least as good as the i-th best right one, which are its wrong ones and
  // the right ones that tie with it.
  std::vector<std::size_t> first_beaten(right.size() + 1, 0);
  for (const float score : scores) {
    // The first right one that is not above `score`: from there on, this is ahead of them.
    const auto place = std::ranges::partition_point(right_scores, [&](float of) { return of > score; });
    ++first_beaten[static_cast<std::size_t>(place - right_scores.begin())];
  }
  // Right ones counted themselves above, each before its own place or that of its ties: taken out again.
  for (const float score : right_scores) {
    const auto place = std::ranges::partition_point(right_scores, [&](float of) { return of > score; });
    --first_beaten[static_cast<std::size_t>(place - right_scores.begin())];
  }
  RankingMetrics metrics;
  metrics.recall.resize(depths.size(), false);
  metrics.precision.resize(depths.size(), 0);
  std::size_t wrong_ahead = 0;
  for (std::size_t i = 0; i < right_scores.size(); ++i) {
    wrong_ahead += first_beaten[i];
    const std::size_t rank = i + 1 + wrong_ahead;
    metrics.average_precision += static_cast<double>(i + 1) / static_cast<double>(rank);
    for (std::size_t k = 0; k < depths.size(); ++k) {
      if (rank > depths[k]) continue;
      metrics.recall[k] = true;
      metrics.precision[k] += 1.0 / static_cast<double>(depths[k]);
    }
  }
  metrics.average_precision /= static_cast<double>(right_scores.size());
  return metrics;
}

}  // namespace moa::train
