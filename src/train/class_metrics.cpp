#include "train/class_metrics.hpp"

#include "train/bootstrap.hpp"

namespace moa::train {

std::size_t rank_of(std::span<const float> scores, std::size_t right) {
  std::size_t rank = 1;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (i != right && !(scores[i] < scores[right])) ++rank;
  }
  return rank;
}

std::vector<Metric> class_metrics(std::span<const RankedPicture> pictures, std::size_t classes,
                                  std::span<const std::size_t> top, const std::string& prefix,
                                  const BootstrapOptions& options) {
  std::vector<std::string> names;
  std::vector<std::size_t> depths;
  for (const std::size_t depth : top) {
    if (depth > classes) continue;
    depths.push_back(depth);
    names.push_back(prefix + "acc" + std::to_string(depth));
  }
  names.push_back(prefix + "mean_per_class_recall");
  std::vector<double> found(classes);
  std::vector<double> drawn(classes);
  const auto statistic = [&](std::span<const std::uint32_t> weights) {
    std::vector<double> values(depths.size() + 1);
    std::ranges::fill(found, 0);
    std::ranges::fill(drawn, 0);
    double all = 0;
    for (std::size_t i = 0; i < pictures.size(); ++i) {
      const double weight = weights[i];
      all += weight;
      drawn[pictures[i].right_class] += weight;
      if (pictures[i].rank == 1) found[pictures[i].right_class] += weight;
      for (std::size_t k = 0; k < depths.size(); ++k) {
        if (pictures[i].rank <= depths[k]) values[k] += weight;
      }
    }
    for (std::size_t k = 0; k < depths.size(); ++k) values[k] /= all;
    double present = 0;
    for (std::size_t c = 0; c < classes; ++c) {
      if (drawn[c] == 0) continue;
      present += 1;
      values.back() += found[c] / drawn[c];
    }
    values.back() /= present;
    return values;
  };
  return with_intervals(names, pictures.size(), statistic, options);
}

}  // namespace moa::train
