// Operations on rows, each for itself.
#include <optional>
#include <utility>

#include <moa/error.hpp>

#include "backends/onnx/interpreter.hpp"

namespace moa {

using onnx::Builder;

namespace {

void expect_matrix(const Parameter& weight, std::int64_t width) {
  const Shape& shape = weight.shape();
  if (shape.rank() == 2 && shape[1] == width) return;
  throw Error(ErrorCode::shape_mismatch, "cannot multiply rows of width " + std::to_string(width) + " by '" +
                                             weight.name() + "': found " + to_string(shape) +
                                             ", expected [out, " + std::to_string(width) + "]");
}

void expect_row(const Parameter& row, std::int64_t width) {
  if (row.shape() == Shape{width}) return;
  throw Error(ErrorCode::shape_mismatch, "'" + row.name() + "': found " + to_string(row.shape()) +
                                             ", expected " + to_string(Shape{width}));
}

}  // namespace

// One row an item is a Gemm, which takes the checkpoint's matrix as it is; a box of rows is a MatMul, which
// wants it transposed.
Rows OnnxInterpreter::linear(const Rows& x, const Linear& layer, const LinearOptions& options) {
  const RowsValue& in = see(x);
  expect_matrix(layer.weight, in.width);
  if (layer.bias) expect_row(layer.bias, layer.weight.shape()[0]);
  builder_.enter(layer.weight);
  std::optional<Builder::Exact> exact;
  if (options.precision == ProductPrecision::f32) exact.emplace(builder_);
  std::string y;
  if (in.rows == 1) {
    std::vector<std::string> inputs{in.name, builder_.constant(layer.weight)};
    if (layer.bias) inputs.push_back(builder_.constant(layer.bias));
    y = builder_.node("Gemm", inputs, {{"transB", std::int64_t{1}}});
  } else {
    y = builder_.node("MatMul", {in.name, builder_.constant(layer.weight, Builder::Form::transposed)});
    if (layer.bias) y = builder_.node("Add", {y, builder_.constant(layer.bias)});
  }
  y = activate(y, options.activation);
  RowsValue out = in;
  out.width = layer.weight.shape()[0];
  Rows result = rows(out, y);
  if (options.residual != nullptr) result = add(result, *options.residual);
  builder_.leave_layer();
  return result;
}

Rows OnnxInterpreter::layer_norm(const Rows& x, const LayerNorm& norm) {
  const RowsValue& in = see(x);
  expect_row(norm.weight, in.width);
  expect_row(norm.bias, in.width);
  builder_.enter(norm.weight);
  const Builder::Exact exact(builder_);
  const std::string weight = builder_.constant(norm.weight);
  const std::string bias = builder_.constant(norm.bias);
  std::string y;
  if (builder_.opset() >= 17) {
    y = builder_.node("LayerNormalization", {in.name, weight, bias},
                      {{"axis", std::int64_t{-1}}, {"epsilon", norm.eps}});
  } else {
    const std::string mean = builder_.reduce("ReduceMean", in.name, {-1}, Builder::Axes::kept);
    const std::string centred = builder_.node("Sub", {in.name, mean});
    const std::string squares = builder_.node("Pow", {centred, builder_.constant(2.0)});
    const std::string variance = builder_.reduce("ReduceMean", squares, {-1}, Builder::Axes::kept);
    const std::string guarded = builder_.node("Add", {variance, builder_.constant(norm.eps)});
    y = builder_.node("Div", {centred, builder_.node("Sqrt", {guarded})});
    y = builder_.node("Add", {builder_.node("Mul", {y, weight}), bias});
  }
  builder_.leave_layer();
  return rows(in, y);
}

std::string OnnxInterpreter::activate(const std::string& value, Activation kind) {
  const auto node = [&](const char* operation, std::vector<std::string> inputs) {
    return builder_.node(operation, std::move(inputs));
  };
  const auto number = [&](double constant) { return builder_.constant(constant); };
  switch (kind) {
    case Activation::none:
      return value;
    case Activation::quick_gelu:
      return node("Mul", {value, node("Sigmoid", {node("Mul", {value, number(1.702)})})});
    case Activation::gelu: {
      if (builder_.opset() >= 20) return node("Gelu", {value});
      const std::string erf = node("Erf", {node("Div", {value, number(1.4142135623730951)})});
      return node("Mul", {node("Mul", {value, node("Add", {erf, number(1)})}), number(0.5)});
    }
    case Activation::gelu_tanh: {
      if (builder_.opset() >= 20) {
        return builder_.node("Gelu", {value}, {{"approximate", std::string("tanh")}});
      }
      const std::string cube = node("Mul", {node("Mul", {value, value}), value});
      const std::string sum = node("Add", {value, node("Mul", {cube, number(0.044715)})});
      const std::string tanh = node("Tanh", {node("Mul", {sum, number(0.7978845608028654)})});
      return node("Mul", {node("Mul", {value, node("Add", {tanh, number(1)})}), number(0.5)});
    }
    case Activation::relu:
      return node("Relu", {value});
    case Activation::relu6:
      return node("Clip", {value, number(0), number(6)});
    case Activation::silu:
      return node("Mul", {value, node("Sigmoid", {value})});
    case Activation::tanh:
      return node("Tanh", {value});
    case Activation::sigmoid:
      return node("Sigmoid", {value});
  }
  onnx::refuse("activation", value, "found kind " + std::to_string(static_cast<int>(kind)));
}

Rows OnnxInterpreter::activation(const Rows& x, Activation kind) {
  return rows(see(x), activate(see(x).name, kind));
}

namespace {

// Of two operands, the one whose layout the result has: the one that is not shared.
const onnx::RowsValue& wider(const onnx::RowsValue& a, const onnx::RowsValue& b) {
  if (a.width != b.width || (a.rows != b.rows && !(a.shared && a.rows == 0) && !(b.shared && b.rows == 0))) {
    throw Error(ErrorCode::shape_mismatch, "cannot combine '" + a.name + "' and '" + b.name + "': found " +
                                               std::to_string(a.rows) + " rows of width " +
                                               std::to_string(a.width) + " and " + std::to_string(b.rows) +
                                               " of width " + std::to_string(b.width) + " an item");
  }
  return a.shared && !(b.shared && b.rows == 0) ? b : a;
}

}  // namespace

Rows OnnxInterpreter::add(const Rows& a, const Rows& b) {
  return rows(wider(see(a), see(b)), builder_.node("Add", {see(a).name, see(b).name}));
}

Rows OnnxInterpreter::multiply(const Rows& a, const Rows& b) {
  return rows(wider(see(a), see(b)), builder_.node("Mul", {see(a).name, see(b).name}));
}

Rows OnnxInterpreter::add_row(const Rows& x, const Parameter& row) {
  expect_row(row, see(x).width);
  builder_.enter_around(row);
  return rows(see(x), builder_.node("Add", {see(x).name, builder_.constant(row)}));
}

Rows OnnxInterpreter::multiply_row(const Rows& x, const Parameter& row) {
  expect_row(row, see(x).width);
  builder_.enter_around(row);
  return rows(see(x), builder_.node("Mul", {see(x).name, builder_.constant(row)}));
}

Rows OnnxInterpreter::softmax(const Rows& x, double scale) {
  const Builder::Exact exact(builder_);
  std::string scores = see(x).name;
  if (scale != 1) scores = builder_.node("Mul", {scores, builder_.constant(scale)});
  return rows(see(x), builder_.node("Softmax", {scores}, {{"axis", std::int64_t{-1}}}));
}

Rows OnnxInterpreter::l2_normalize(const Rows& x, double eps) {
  const RowsValue& in = see(x);
  const Builder::Exact exact(builder_);
  std::string norm = builder_.reduce("ReduceL2", in.name, {-1}, Builder::Axes::kept);
  if (eps > 0) norm = builder_.node("Max", {norm, builder_.constant(eps)});
  return rows(in, builder_.node("Div", {in.name, norm}));
}

// Queries, keys and values come out of one product: one Split serves the three.
Rows OnnxInterpreter::columns(const Rows& x, std::int64_t begin, std::int64_t width) {
  const RowsValue& in = see(x);
  if (begin < 0 || width < 1 || begin > in.width - width) {
    throw Error(ErrorCode::out_of_range, "cannot take columns " + std::to_string(begin) + " to " +
                                             std::to_string(begin + width) + " of '" + in.name +
                                             "': it has " + std::to_string(in.width));
  }
  RowsValue out = in;
  out.width = width;
  const std::int64_t axis = in.rows == 1 ? 1 : 2;
  if (in.width % width != 0 || begin % width != 0) {
    return rows(out, builder_.node("Slice", {in.name, builder_.integers({begin}),
                                             builder_.integers({begin + width}), builder_.integers({axis})}));
  }
  const std::vector<std::string> parts = builder_.split(in.name, axis, in.width / width, width);
  return rows(out, parts.at(static_cast<std::size_t>(begin / width)));
}

}  // namespace moa
