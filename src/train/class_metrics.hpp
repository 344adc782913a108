// What the places of the right classes come to.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include <moa/eval.hpp>

namespace moa::train {

// The place of the score at `right`, counted from 1: what ties with it counts as better, and so does what is
// not a number.
std::size_t rank_of(std::span<const float> scores, std::size_t right);

struct RankedPicture {
  std::size_t right_class = 0;
  std::size_t rank = 0;  // of it
};

// "accN" for each N of `top` up to `classes`, then "mean_per_class_recall" over the classes that have
// pictures, with `prefix` before each name.
std::vector<Metric> class_metrics(std::span<const RankedPicture> pictures, std::size_t classes,
                                  std::span<const std::size_t> top, const std::string& prefix,
                                  const BootstrapOptions& options);

}  // namespace moa::train
