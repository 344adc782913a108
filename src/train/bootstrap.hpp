// Confidence intervals by resampling.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include <moa/eval.hpp>

namespace moa::train {

// All metrics at once, with each unit counted weights[unit] times.
using Statistic = std::function<std::vector<double>(std::span<const std::uint32_t> weights)>;

// The metrics called `names`, in the order in which `statistic` gives them, with the percentile bootstrap's
// intervals over `units` (Efron 1979): what belongs together is one unit, as the captions of a picture.
// Errors: invalid_argument for a confidence outside (0, 1) or more than 100,000 resamples.
std::vector<Metric> with_intervals(std::span<const std::string> names, std::size_t units,
                                   const Statistic& statistic, const BootstrapOptions& options);

}  // namespace moa::train
