// Softmax regression on fixed features: a linear probe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/thread_pool.hpp"

namespace moa::train {

struct Samples {
  std::span<const float> features;       // [samples, width]
  std::span<const std::size_t> classes;  // one a sample
  std::size_t width = 0;
  std::size_t class_count = 0;
};

struct SoftmaxRegressionOptions {
  // As scikit-learn's C: the loss is C times the sum of the samples' cross-entropies plus half the squared
  // norm of the weights; the bias is not penalised.
  double c = 1;
  std::size_t iterations = 1000;
  // Ends when no entry of the gradient of the mean loss is larger.
  double tolerance = 1e-5;
};

// logit[k] = weights[k] · x + bias[k].
struct LinearClassifier {
  std::size_t width = 0;
  std::vector<float> weights;  // [classes, width]
  std::vector<float> bias;

  // logits [classes].
  void apply(std::span<const float> features, std::span<float> logits) const;
};

// The minimum, found by L-BFGS from `start` (or from zero where that is empty). The same bits whatever the
// number of threads. Errors: invalid_argument for a C that is not above 0, or without samples.
LinearClassifier fit_softmax_regression(const Samples& samples, const SoftmaxRegressionOptions& options,
                                        ThreadPool& threads, const LinearClassifier& start = {});

}  // namespace moa::train
