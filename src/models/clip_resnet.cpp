#include "models/clip_resnet.hpp"

#include <cmath>
#include <string>

#include <moa/error.hpp>

#include "models/open_clip_parts.hpp"
#include "nn/batch_norm.hpp"
#include "nn/transformer.hpp"

namespace moa {
namespace {

constexpr PixelPadding kAround{1, 1, 1, 1};
constexpr double kNormEps = 1e-5;

}  // namespace

// ---- the network

Tensor ResNetBottleneck::forward(Ops& ops, const Tensor& x) const {
  Tensor inner = ops.convolution(x, reduce, {.activation = Activation::relu});
  inner = ops.convolution(inner, convolve, {.padding = kAround, .activation = Activation::relu});
  Tensor added = x;
  if (stride > 1) {
    inner = ops.average_pool(inner, stride);
    added = ops.average_pool(added, stride);
  }
  if (shortcut.weight) added = ops.convolution(added, shortcut, {});
  return ops.activation(ops.convolution(inner, expand, {.residual = &added}), Activation::relu);
}

Rows ResNetAttentionPool::forward(Ops& ops, const Tensor& x) const {
  const Rows pixels = ops.rows_of(x);
  const Rows all = ops.add_positions(ops.concatenate(ops.mean_rows(pixels), pixels), position_embedding);
  const std::int64_t width = q.weight.shape()[0];
  const Rows projected = ops.linear(all, kv);
  const Rows found = ops.attention(ops.linear(ops.first_row(all), q), ops.columns(projected, 0, width),
                                   ops.columns(projected, width, width), {.heads = heads});
  return ops.linear(found, out, {.precision = ProductPrecision::f32});
}

Tensor ClipResNet::begin(Ops& ops, const Tensor& pixels) const {
  Tensor x =
      ops.convolution(pixels, stem[0], {.stride = 2, .padding = kAround, .activation = Activation::relu});
  for (const std::size_t i : {1, 2}) {
    x = ops.convolution(x, stem[i], {.padding = kAround, .activation = Activation::relu});
  }
  return ops.average_pool(x, 2);
}

Rows ClipResNet::forward(Ops& ops, const Tensor& pixels) const {
  Tensor x = begin(ops, pixels);
  for (const ResNetBottleneck& block : blocks) x = block.forward(ops, x);
  return pool.forward(ops, x);
}

// ---- its configuration and its tensors

ClipResNetConfig ClipResNetConfig::read(const Config& config) {
  refuse_unknown(config, {"image_size", "layers", "width", "head_width", "patch_size", "mlp_ratio",
                          "patch_dropout", "output_tokens", "timm_pool", "timm_proj", "pool_type"});
  ClipResNetConfig net;
  const std::vector<double> layers = config.numbers("layers", {});
  if (layers.size() != net.layers.size()) {
    throw Error(ErrorCode::unsupported, config.where() + ": 'layers': found " +
                                            std::to_string(layers.size()) +
                                            " stages, expected 4 (a ResNet) or a number (a ViT)");
  }
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (!(layers[i] >= 1 && layers[i] <= 1024) || layers[i] != std::floor(layers[i])) {
      throw Error(ErrorCode::out_of_range, config.where() + ": 'layers': found " + std::to_string(layers[i]) +
                                               ", expected integers from 1 to 1024");
    }
    net.layers[i] = static_cast<std::int64_t>(layers[i]);
  }
  net.width = config.integer("width", net.width, 2, 2048);
  net.image_px = config.integer("image_size", net.image_px, 32, 4096);
  if (net.width % 2 != 0 || net.image_px % 32 != 0) {
    throw Error(ErrorCode::unsupported, config.where() + ": found 'width' " + std::to_string(net.width) +
                                            " and 'image_size' " + std::to_string(net.image_px) +
                                            ", expected multiples of 2 and of 32");
  }
  net.heads = net.features() / config.integer("head_width", 64, 1, net.features());
  if (net.features() % net.heads != 0) {
    throw Error(ErrorCode::shape_mismatch, config.where() + ": " + std::to_string(net.heads) +
                                               " heads do not divide the width " +
                                               std::to_string(net.features()));
  }
  return net;
}

ImageTowerFacts facts_of(const ClipResNetConfig& config) {
  std::string stages;
  for (const std::int64_t count : config.layers)
    stages += (stages.empty() ? "" : "-") + std::to_string(count);
  return {"ResNet " + stages + ", width " + std::to_string(config.width) + ", attention pool of " +
              std::to_string(config.heads) + " heads",
          3, config.image_px, config.image_px};
}

namespace {

// "conv<index>" and the batch norm "bn<index>" behind it.
Convolution take_convolution(const WeightScope& scope, int index, const Shape& shape) {
  const std::string number = std::to_string(index);
  return folded({scope.take("conv" + number + ".weight", shape), {}},
                take_batch_norm(scope.at("bn" + number), shape[0], kNormEps));
}

ResNetBottleneck take_bottleneck(const WeightScope& scope, std::int64_t in, std::int64_t inner,
                                 std::int64_t stride) {
  const std::int64_t out = 4 * inner;
  ResNetBottleneck block;
  block.reduce = take_convolution(scope, 1, {inner, in, 1, 1});
  block.convolve = take_convolution(scope, 2, {inner, inner, 3, 3});
  block.expand = take_convolution(scope, 3, {out, inner, 1, 1});
  if (stride > 1 || in != out) {
    const WeightScope shortcut = scope.at("downsample");
    block.shortcut = folded({shortcut.take("0.weight", {out, in, 1, 1}), {}},
                            take_batch_norm(shortcut.at("1"), out, kNormEps));
  }
  block.stride = stride;
  return block;
}

ResNetAttentionPool take_pool(const WeightScope& scope, const ClipResNetConfig& config, std::int64_t dim) {
  const std::int64_t width = config.features();
  const std::int64_t side = config.image_px / 32;
  ResNetAttentionPool pool;
  pool.position_embedding = scope.take("positional_embedding", {side * side + 1, width});
  pool.q = take_linear(scope.at("q_proj"), width, width);
  pool.kv =
      stacked({take_linear(scope.at("k_proj"), width, width), take_linear(scope.at("v_proj"), width, width)});
  pool.out = take_linear(scope.at("c_proj"), dim, width);
  pool.heads = config.heads;
  return pool;
}

}  // namespace

ClipResNet take_clip_resnet(const WeightScope& scope, const ClipResNetConfig& config, std::int64_t dim) {
  const std::int64_t half = config.width / 2;
  ClipResNet net;
  net.stem = {take_convolution(scope, 1, {half, 3, 3, 3}), take_convolution(scope, 2, {half, half, 3, 3}),
              take_convolution(scope, 3, {config.width, half, 3, 3})};
  std::int64_t channels = config.width;
  for (std::size_t stage = 0; stage < config.layers.size(); ++stage) {
    const std::int64_t inner = config.width << stage;
    const WeightScope layer = scope.at("layer" + std::to_string(stage + 1));
    for (std::int64_t i = 0; i < config.layers[stage]; ++i) {
      const std::int64_t stride = stage > 0 && i == 0 ? 2 : 1;
      net.blocks.push_back(take_bottleneck(layer.at(std::to_string(i)), channels, inner, stride));
      channels = 4 * inner;
    }
  }
  net.pool = take_pool(scope.at("attnpool"), config, dim);
  return net;
}

}  // namespace moa
