#include "backends/torch/weights.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "tensor/factored.hpp"

namespace moa::torch {
namespace {

std::vector<std::int64_t> extents(const Shape& shape) {
  std::vector<std::int64_t> result;
  for (std::size_t axis = 0; axis < shape.rank(); ++axis) result.push_back(shape[axis]);
  return result;
}

// A matrix out of its factors (tensor/factored.hpp).
at::Tensor multiplied_out(const std::vector<at::Tensor>& factors) {
  if (factors.size() == kLowRankSuffixes.size()) return at::matmul(factors[0], factors[1]);
  const at::Tensor& one = factors[0];
  const at::Tensor& two = factors[1];
  const at::Tensor& three = factors[2];
  const at::Tensor both =
      at::matmul(one.reshape({-1, one.size(3)}), two.flatten(1)).reshape({-1, three.size(0)});
  return at::matmul(both, three.flatten(1))
      .reshape({one.size(1), one.size(2), two.size(1), two.size(2), three.size(1), three.size(2)})
      .permute({0, 2, 4, 1, 3, 5})
      .reshape({one.size(1) * two.size(1) * three.size(1), -1});
}

}  // namespace

at::Tensor TorchWeights::leaf(const Parameter& parameter) {
  Leaf& leaf = leaves_[parameter.identity()];
  if (!leaf.tensor.defined()) {
    leaf.parameter = parameter;
    const at::Tensor values = at::empty(extents(parameter.shape()), at::kFloat);
    const std::vector<float> read = parameter.read();
    std::copy(read.begin(), read.end(), values.data_ptr<float>());
    parameter.drop_pages();
    leaf.tensor = values.to(device_);
  }
  return leaf.tensor;
}

at::Tensor TorchWeights::learn(const Parameter& parameter) {
  return leaf(parameter).requires_grad_(true);
}

at::Tensor TorchWeights::factors(const BatchNorm& norm) {
  return of(norm.weight) / at::sqrt(of(norm.variance) + norm.eps);
}

at::Tensor TorchWeights::of(const Parameter& parameter) {
  if (!parameter) return {};
  if (const ParameterView* view = parameter.view(); view != nullptr) {
    const at::Tensor whole = of(view->of);
    switch (view->kind) {
      case ParameterView::Kind::rows:
        return whole.narrow(0, view->begin, parameter.shape()[0]);
      case ParameterView::Kind::reshaped:
        return whole.reshape(extents(parameter.shape()));
      case ParameterView::Kind::transposed:
        return whole.t();
      case ParameterView::Kind::normed_weight:
        return whole * factors(*view->norm).reshape({-1, 1, 1, 1});
      case ParameterView::Kind::normed_bias: {
        const at::Tensor mean = of(view->norm->mean);
        const at::Tensor moved = whole.defined() ? whole - mean : -mean;
        return of(view->norm->bias) + moved * factors(*view->norm);
      }
    }
  }
  if (!parameter.has_parts()) return leaf(parameter);
  std::vector<at::Tensor> tensors;
  for (const Parameter& part : parameter.parts()) tensors.push_back(of(part));
  return factors_of(parameter).empty() ? at::cat(tensors) : multiplied_out(tensors);
}

void TorchWeights::add_to(const Parameter& weight, std::shared_ptr<const LinearAddition> addition) {
  additions_[weight.identity()] = std::move(addition);
}

at::Tensor TorchWeights::additions(const at::Tensor& x, const Parameter& weight) const {
  if (additions_.empty()) return {};
  std::vector<at::Tensor> columns;
  bool any = false;
  for (const Parameter& part : whole_parts(weight)) {
    const auto found = additions_.find(part.identity());
    if (found != additions_.end()) {
      any = true;
      columns.push_back(found->second->forward(x));
    } else {
      std::vector<std::int64_t> sizes = x.sizes().vec();
      sizes.back() = part.shape()[0];
      columns.push_back(at::zeros(sizes, x.options()));
    }
  }
  if (!any) return {};
  return columns.size() == 1 ? columns.front() : at::cat(columns, -1);
}

}  // namespace moa::torch
