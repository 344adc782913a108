#include "train/component/losses.hpp"

namespace moa::train {

// -log sigmoid(s) = -log sigmoid(-s) - s: all pairs as negatives, then what the positives have too much is
// taken off.
at::Tensor sigmoid_loss(const at::Tensor& scores, const at::Tensor& together) {
  const at::Tensor as_negative = -at::log_sigmoid(-scores);
  const at::Tensor positives =
      together.defined() ? (scores * together.to(scores.scalar_type())).sum() : scores.diagonal().sum();
  return (as_negative.sum() - positives) / static_cast<double>(scores.size(0));
}

}  // namespace moa::train
