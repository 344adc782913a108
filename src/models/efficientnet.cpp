#include "models/efficientnet.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include <moa/error.hpp>

#include "nn/activation.hpp"
#include "nn/batch_norm.hpp"

namespace moa {

// ---- the network

Tensor EfficientNetConvolution::forward(Ops& ops, const Tensor& x, const Tensor* residual) const {
  ConvolutionOptions with_residual = options;
  with_residual.residual = residual;
  return ops.convolution(x, layer, with_residual);
}

Tensor SqueezeExcitation::forward(Ops& ops, const Tensor& x) const {
  const Rows squeezed = ops.linear(ops.mean_pixels(x), reduce, {.activation = activation});
  return ops.scale_channels(x, ops.linear(squeezed, expand, {.activation = Activation::sigmoid}));
}

Tensor EfficientNetBlock::forward(Ops& ops, const Tensor& x) const {
  Tensor inner = expand ? expand->forward(ops, x) : x;
  inner = excitation.forward(ops, depthwise.forward(ops, inner));
  return project.forward(ops, inner, adds_input ? &x : nullptr);
}

Rows EfficientNet::forward(Ops& ops, const Tensor& pixels) const {
  Tensor x = stem.forward(ops, pixels);
  for (const EfficientNetBlock& block : blocks) x = block.forward(ops, x);
  return ops.mean_pixels(x);
}

// ---- its configuration

namespace {

constexpr std::int64_t kMostBlocks = 1024;
constexpr std::int64_t kMostChannels = 1 << 16;

// A list with an entry for each stage, of integers from `least` to `most`.
std::vector<std::int64_t> read_list(const Config& config, const std::string& key,
                                    std::vector<double> fallback, std::int64_t least, std::int64_t most) {
  std::vector<std::int64_t> list;
  for (const double value : config.numbers(key, std::move(fallback))) {
    if (!(value >= static_cast<double>(least) && value <= static_cast<double>(most)) ||
        value != std::floor(value)) {
      throw Error(ErrorCode::out_of_range, config.where() + ": '" + key + "': found " +
                                               std::to_string(value) + ", expected integers from " +
                                               std::to_string(least) + " to " + std::to_string(most));
    }
    list.push_back(static_cast<std::int64_t>(value));
  }
  return list;
}

double read_coefficient(const Config& config, const std::string& key, double fallback) {
  const double value = config.number(key, fallback);
  if (value > 0 && value <= 64) return value;
  throw Error(ErrorCode::out_of_range, config.where() + ": '" + key + "': found " + std::to_string(value) +
                                           ", expected above 0, up to 64");
}

// The paper's rounding: to the nearest multiple of `divisor`, never down by more than a tenth.
std::int64_t scaled_channels(std::int64_t channels, double width, std::int64_t divisor) {
  const double wanted = static_cast<double>(channels) * width;
  const auto nearest =
      static_cast<std::int64_t>((wanted + static_cast<double>(divisor) / 2) / static_cast<double>(divisor)) *
      divisor;
  const std::int64_t rounded = std::max(divisor, nearest);
  return static_cast<double>(rounded) < 0.9 * wanted ? rounded + divisor : rounded;
}

// The configuration's lists, an entry for each stage, before scaling.
struct Stages {
  std::vector<std::int64_t> in_channels, out_channels, kernels, strides, repeats, expansions;
};

Stages read_stages(const Config& config) {
  Stages stages;
  stages.in_channels = read_list(config, "in_channels", {32, 16, 24, 40, 80, 112, 192}, 1, kMostChannels);
  stages.out_channels = read_list(config, "out_channels", {16, 24, 40, 80, 112, 192, 320}, 1, kMostChannels);
  stages.kernels = read_list(config, "kernel_sizes", {3, 3, 5, 3, 5, 5, 3}, 3, 31);
  stages.strides = read_list(config, "strides", {1, 2, 2, 2, 1, 2, 1}, 1, 2);
  stages.repeats = read_list(config, "num_block_repeats", {1, 2, 2, 3, 3, 4, 1}, 1, kMostBlocks);
  stages.expansions = read_list(config, "expand_ratios", {1, 6, 6, 6, 6, 6, 6}, 1, 64);
  const std::size_t count = stages.in_channels.size();
  for (const auto* list :
       {&stages.out_channels, &stages.kernels, &stages.strides, &stages.repeats, &stages.expansions}) {
    if (count != 0 && list->size() == count) continue;
    throw Error(ErrorCode::shape_mismatch,
                config.where() + ": found lists of " + std::to_string(count) + " and " +
                    std::to_string(list->size()) + " stages, expected as many in each of in_channels, " +
                    "out_channels, kernel_sizes, strides, num_block_repeats and expand_ratios");
  }
  for (const std::int64_t kernel : stages.kernels) {
    if (kernel % 2 == 1) continue;
    throw Error(ErrorCode::unsupported, config.where() + ": 'kernel_sizes': found " + std::to_string(kernel) +
                                            ", expected odd sizes");
  }
  return stages;
}

// The side of a picture of `side_px`, `lost` of them lost to a window, behind a convolution of stride 2.
std::int64_t halved(std::int64_t side_px, std::int64_t lost) {
  return side_px < lost ? 0 : (side_px - lost) / 2 + 1;
}

}  // namespace

EfficientNetConfig EfficientNetConfig::read(const Config& config) {
  EfficientNetConfig net;
  net.image_px = config.integer("image_size", net.image_px, 2, 4096);
  net.channels = config.integer("num_channels", net.channels, 3, 3);
  net.activation = activation_named(config.string("hidden_act", "swish"), config.where());
  net.norm_eps = config.number("batch_norm_eps", net.norm_eps);
  const double width = read_coefficient(config, "width_coefficient", 2.0);
  const double depth = read_coefficient(config, "depth_coefficient", 3.1);
  const double squeeze = read_coefficient(config, "squeeze_expansion_ratio", 0.25);
  const std::int64_t divisor = config.integer("depth_divisor", 8, 1, 1024);
  const std::string pooling = config.string("pooling_type", "mean");
  if (pooling != "mean") {
    throw Error(ErrorCode::unsupported,
                config.where() + ": 'pooling_type': found '" + pooling + "', expected 'mean'");
  }
  const Stages stages = read_stages(config);
  const std::vector<std::int64_t> even = read_list(config, "depthwise_padding", {}, 0, kMostBlocks);

  net.stem_channels = scaled_channels(32, width, divisor);
  std::int64_t channels = net.stem_channels;
  std::int64_t side_px = halved(net.image_px, 2);
  for (std::size_t stage = 0; stage < stages.in_channels.size(); ++stage) {
    const std::int64_t expected = scaled_channels(stages.in_channels[stage], width, divisor);
    if (expected != channels) {
      throw Error(ErrorCode::shape_mismatch,
                  config.where() + ": 'in_channels': stage " + std::to_string(stage) + " takes " +
                      std::to_string(expected) + " channels, before it there are " +
                      std::to_string(channels));
    }
    const auto count =
        static_cast<std::int64_t>(std::ceil(depth * static_cast<double>(stages.repeats[stage])));
    for (std::int64_t i = 0; i < count; ++i) {
      const auto index = static_cast<std::int64_t>(net.blocks.size());
      if (index == kMostBlocks) {
        throw Error(ErrorCode::out_of_range,
                    config.where() + ": expected at most " + std::to_string(kMostBlocks) + " blocks");
      }
      EfficientNetBlockSizes block;
      block.in_channels = channels;
      block.out_channels = scaled_channels(stages.out_channels[stage], width, divisor);
      block.inner_channels = channels * stages.expansions[stage];
      block.squeezed_channels =
          std::max<std::int64_t>(1, static_cast<std::int64_t>(static_cast<double>(channels) * squeeze));
      block.kernel_px = stages.kernels[stage];
      block.stride = i == 0 ? stages.strides[stage] : 1;
      block.pads_evenly = std::ranges::find(even, index) != even.end();
      block.adds_input = i != 0;
      channels = block.out_channels;
      if (block.stride == 2) side_px = halved(side_px, block.pads_evenly ? 1 : 2);
      net.blocks.push_back(block);
    }
  }
  // The reference pools squares of `hidden_dim`, and takes it that there is one.
  if (side_px < 1 || config.integer("hidden_dim", 2560, 1, 1 << 20) < side_px) {
    throw Error(ErrorCode::unsupported, config.where() + ": 'hidden_dim' or 'image_size': pictures of " +
                                            std::to_string(net.image_px) + " px end as " +
                                            std::to_string(side_px) + " px, expected 1 to 'hidden_dim'");
  }
  return net;
}

std::string describe(const EfficientNetConfig& config) {
  return "EfficientNet, " + std::to_string(config.blocks.size()) + " blocks, " +
         std::to_string(config.stem_channels) + " to " + std::to_string(config.dim()) + " channels";
}

// ---- its tensors

namespace {

// `conv` and the batch norm behind it.
EfficientNetConvolution take_convolution(const WeightScope& scope, const std::string& conv,
                                         const std::string& norm, const Shape& shape, double eps,
                                         const ConvolutionOptions& options) {
  const Convolution layer{scope.at(conv).take("weight", shape), {}};
  return {folded(layer, take_batch_norm(scope.at(norm), shape[0], eps)), options};
}

// A convolution of 1 x 1 with a bias, as what it is for one row a picture.
Linear take_pointwise(const WeightScope& scope, std::int64_t out, std::int64_t in) {
  return {scope.take("weight", {out, in, 1, 1}).reshaped({out, in}), scope.take("bias", {out})};
}

EfficientNetBlock take_block(const WeightScope& scope, const EfficientNetBlockSizes& sizes,
                             const EfficientNetConfig& config) {
  const std::int64_t inner = sizes.inner_channels;
  EfficientNetBlock block;
  if (inner != sizes.in_channels) {
    block.expand =
        take_convolution(scope.at("expansion"), "expand_conv", "expand_bn", {inner, sizes.in_channels, 1, 1},
                         config.norm_eps, {.activation = config.activation});
  }
  const std::int64_t half = sizes.kernel_px / 2;
  const std::int64_t before = sizes.stride == 2 && !sizes.pads_evenly ? half - 1 : half;
  block.depthwise = take_convolution(scope.at("depthwise_conv"), "depthwise_conv", "depthwise_norm",
                                     {inner, 1, sizes.kernel_px, sizes.kernel_px}, config.norm_eps,
                                     {.stride = sizes.stride,
                                      .padding = {before, half, before, half},
                                      .groups = inner,
                                      .activation = config.activation});
  const WeightScope excitation = scope.at("squeeze_excite");
  block.excitation = {take_pointwise(excitation.at("reduce"), sizes.squeezed_channels, inner),
                      take_pointwise(excitation.at("expand"), inner, sizes.squeezed_channels),
                      config.activation};
  block.project = take_convolution(scope.at("projection"), "project_conv", "project_bn",
                                   {sizes.out_channels, inner, 1, 1}, config.norm_eps,
                                   {.precision = ProductPrecision::bf16});
  block.adds_input = sizes.adds_input;
  return block;
}

}  // namespace

EfficientNet take_efficientnet(const WeightScope& scope, const EfficientNetConfig& config) {
  EfficientNet net;
  net.stem = take_convolution(
      scope.at("embeddings"), "convolution", "batchnorm", {config.stem_channels, config.channels, 3, 3},
      config.norm_eps, {.stride = 2, .padding = {.bottom = 1, .right = 1}, .activation = config.activation});
  for (std::size_t i = 0; i < config.blocks.size(); ++i) {
    net.blocks.push_back(
        take_block(scope.at("encoder").at("blocks", static_cast<std::int64_t>(i)), config.blocks[i], config));
  }
  return net;
}

}  // namespace moa
