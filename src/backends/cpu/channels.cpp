// Operations that treat every channel of a picture alike, or by itself.
#include <algorithm>

#include <moa/error.hpp>

#include "backends/cpu/interpreter.hpp"

namespace moa::cpu {

Tensor CpuInterpreter::activation(const Tensor& x, Activation kind) {
  const TensorValue& in = see(x);
  auto out = new_tensor(in.batch, in.height, in.width, in.channels);
  in_parts(in.pixels(), 4 * in.channels, [&](std::int64_t begin, std::int64_t end) {
    const std::int64_t first = begin * in.channels;
    const std::int64_t count = (end - begin) * in.channels;  // pixels lie without gaps: one long row
    kernels_.activation({in.block.get() + first, count}, 1, count, kind, {out->block.get() + first, count});
  });
  return Tensor(std::move(out));
}

Tensor CpuInterpreter::scale_channels(const Tensor& x, const Rows& factors) {
  const TensorValue& in = see(x);
  const RowsValue& by = see(factors);
  expect_equal(by.rows(), in.batch, "scale channels by one row a picture");
  expect_equal(by.width, in.channels, "scale channels by a factor each");
  auto out = new_tensor(in.batch, in.height, in.width, in.channels);
  const std::int64_t line = in.width * in.channels;
  in_parts(in.batch * in.height, 2 * line, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t y = begin; y < end; ++y) {
      const float* row = by.matrix.data + y / in.height * by.matrix.stride;
      kernels_.multiply({in.block.get() + y * line, in.channels}, {row, 0}, in.width, in.channels,
                        {out->block.get() + y * line, in.channels});
    }
  });
  return Tensor(std::move(out));
}

Tensor CpuInterpreter::average_pool(const Tensor& x, std::int64_t size_px) {
  const TensorValue& in = see(x);
  if (size_px < 1 || size_px > in.height || size_px > in.width) {
    throw Error(ErrorCode::shape_mismatch,
                "cannot pool squares of " + std::to_string(size_px) + " px: found a picture of " +
                    to_string(Shape{in.height, in.width}) + ", expected at least one square");
  }
  // A depthwise convolution whose weights are all the same.
  auto out = new_tensor(in.batch, in.height / size_px, in.width / size_px, in.channels);
  const std::int64_t taps = size_px * size_px;
  const Block weights = engine_.blocks.take(taps * in.channels);
  std::fill_n(weights.get(), taps * in.channels, 1.0F / static_cast<float>(taps));
  DepthwiseTask task{};
  task.weights = weights.get();
  task.kernel_height = size_px;
  task.kernel_width = size_px;
  task.stride = size_px;
  depthwise(in, task, *out);
  return Tensor(std::move(out));
}

// The mean of each channel is its own sum in the order of pixels, so channels may be cut.
Rows CpuInterpreter::mean_pixels(const Tensor& x) {
  const TensorValue& in = see(x);
  auto out = new_rows(Sequences::uniform(in.batch, 1), in.channels);
  constexpr std::int64_t kColumns = 64;
  const std::int64_t cuts = (in.channels + kColumns - 1) / kColumns;
  const std::int64_t pixels = in.height * in.width;
  in_parts(in.batch * cuts, pixels * std::min(in.channels, kColumns),
           [&](std::int64_t begin, std::int64_t end) {
             for (std::int64_t task = begin; task < end; ++task) {
               const std::int64_t item = task / cuts;
               const std::int64_t column = task % cuts * kColumns;
               kernels_.mean({in.block.get() + item * pixels * in.channels + column, in.channels}, pixels,
                             std::min(kColumns, in.channels - column),
                             out->matrix.data + item * out->matrix.stride + column);
             }
           });
  return Rows(std::move(out));
}

}  // namespace moa::cpu
