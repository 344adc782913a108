#include "train/softmax_regression.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include <moa/error.hpp>

#include "base/number_text.hpp"
#include "embed/dot.hpp"
#include "train/lbfgs.hpp"

namespace moa::train {
namespace {

constexpr std::size_t kSamplesAtOnce = 64;

// The mean loss and its gradient, both over C times the number of samples, so that the tolerance means the
// same for every C. A point is the weights, row by row, and then the bias.
class Loss {
 public:
  Loss(const Samples& samples, double c, ThreadPool& threads)
      : samples_(samples),
        count_(samples.classes.size()),
        penalty_(1 / (c * static_cast<double>(count_))),
        threads_(threads),
        errors_(count_ * samples.class_count),
        losses_(count_),
        at_{samples.width, std::vector<float>(samples.class_count * samples.width),
            std::vector<float>(samples.class_count)} {}

  double operator()(std::span<const double> point, std::span<double> gradient) {
    set(at_, point);
    threads_.parallel_for((count_ + kSamplesAtOnce - 1) / kSamplesAtOnce, [&](std::size_t block) {
      const std::size_t end = std::min((block + 1) * kSamplesAtOnce, count_);
      for (std::size_t i = block * kSamplesAtOnce; i < end; ++i) losses_[i] = forward(i);
    });
    threads_.parallel_for(samples_.class_count, [&](std::size_t k) { backward(k, point, gradient); });
    double loss = 0;
    for (const double of_one : losses_) loss += of_one;
    double squares = 0;
    for (const double weight : point.first(at_.weights.size())) squares += weight * weight;
    return loss / static_cast<double>(count_) + 0.5 * penalty_ * squares;
  }

  static void set(LinearClassifier& classifier, std::span<const double> point) {
    const std::size_t weights = classifier.weights.size();
    std::ranges::transform(point.first(weights), classifier.weights.begin(),
                           [](double value) { return static_cast<float>(value); });
    std::ranges::transform(point.subspan(weights), classifier.bias.begin(),
                           [](double value) { return static_cast<float>(value); });
  }

  const LinearClassifier& at() const { return at_; }

 private:
  std::span<const float> features(std::size_t sample) const {
    return samples_.features.subspan(sample * samples_.width, samples_.width);
  }

  // The sample's cross-entropy; leaves probability minus truth in errors_.
  double forward(std::size_t sample) {
    const std::span<float> row =
        std::span(errors_).subspan(sample * samples_.class_count, samples_.class_count);
    at_.apply(features(sample), row);
    const double most = *std::ranges::max_element(row);
    double sum = 0;
    for (const float logit : row) sum += std::exp(logit - most);
    const double log_sum = most + std::log(sum);
    const std::size_t right = samples_.classes[sample];
    const double loss = log_sum - row[right];
    for (float& logit : row) logit = static_cast<float>(std::exp(logit - log_sum));
    row[right] -= 1;
    return loss;
  }

  void backward(std::size_t k, std::span<const double> point, std::span<double> gradient) {
    const std::size_t width = samples_.width;
    std::vector<double> sum(width, 0.0);
    double bias = 0;
    const double mean = 1 / static_cast<double>(count_);
    for (std::size_t sample = 0; sample < count_; ++sample) {
      const double error = errors_[sample * samples_.class_count + k];
      const std::span<const float> x = features(sample);
      for (std::size_t i = 0; i < width; ++i) sum[i] += error * x[i];
      bias += error;
    }
    for (std::size_t i = 0; i < width; ++i) {
      gradient[k * width + i] = sum[i] * mean + penalty_ * point[k * width + i];
    }
    gradient[samples_.class_count * width + k] = bias * mean;
  }

  const Samples& samples_;
  std::size_t count_;
  double penalty_;
  ThreadPool& threads_;
  std::vector<float> errors_;  // [samples, classes]
  std::vector<double> losses_;
  LinearClassifier at_;
};

}  // namespace

void LinearClassifier::apply(std::span<const float> features, std::span<float> logits) const {
  for (std::size_t k = 0; k < bias.size(); ++k) {
    logits[k] = dot(features, std::span(weights).subspan(k * width, width)) + bias[k];
  }
}

LinearClassifier fit_softmax_regression(const Samples& samples, const SoftmaxRegressionOptions& options,
                                        ThreadPool& threads, const LinearClassifier& start) {
  if (!(options.c > 0) || std::isinf(options.c)) {
    throw Error(ErrorCode::invalid_argument,
                "the probe's C: found " + shortest_digits(options.c) + ", expected above 0");
  }
  if (samples.classes.empty() || samples.class_count == 0)
    throw Error(ErrorCode::invalid_argument, "cannot fit a linear probe: found nothing to learn from");
  std::vector<double> point(start.weights.begin(), start.weights.end());
  point.insert(point.end(), start.bias.begin(), start.bias.end());
  point.resize(samples.class_count * (samples.width + 1), 0.0);
  Loss loss(samples, options.c, threads);
  minimise(point, [&](std::span<const double> at, std::span<double> gradient) { return loss(at, gradient); },
           {.iterations = options.iterations, .tolerance = options.tolerance});
  LinearClassifier result = loss.at();
  Loss::set(result, point);
  return result;
}

}  // namespace moa::train
