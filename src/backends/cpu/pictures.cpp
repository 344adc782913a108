// Convolutions. Pictures lie in memory with their channels innermost, so that a pixel is a row: a convolution
// is a product of weights with rows gathered from its window, and one of 1 x 1 needs no gathering.
#include <algorithm>

#include <moa/error.hpp>

#include "backends/cpu/interpreter.hpp"

namespace moa::cpu {
namespace {

// One output pixel's window as a row: kernel_height * kernel_width * channels numbers, 0 outside the picture.
void gather_window(const TensorValue& x, std::int64_t item, std::int64_t y, std::int64_t left,
                   std::int64_t kernel_height, std::int64_t kernel_width, float* row) {
  const std::int64_t line = kernel_width * x.channels;
  const std::int64_t first = std::clamp<std::int64_t>(-left, 0, kernel_width);
  const std::int64_t end = std::clamp<std::int64_t>(x.width - left, first, kernel_width);
  for (std::int64_t i = 0; i < kernel_height; ++i, row += line) {
    if (y + i < 0 || y + i >= x.height || first == end) {
      std::fill_n(row, line, 0.0F);
      continue;
    }
    const float* from = x.block.get() + ((item * x.height + y + i) * x.width + left + first) * x.channels;
    std::fill_n(row, first * x.channels, 0.0F);
    std::copy_n(from, (end - first) * x.channels, row + first * x.channels);
    std::fill_n(row + end * x.channels, (kernel_width - end) * x.channels, 0.0F);
  }
}

[[noreturn]] void refuse(const Convolution& layer, const std::string& found, const std::string& expected,
                         ErrorCode code = ErrorCode::shape_mismatch) {
  throw Error(code, "cannot convolve with '" + layer.weight.name() + "' " + to_string(layer.weight.shape()) +
                        ": found " + found + ", expected " + expected);
}

void check(const Convolution& layer, const ConvolutionOptions& options, std::int64_t channels) {
  const Shape& shape = layer.weight.shape();
  if (shape.rank() != 4) refuse(layer, "this shape", "[out, in / groups, height, width]");
  if (options.groups != 1 && (options.groups != channels || shape[0] != channels)) {
    refuse(layer, std::to_string(options.groups) + " groups for " + std::to_string(channels) + " channels",
           "1 group, or a channel each", ErrorCode::unsupported);
  }
  if (shape[1] * options.groups != channels) {
    refuse(layer, std::to_string(channels) + " channels", std::to_string(shape[1] * options.groups));
  }
  const PixelPadding& padding = options.padding;
  if (options.stride < 1 || std::min({padding.top, padding.bottom, padding.left, padding.right}) < 0) {
    refuse(layer, "stride " + std::to_string(options.stride),
           "a stride of at least 1 and no negative padding", ErrorCode::invalid_argument);
  }
  if (layer.bias) expect_row(layer.bias, shape[0], "add the bias");
}

}  // namespace

Tensor CpuInterpreter::convolution(const Tensor& x, const Convolution& layer,
                                   const ConvolutionOptions& options) {
  const TensorValue& in = see(x);
  check(layer, options, in.channels);
  const Shape& shape = layer.weight.shape();
  const PixelPadding& padding = options.padding;
  const std::int64_t height = in.height + padding.top + padding.bottom - shape[2];
  const std::int64_t width = in.width + padding.left + padding.right - shape[3];
  if (height < 0 || width < 0) {
    refuse(layer, to_string(Shape{in.height, in.width}) + " pixels", "at least the kernel's size");
  }
  auto out = new_tensor(in.batch, height / options.stride + 1, width / options.stride + 1, shape[0]);

  Epilogue epilogue;
  epilogue.bias = engine_.weights.vector(layer.bias);
  epilogue.activation = options.activation;
  if (options.residual != nullptr) {
    const TensorValue& residual = see(*options.residual);
    if (residual.batch != out->batch || residual.height != out->height || residual.width != out->width ||
        residual.channels != out->channels) {
      refuse(layer, "a residual of another shape", "the output's");
    }
    epilogue.residual = {residual.block.get(), residual.channels};
  }
  const bool nothing_around =
      padding.top == 0 && padding.bottom == 0 && padding.left == 0 && padding.right == 0;
  if (options.groups != 1) {
    DepthwiseTask task{};
    task.weights = engine_.weights.depthwise(layer.weight);
    task.kernel_height = shape[2];
    task.kernel_width = shape[3];
    task.stride = options.stride;
    task.top = padding.top;
    task.left = padding.left;
    task.epilogue = epilogue;
    depthwise(in, task, *out);
  } else if (shape[2] == 1 && shape[3] == 1 && options.stride == 1 && nothing_around) {
    product({in.block.get(), in.channels}, in.pixels(), in.channels,
            engine_.weights.convolution(layer.weight, precision_for(in, options)), out->channels, epilogue,
            {out->block.get(), out->channels});
  } else {
    general_convolution(in, layer, options, epilogue, *out);
  }
  return Tensor(std::move(out));
}

Precision CpuInterpreter::precision_for(const TensorValue& input, const ConvolutionOptions& options) const {
  return input.is_pixels ? Precision::f32 : precision_for(options.precision);
}

void CpuInterpreter::depthwise(const TensorValue& x, const DepthwiseTask& whole, TensorValue& out) {
  const std::int64_t picture = out.height * out.width * out.channels;
  engine_.multiply_adds += out.batch * picture * whole.kernel_height * whole.kernel_width;
  const std::int64_t cost = out.width * out.channels * whole.kernel_height * whole.kernel_width / 2;
  in_parts(out.batch * out.height, cost, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t line = begin; line < end; ++line) {
      const std::int64_t item = line / out.height;
      DepthwiseTask task = whole;
      task.in = x.block.get() + item * x.height * x.width * x.channels;
      task.in_height = x.height;
      task.in_width = x.width;
      task.channels = x.channels;
      task.begin = line % out.height;
      task.end = task.begin + 1;
      task.out_width = out.width;
      if (task.epilogue.residual.data != nullptr) task.epilogue.residual.data += item * picture;
      task.out = out.block.get() + item * picture;
      kernels_.depthwise(task);
    }
  });
}

void CpuInterpreter::general_convolution(const TensorValue& x, const Convolution& layer,
                                         const ConvolutionOptions& options, const Epilogue& epilogue,
                                         TensorValue& out) {
  const Shape& shape = layer.weight.shape();
  const std::int64_t depth = shape[1] * shape[2] * shape[3];
  const PreparedMatrix& weights = engine_.weights.convolution(layer.weight, precision_for(x, options));
  // Windows are gathered some at a time, so that memory stays within 4 MiB (one window, if that is larger).
  const std::int64_t slab = std::clamp<std::int64_t>((1 << 20) / depth, 1, out.pixels());
  const Block windows = engine_.blocks.take(slab * depth);
  for (std::int64_t start = 0; start < out.pixels(); start += slab) {
    const std::int64_t count = std::min(slab, out.pixels() - start);
    in_parts(count, depth, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const std::int64_t pixel = start + i;
        const std::int64_t line = pixel / out.width;
        gather_window(x, line / out.height, line % out.height * options.stride - options.padding.top,
                      pixel % out.width * options.stride - options.padding.left, shape[2], shape[3],
                      windows.get() + i * depth);
      }
    });
    Epilogue here = epilogue;
    if (here.residual.data != nullptr) here.residual.data += start * out.channels;
    product({windows.get(), depth}, count, depth, weights, out.channels, here,
            {out.block.get() + start * out.channels, out.channels});
  }
}

Rows CpuInterpreter::rows_of(const Tensor& x) {
  const TensorValue& in = see(x);
  auto view = std::make_shared<RowsValue>(this);
  view->block = in.block;
  view->matrix = {in.block.get(), in.channels};
  view->width = in.channels;
  view->sequences = Sequences::uniform(in.batch, in.height * in.width);
  return Rows(std::move(view));
}

}  // namespace moa::cpu
