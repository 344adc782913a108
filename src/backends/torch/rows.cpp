// Operations that treat every row alike.
#include <string>

#include <moa/error.hpp>

#include "backends/torch/bf16.hpp"
#include "backends/torch/interpreter.hpp"

namespace moa {
namespace torch {

at::Tensor activated(const at::Tensor& x, Activation kind) {
  switch (kind) {
    case Activation::none:
      return x;
    case Activation::quick_gelu:
      return x * at::sigmoid(x * 1.702);
    case Activation::gelu:
      return at::gelu(x);
    case Activation::gelu_tanh:
      return at::gelu(x, "tanh");
    case Activation::relu:
      return at::relu(x);
    case Activation::relu6:
      return at::clamp(x, 0, 6);
    case Activation::silu:
      return at::silu(x);
    case Activation::tanh:
      return at::tanh(x);
    case Activation::sigmoid:
      return at::sigmoid(x);
  }
  throw Error(ErrorCode::internal, "an activation that the torch interpreter does not know");
}

void expect_row(const Parameter& row, std::int64_t width) {
  if (row.shape() == Shape{width}) return;
  throw Error(ErrorCode::shape_mismatch, "'" + row.name() + "': found " + to_string(row.shape()) +
                                             ", expected " + to_string(Shape{width}));
}

namespace {

void expect_same_rows(const RowsValue& a, const RowsValue& b) {
  if (a.width() == b.width() && a.sequences == b.sequences) return;
  throw Error(ErrorCode::shape_mismatch, "cannot combine rows: found " +
                                             to_string(Shape{a.sequences.rows(), a.width()}) + " and " +
                                             to_string(Shape{b.sequences.rows(), b.width()}) +
                                             ", expected as many for each item, as wide");
}

}  // namespace
}  // namespace torch

at::Tensor TorchInterpreter::product(const at::Tensor& x, const Linear& layer, ProductPrecision asked) {
  const at::Tensor weight = weights_.of(layer.weight);
  const at::Tensor bias = weights_.of(layer.bias);
  at::Tensor y;
  if (precision_ == Precision::bf16 && asked != ProductPrecision::f32) {
    y = at::linear(torch::bf16_factor(x), torch::bf16_factor(weight)).to(at::kFloat);
    if (bias.defined()) y = y + bias;
  } else {
    y = at::linear(x, weight, bias);
  }
  const at::Tensor added = weights_.additions(x, layer.weight);
  return added.defined() ? y + added : y;
}

Rows TorchInterpreter::linear(const Rows& x, const Linear& layer, const LinearOptions& options) {
  const RowsValue& in = see(x);
  const Shape& shape = layer.weight.shape();
  if (shape.rank() != 2 || shape[1] != in.width()) {
    throw Error(ErrorCode::shape_mismatch, "cannot apply '" + layer.weight.name() + "' " + to_string(shape) +
                                               ": found rows of width " + std::to_string(in.width()) +
                                               ", expected [out, " + std::to_string(in.width()) + "]");
  }
  if (layer.bias) torch::expect_row(layer.bias, shape[0]);
  const at::Tensor y = torch::activated(product(in.box, layer, options.precision), options.activation);
  const Rows result = rows(y, in.sequences);
  return options.residual == nullptr ? result : add(result, *options.residual);
}

Rows TorchInterpreter::layer_norm(const Rows& x, const LayerNorm& norm) {
  const RowsValue& in = see(x);
  torch::expect_row(norm.weight, in.width());
  torch::expect_row(norm.bias, in.width());
  return rows(
      at::layer_norm(in.box, {in.width()}, weights_.of(norm.weight), weights_.of(norm.bias), norm.eps),
      in.sequences);
}

Rows TorchInterpreter::activation(const Rows& x, Activation kind) {
  return rows(torch::activated(see(x).box, kind), see(x).sequences);
}

Rows TorchInterpreter::add(const Rows& a, const Rows& b) {
  torch::expect_same_rows(see(a), see(b));
  return rows(see(a).box + see(b).box, see(a).sequences);
}

Rows TorchInterpreter::add_row(const Rows& x, const Parameter& row) {
  torch::expect_row(row, see(x).width());
  return rows(see(x).box + weights_.of(row), see(x).sequences);
}

Rows TorchInterpreter::multiply(const Rows& a, const Rows& b) {
  torch::expect_same_rows(see(a), see(b));
  return rows(see(a).box * see(b).box, see(a).sequences);
}

Rows TorchInterpreter::multiply_row(const Rows& x, const Parameter& row) {
  torch::expect_row(row, see(x).width());
  return rows(see(x).box * weights_.of(row), see(x).sequences);
}

Rows TorchInterpreter::softmax(const Rows& x, double scale) {
  return rows(at::softmax(see(x).box * scale, -1), see(x).sequences);
}

Rows TorchInterpreter::l2_normalize(const Rows& x, double eps) {
  const at::Tensor& box = see(x).box;
  at::Tensor length = box.norm(2, -1, true);
  if (eps > 0) length = length.clamp_min(eps);
  return rows(box / length, see(x).sequences);
}

Rows TorchInterpreter::columns(const Rows& x, std::int64_t begin, std::int64_t width) {
  const RowsValue& in = see(x);
  if (begin < 0 || width < 1 || begin > in.width() - width) {
    throw Error(ErrorCode::out_of_range, "cannot take columns " + std::to_string(begin) + " to " +
                                             std::to_string(begin + width) + ": found rows of width " +
                                             std::to_string(in.width()));
  }
  return rows(in.box.narrow(2, begin, width), in.sequences);
}

}  // namespace moa
