// Operations on pictures.
#include <array>
#include <string>

#include <moa/error.hpp>

#include "backends/torch/bf16.hpp"
#include "backends/torch/interpreter.hpp"
#include "tensor/checks.hpp"
#include "tensor/position_grid.hpp"

namespace moa {

Tensor TorchInterpreter::convolution(const Tensor& x, const Convolution& layer,
                                     const ConvolutionOptions& options) {
  const TensorValue& in = see(x);
  const Shape& kernel = layer.weight.shape();
  const PixelPadding& padding = options.padding;
  if (kernel.rank() != 4 || options.groups < 1 || options.stride < 1 ||
      kernel[1] * options.groups != in.box.size(1) || kernel[0] % options.groups != 0 ||
      in.box.size(2) + padding.top + padding.bottom < kernel[2] ||
      in.box.size(3) + padding.left + padding.right < kernel[3]) {
    throw Error(ErrorCode::shape_mismatch,
                "cannot convolve with '" + layer.weight.name() + "' " + to_string(kernel) + ": found " +
                    std::to_string(in.box.size(1)) + " channels of " +
                    to_string(Shape{in.box.size(2), in.box.size(3)}) + " pixels, expected " +
                    std::to_string(options.groups) + " groups of the kernel's, at least its size");
  }
  if (layer.bias) torch::expect_row(layer.bias, kernel[0]);
  at::Tensor padded = in.box;
  std::array<std::int64_t, 2> symmetric{padding.top, padding.left};
  if (padding.top != padding.bottom || padding.left != padding.right) {
    padded = at::constant_pad_nd(padded, {padding.left, padding.right, padding.top, padding.bottom}, 0);
    symmetric = {0, 0};
  }
  const auto convolved = [&](const at::Tensor& pixels, const at::Tensor& weight, const at::Tensor& bias) {
    return at::conv2d(pixels, weight, bias, {options.stride, options.stride}, symmetric, {1, 1},
                      options.groups);
  };
  const at::Tensor weight = weights_.of(layer.weight);
  const at::Tensor bias = weights_.of(layer.bias);
  at::Tensor y;
  if (precision_ == Precision::bf16 && options.groups == 1 && !in.is_pixels) {
    y = convolved(torch::bf16_factor(padded), torch::bf16_factor(weight), {}).to(at::kFloat);
    if (bias.defined()) y = y + bias.reshape({1, -1, 1, 1});
  } else {
    y = convolved(padded, weight, bias);
  }
  y = torch::activated(y, options.activation);
  if (options.residual == nullptr) return tensor(y);
  const at::Tensor& residual = see(*options.residual).box;
  if (residual.sizes() != y.sizes()) {
    throw Error(ErrorCode::shape_mismatch, "cannot convolve with '" + layer.weight.name() +
                                               "': found a residual of another shape, expected the output's");
  }
  return tensor(y + residual);
}

Tensor TorchInterpreter::activation(const Tensor& x, Activation kind) {
  return tensor(torch::activated(see(x).box, kind));
}

Tensor TorchInterpreter::scale_channels(const Tensor& x, const Rows& factors) {
  const at::Tensor by = matrix(factors);
  const at::Tensor& box = see(x).box;
  if (by.size(0) != box.size(0) || by.size(1) != box.size(1)) {
    throw Error(ErrorCode::shape_mismatch, "cannot scale channels: found factors " +
                                               to_string(Shape{by.size(0), by.size(1)}) + ", expected " +
                                               to_string(Shape{box.size(0), box.size(1)}));
  }
  return tensor(box * by.unsqueeze(-1).unsqueeze(-1));
}

Tensor TorchInterpreter::average_pool(const Tensor& x, std::int64_t size_px) {
  const at::Tensor& box = see(x).box;
  if (size_px < 1 || size_px > box.size(2) || size_px > box.size(3)) {
    throw Error(ErrorCode::shape_mismatch,
                "cannot pool squares of " + std::to_string(size_px) + " px: found a picture of " +
                    to_string(Shape{box.size(2), box.size(3)}) + ", expected at least one square");
  }
  return tensor(at::avg_pool2d(box, {size_px, size_px}, {size_px, size_px}));
}

at::Tensor TorchInterpreter::cells(const PositionGrid& grid, std::int64_t width) {
  expect_table(grid.table, width);
  if (grid.height < 1 || grid.width < 1 || grid.first < 0 ||
      grid.first > grid.table.shape()[0] - grid.height * grid.width) {
    throw Error(ErrorCode::shape_mismatch, "cannot add positions of '" + grid.table.name() + "' " +
                                               to_string(grid.table.shape()) + ": found a grid of " +
                                               to_string(Shape{grid.height, grid.width}));
  }
  const at::Tensor rows = weights_.of(grid.table).narrow(0, grid.first, grid.height * grid.width);
  return rows.reshape({1, grid.height, grid.width, width}).permute({0, 3, 1, 2});
}

Tensor TorchInterpreter::add_position_grid(const Tensor& x, const PositionGrid& grid) {
  const at::Tensor& box = see(x).box;
  at::Tensor positions = cells(grid, box.size(1));
  if (grid.height != box.size(2) || grid.width != box.size(3)) {
    positions = at::upsample_bicubic2d(positions, {box.size(2), box.size(3)}, false);
  }
  return tensor(box + positions);
}

Rows TorchInterpreter::rows_of(const Tensor& x) {
  const at::Tensor& box = see(x).box;
  return rows(box.flatten(2).transpose(1, 2), Sequences::uniform(box.size(0), box.size(2) * box.size(3)));
}

Rows TorchInterpreter::mean_pixels(const Tensor& x) {
  const at::Tensor& box = see(x).box;
  return rows(box.mean(at::IntArrayRef{2, 3}).unsqueeze(1), Sequences::uniform(box.size(0), 1));
}

// ---- pictures of their own shapes

Rows TorchInterpreter::rows_of(const Patches& patches) {
  return see(patches).rows;
}

Rows TorchInterpreter::add_position_grid(const Rows& x, const Patches& patches, const PositionGrid& grid) {
  const RowsValue& in = see(x);
  const torch::PatchesValue& pictures = see(patches);
  if (!(in.sequences == see(pictures.rows).sequences)) {
    throw Error(ErrorCode::shape_mismatch,
                "cannot add positions of '" + grid.table.name() + "': expected a row for each patch");
  }
  const at::Tensor learned = cells(grid, in.width());
  std::vector<at::Tensor> fitted;
  for (const PatchGrid& own : pictures.grids) {
    const bool same = own.height == grid.height && own.width == grid.width;
    at::Tensor resized =
        same ? learned : at::_upsample_bilinear2d_aa(learned, {own.height, own.width}, false);
    if (repeats_first_row({grid.height, grid.width}, {own.height, own.width})) {
      // On any device, and in gradients too.
      resized = resized.narrow(2, 0, 1).expand_as(resized);
    }
    const at::Tensor rows = resized.flatten(2).transpose(1, 2);  // [1, patches, width]
    fitted.push_back(at::constant_pad_nd(rows, {0, 0, 0, in.box.size(1) - own.patches()}, 0));
  }
  return rows(in.box + at::cat(fitted), in.sequences);
}

}  // namespace moa
