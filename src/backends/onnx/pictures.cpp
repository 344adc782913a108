// Operations on pictures.
#include <utility>

#include <moa/error.hpp>

#include "backends/onnx/interpreter.hpp"
#include "tensor/position_grid.hpp"

namespace moa {

using onnx::Builder;

Tensor OnnxInterpreter::convolution(const Tensor& x, const Convolution& layer,
                                    const ConvolutionOptions& options) {
  const TensorValue& in = see(x);
  const Shape& kernel = layer.weight.shape();
  const PixelPadding& padding = options.padding;
  if (kernel.rank() != 4 || options.groups < 1 || kernel[1] * options.groups != in.channels ||
      options.stride < 1) {
    throw Error(ErrorCode::shape_mismatch,
                "cannot convolve " + std::to_string(in.channels) + " channels by '" + layer.weight.name() +
                    "': found " + to_string(kernel) + " in " + std::to_string(options.groups) + " groups");
  }
  builder_.enter(layer.weight);
  std::vector<std::string> inputs{in.name, builder_.constant(layer.weight)};
  if (layer.bias) inputs.push_back(builder_.constant(layer.bias));
  std::string y = builder_.node(
      "Conv", inputs,
      {{"kernel_shape", std::vector<std::int64_t>{kernel[2], kernel[3]}},
       {"strides", std::vector<std::int64_t>{options.stride, options.stride}},
       {"pads", std::vector<std::int64_t>{padding.top, padding.left, padding.bottom, padding.right}},
       {"group", options.groups}});
  y = activate(y, options.activation);
  if (options.residual != nullptr) y = builder_.node("Add", {y, see(*options.residual).name});
  builder_.leave_layer();
  TensorValue out = in;
  out.channels = kernel[0];
  out.height = (in.height + padding.top + padding.bottom - kernel[2]) / options.stride + 1;
  out.width = (in.width + padding.left + padding.right - kernel[3]) / options.stride + 1;
  return tensor(out, y);
}

Tensor OnnxInterpreter::activation(const Tensor& x, Activation kind) {
  return tensor(see(x), activate(see(x).name, kind));
}

Tensor OnnxInterpreter::scale_channels(const Tensor& x, const Rows& factors) {
  const RowsValue by = own(see(factors), "scale_channels");
  if (by.rows != 1 || by.width != see(x).channels) {
    throw Error(ErrorCode::shape_mismatch, "cannot scale the channels of '" + see(x).name +
                                               "': expected one factor each in one row a picture");
  }
  const std::string each = builder_.node("Unsqueeze", {by.name, builder_.integers({2, 3})});
  return tensor(see(x), builder_.node("Mul", {see(x).name, each}));
}

Tensor OnnxInterpreter::average_pool(const Tensor& x, std::int64_t size_px) {
  const TensorValue& in = see(x);
  if (size_px < 1 || size_px > in.height || size_px > in.width) {
    throw Error(ErrorCode::shape_mismatch,
                "cannot pool squares of " + std::to_string(size_px) + " px: found a picture of " +
                    to_string(Shape{in.height, in.width}) + ", expected at least one square");
  }
  const Builder::Exact exact(builder_);
  const std::vector<std::int64_t> square{size_px, size_px};
  TensorValue out = in;
  out.height = in.height / size_px;
  out.width = in.width / size_px;
  return tensor(out,
                builder_.node("AveragePool", {in.name}, {{"kernel_shape", square}, {"strides", square}}));
}

// A graph's pictures have one size, so a table of another is resized here, and readers need no Resize.
Tensor OnnxInterpreter::add_position_grid(const Tensor& x, const PositionGrid& grid) {
  const TensorValue& in = see(x);
  const Shape& shape = grid.table.shape();
  if (shape.rank() != 2 || shape[1] != in.channels || grid.height < 1 || grid.width < 1) {
    throw Error(ErrorCode::shape_mismatch, "cannot add positions of '" + grid.table.name() + "': found " +
                                               to_string(shape) + " as a grid of " +
                                               to_string(Shape{grid.height, grid.width}));
  }
  builder_.enter(grid.table);
  std::vector<float> cells = grid.table.rows(grid.first, grid.first + grid.height * grid.width).read();
  if (grid.height != in.height || grid.width != in.width) {
    cells = resized_bicubic(cells, {grid.height, grid.width}, {in.height, in.width});
  }
  const Parameter table =
      Parameter::from_values(grid.table.name(), {in.height * in.width, in.channels}, std::move(cells));
  const std::string positions = builder_.constant(table.transposed(), {1, in.channels, in.height, in.width});
  const std::string sum = builder_.node("Add", {in.name, positions});
  builder_.leave_layer();
  return tensor(in, sum);
}

Rows OnnxInterpreter::rows_of(const Tensor& x) {
  const TensorValue& in = see(x);
  RowsValue out;
  out.width = in.channels;
  out.rows = in.height * in.width;
  out.batch_of = in.batch_of;
  if (out.rows == 1) {
    return rows(out, builder_.node("Reshape", {in.name, builder_.integers({0, in.channels})}));
  }
  const std::string flat = builder_.node("Reshape", {in.name, builder_.integers({0, 0, out.rows})});
  return rows(out, builder_.node("Transpose", {flat}, {{"perm", std::vector<std::int64_t>{0, 2, 1}}}));
}

Rows OnnxInterpreter::mean_pixels(const Tensor& x) {
  const TensorValue& in = see(x);
  const Builder::Exact exact(builder_);
  RowsValue out;
  out.width = in.channels;
  out.rows = 1;
  out.batch_of = in.batch_of;
  const std::string mean = builder_.node("GlobalAveragePool", {in.name});
  return rows(out, builder_.node("Flatten", {mean}, {{"axis", std::int64_t{1}}}));
}

}  // namespace moa
