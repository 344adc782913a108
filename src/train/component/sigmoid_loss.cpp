#include "train/component/losses.hpp"

namespace moa::train {

// -log sigmoid(s) = -log sigmoid(-s) - s: all pairs as negatives, then what the positives have too much is
// taken off.
at::Tensor sigmoid_loss(const Scores& scores) {
  const at::Tensor& values = scores.values;
  const at::Tensor as_negative = scores.filled(-at::log_sigmoid(-values), 0);
  const at::Tensor positives = scores.together.defined()
                                   ? (values * scores.together.to(values.scalar_type())).sum()
                                   : values.diagonal().sum();
  return (as_negative.sum() - positives) / static_cast<double>(values.size(0));
}

}  // namespace moa::train
