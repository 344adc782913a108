#include "train/bootstrap.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include <moa/error.hpp>

#include "base/number_text.hpp"
#include "train/random.hpp"

namespace moa::train {
namespace {

constexpr std::size_t kMostResamples = 100'000;

// Linear between the two nearest, as numpy's default. `sorted` is not empty.
double quantile(std::span<const double> sorted, double share) {
  const double at = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (at - std::floor(at)) * (sorted[above] - sorted[below]);
}

}  // namespace

std::vector<Metric> with_intervals(std::span<const std::string> names, std::size_t units,
                                   const Statistic& statistic, const BootstrapOptions& options) {
  if (!(options.confidence > 0 && options.confidence < 1)) {
    throw Error(ErrorCode::invalid_argument,
                "confidence: found " + shortest_digits(options.confidence) + ", expected between 0 and 1");
  }
  if (options.resamples > kMostResamples) {
    throw Error(ErrorCode::invalid_argument,
                "resamples: found " + std::to_string(options.resamples) + ", expected at most 100000");
  }
  std::vector<std::uint32_t> weights(units, 1);
  const std::vector<double> values = statistic(weights);
  std::vector<Metric> metrics;
  for (std::size_t i = 0; i < names.size(); ++i)
    metrics.push_back({names[i], values[i], values[i], values[i]});
  if (options.resamples == 0 || units == 0) return metrics;

  std::vector<std::vector<double>> resampled(names.size());
  for (std::size_t resample = 0; resample < options.resamples; ++resample) {
    Random random({options.seed, resample});
    std::ranges::fill(weights, 0);
    for (std::size_t draw = 0; draw < units; ++draw) ++weights[random.below(units)];
    const std::vector<double> of_these = statistic(weights);
    for (std::size_t i = 0; i < names.size(); ++i) resampled[i].push_back(of_these[i]);
  }
  const double tail = (1 - options.confidence) / 2;
  for (std::size_t i = 0; i < names.size(); ++i) {
    std::ranges::sort(resampled[i]);
    metrics[i].low = quantile(resampled[i], tail);
    metrics[i].high = quantile(resampled[i], 1 - tail);
  }
  return metrics;
}

}  // namespace moa::train
