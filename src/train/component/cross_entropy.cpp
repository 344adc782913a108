#include "train/component/losses.hpp"

namespace moa::train {

at::Tensor class_vectors(const at::Tensor& texts, std::int64_t texts_a_class) {
  if (texts_a_class == 1) return texts;
  const at::Tensor mean = texts.reshape({-1, texts_a_class, texts.size(1)}).mean(1);
  return mean / mean.norm(2, -1, true).clamp_min(1e-12);
}

at::Tensor cross_entropy(const at::Tensor& scores, const at::Tensor& classes, double label_smoothing) {
  const at::Tensor log_shares = at::log_softmax(scores, 1);
  at::Tensor hits = log_shares.gather(1, classes.unsqueeze(1)).squeeze(1);
  if (label_smoothing > 0) hits = hits * (1 - label_smoothing) + log_shares.mean(1) * label_smoothing;
  return -hits.mean();
}

}  // namespace moa::train
