#include <limits>

#include "train/component/losses.hpp"

namespace moa::train {
namespace {

// Cross-entropy of each row with its targets, the mean.
at::Tensor along_rows(const Scores& scores, double label_smoothing) {
  constexpr double kNever = -std::numeric_limits<double>::infinity();
  const at::Tensor log_shares = scores.filled(at::log_softmax(scores.filled(scores.values, kNever), 1), 0);
  at::Tensor hits;
  if (scores.together.defined()) {
    const at::Tensor targets = scores.together.to(scores.values.scalar_type());
    hits = (log_shares * targets).sum(1) / targets.sum(1);
  } else {
    hits = log_shares.diagonal();
  }
  if (label_smoothing > 0) {
    const at::Tensor answers = scores.filled(at::ones_like(log_shares), 0).sum(1);
    hits = hits * (1 - label_smoothing) + log_shares.sum(1) / answers * label_smoothing;
  }
  return -hits.mean();
}

}  // namespace

at::Tensor info_nce(const Scores& scores, double label_smoothing) {
  return (along_rows(scores, label_smoothing) + along_rows(scores.turned(), label_smoothing)) / 2;
}

}  // namespace moa::train
