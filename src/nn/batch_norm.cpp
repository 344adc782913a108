#include "nn/batch_norm.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <moa/error.hpp>

namespace moa {
namespace {

std::vector<float> values(const Parameter& parameter, std::int64_t first, std::int64_t count) {
  std::vector<float> read(static_cast<std::size_t>(count));
  parameter.read_rows(first, count, read.data());
  return read;
}

// What the norm multiplies channels [first, first + count) by.
std::vector<float> factors(const BatchNorm& norm, std::int64_t first, std::int64_t count) {
  std::vector<float> result = values(norm.weight, first, count);
  const std::vector<float> variance = values(norm.variance, first, count);
  for (std::size_t i = 0; i < result.size(); ++i) {
    if (!std::isfinite(variance[i])) {
      throw Error(ErrorCode::corrupt_data, "cannot fold '" + norm.variance.name() + "': found " +
                                               std::to_string(variance[i]) + ", expected a variance");
    }
    result[i] = static_cast<float>(result[i] / std::sqrt(variance[i] + norm.eps));
  }
  return result;
}

// The convolution's weights, each output channel's row times the norm's factor.
class FoldedWeight final : public ParameterSource {
 public:
  FoldedWeight(Parameter weight, BatchNorm norm) : weight_(std::move(weight)), norm_(std::move(norm)) {}
  void read(std::int64_t first, std::int64_t count, float* out) const override {
    const std::int64_t width = weight_.shape().elements_per_row();
    const std::int64_t row = first / width;  // callers ask for whole rows
    const std::vector<float> by = factors(norm_, row, count / width);
    weight_.read_rows(row, count / width, out);
    for (std::size_t i = 0; i < by.size(); ++i) {
      float* values = out + static_cast<std::ptrdiff_t>(i) * width;
      std::transform(values, values + width, values, [&](float value) { return value * by[i]; });
    }
  }
  void drop_pages() const override { weight_.drop_pages(); }

 private:
  Parameter weight_;
  BatchNorm norm_;
};

// The norm's bias and what its mean, and the convolution's own bias, come to behind the factors.
class FoldedBias final : public ParameterSource {
 public:
  FoldedBias(Parameter bias, BatchNorm norm) : bias_(std::move(bias)), norm_(std::move(norm)) {}
  void read(std::int64_t first, std::int64_t count, float* out) const override {
    const std::vector<float> by = factors(norm_, first, count);
    const std::vector<float> mean = values(norm_.mean, first, count);
    const std::vector<float> own = bias_ ? values(bias_, first, count) : std::vector<float>(by.size(), 0.0F);
    norm_.bias.read_rows(first, count, out);
    for (std::size_t i = 0; i < by.size(); ++i) out[i] += (own[i] - mean[i]) * by[i];
  }

 private:
  Parameter bias_;
  BatchNorm norm_;
};

}  // namespace

BatchNorm take_batch_norm(const WeightScope& scope, std::int64_t channels, double eps) {
  return {scope.take("weight", {channels}), scope.take("bias", {channels}),
          scope.take("running_mean", {channels}), scope.take("running_var", {channels}), eps};
}

Convolution folded(const Convolution& convolution, const BatchNorm& norm) {
  using Kind = ParameterView::Kind;
  const Parameter& weight = convolution.weight;
  const Parameter& bias = convolution.bias;
  return {Parameter::computed(weight.name(), weight.shape(), std::make_shared<FoldedWeight>(weight, norm),
                              {weight, Kind::normed_weight, 0, norm}),
          Parameter::computed(norm.bias.name(), norm.bias.shape(), std::make_shared<FoldedBias>(bias, norm),
                              {bias, Kind::normed_bias, 0, norm})};
}

}  // namespace moa
