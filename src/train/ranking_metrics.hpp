// What one query's ranking is worth.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace moa::train {

struct RankingMetrics {
  std::vector<bool> recall;       // one a depth: whether something right is that far up
  std::vector<double> precision;  // one a depth: the share of what is that far up that is right
  double average_precision = 0;
};

// `scores` of everything that was looked through; `right`: places in it, at least one, none twice. A wrong
// one that ties with a right one counts as better than it, and so does what is not a number.
RankingMetrics ranking_metrics(std::span<const float> scores, std::span<const std::size_t> right,
                               std::span<const std::size_t> depths);

}  // namespace moa::train
