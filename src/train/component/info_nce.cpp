#include "train/component/losses.hpp"

namespace moa::train {
namespace {

// Cross-entropy of each row with its targets, the mean.
at::Tensor along_rows(const at::Tensor& scores, const at::Tensor& together, double label_smoothing) {
  const at::Tensor log_shares = at::log_softmax(scores, 1);
  at::Tensor hits;
  if (together.defined()) {
    const at::Tensor targets = together.to(scores.scalar_type());
    hits = (log_shares * targets).sum(1) / targets.sum(1);
  } else {
    hits = log_shares.diagonal();
  }
  if (label_smoothing > 0) hits = hits * (1 - label_smoothing) + log_shares.mean(1) * label_smoothing;
  return -hits.mean();
}

}  // namespace

at::Tensor info_nce(const at::Tensor& scores, const at::Tensor& together, double label_smoothing) {
  return (along_rows(scores, together, label_smoothing) + along_rows(scores.t(), together, label_smoothing)) /
         2;
}

}  // namespace moa::train
