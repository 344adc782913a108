#include "train/component/losses.hpp"

namespace moa::train {

at::Tensor hinge(const Scores& cosines, double margin, Negatives negatives) {
  const auto one_way = [&](const Scores& anchors) {
    const at::Tensor partner = anchors.values.diagonal().unsqueeze(1);
    const at::Tensor costs =
        at::relu(margin + anchors.values - partner).masked_fill(at::logical_not(anchors.wrong()), 0);
    return negatives == Negatives::all ? costs.sum() : std::get<0>(costs.max(1)).sum();
  };
  return one_way(cosines) + one_way(cosines.turned());
}

}  // namespace moa::train
