#include <limits>

#include "train/component/losses.hpp"

namespace moa::train {
namespace {

constexpr double kNone = std::numeric_limits<double>::infinity();

struct Sum {
  at::Tensor value;
  at::Tensor count;
};

// Rows as anchors, over every negative.
Sum over_all(const at::Tensor& distances, const at::Tensor& negative, double margin) {
  const at::Tensor positive = distances.diagonal().unsqueeze(1);
  const at::Tensor hinges = at::relu(positive - distances + margin).masked_fill(at::logical_not(negative), 0);
  return {hinges.sum(), negative.sum()};
}

// Rows as anchors: the nearest negative that is further than the positive; where there is none, the furthest
// of all.
Sum over_semi_hard(const at::Tensor& distances, const at::Tensor& negative, double margin) {
  const at::Tensor positive = distances.diagonal();
  const at::Tensor further = at::logical_and(negative, distances > positive.unsqueeze(1));
  const at::Tensor nearest = distances.masked_fill(at::logical_not(further), kNone).amin(1);
  const at::Tensor furthest = distances.masked_fill(at::logical_not(negative), -kNone).amax(1);
  const at::Tensor chosen = at::where(further.any(1), nearest, furthest);
  const at::Tensor has_any = negative.any(1);
  const at::Tensor hinges = at::relu(positive - chosen.masked_fill(at::logical_not(has_any), 0) + margin);
  return {hinges.masked_fill(at::logical_not(has_any), 0).sum(), has_any.sum()};
}

}  // namespace

at::Tensor triplet(const Scores& cosines, double margin, Negatives negatives) {
  const auto one_way = [&](const Scores& anchors) {
    const at::Tensor distances = 2 - 2 * anchors.values;  // squared, of unit vectors
    return negatives == Negatives::semi_hard ? over_semi_hard(distances, anchors.wrong(), margin)
                                             : over_all(distances, anchors.wrong(), margin);
  };
  const Sum rows = one_way(cosines);
  const Sum columns = one_way(cosines.turned());
  return (rows.value + columns.value) / (rows.count + columns.count).clamp_min(1);
}

}  // namespace moa::train
